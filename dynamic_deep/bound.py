# SPDX-License-Identifier: Apache-2.0
"""The user's requirement: how far the tasks' errors of a window may go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks.protocol import REFERENCES

# Tasks whose labels are no answer to measure a window by in use; they compare to raw.
RAW_ONLY = frozenset({"rpeaks"})
# Errors as small as this are none: an error head foretells logarithms.
LEAST_ERROR = 1e-3
# Relative; tables keep errors in single precision, and 1 - 0.7 is not quite 0.3.
ROUNDING = 1e-6

Array = npt.NDArray[np.floating]


def channel_of(task: str, reference: str) -> str:
    """Return the name of what is measured: a task against a reference."""
    return f"{task}:{'raw' if task in RAW_ONLY else reference}"


@dataclass(frozen=True, kw_only=True)
class Bound:
    """L_w <= bound, or each task within a bound of its own.

    Attributes:
        tasks: their names.
        total: bound on the weighted error, the sum of w_i L_i; None if each task has
            its own.
        limits: bound of each task, by name, if there is no total.
        weights: w_i of each task for the total; 1 where none is given.
        reference: what errors are measured against: raw or label.
    """

    tasks: tuple[str, ...]
    total: float | None = None
    limits: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    reference: str = "raw"

    def __post_init__(self) -> None:
        """Check that it can be kept to."""
        if self.reference not in REFERENCES:
            raise ConfigError(
                f"a reference must be raw or label, got {self.reference!r}"
            )
        if not self.tasks:
            raise ConfigError("a bound needs a task, got none; name rhythm or rpeaks")
        if self.total is None and set(self.limits) != set(self.tasks):
            raise ConfigError(
                f"a bound must be one number, or one for each of "
                f"{', '.join(self.tasks)}; got {', '.join(self.limits) or 'none'}"
            )
        for value in [*self.limits.values(), *self.weights.values(), self.total or 0.0]:
            if not (math.isfinite(value) and value >= 0.0):
                raise ConfigError(
                    f"a bound or weight must be 0 or more, got {value:g}; no window "
                    "can have an error below 0"
                )

    @property
    def channels(self) -> tuple[str, ...]:
        """What is measured of each task."""
        return tuple(channel_of(task, self.reference) for task in self.tasks)

    def columns(self, channels: Sequence[str]) -> list[int]:
        """Return where the tasks' channels stand in an array's last axis.

        Raises:
            ConfigError: If one isn't there.
        """
        missing = [c for c in self.channels if c not in channels]
        if missing:
            raise ConfigError(
                f"the bound must be on what was measured ({', '.join(channels)}), got "
                f"{', '.join(missing)}; make a calibration with that task"
            )
        return [list(channels).index(c) for c in self.channels]

    def is_over(self, errors: Array) -> npt.NDArray[np.bool_]:
        """Tell of each row of errors, (..., n_tasks), whether it is over the bound."""
        if self.total is not None:
            total = errors.astype(np.float64) @ self._weights()
            return np.asarray(total > self.total * (1.0 + ROUNDING))
        return np.asarray(self.is_each_over(errors).any(axis=-1))

    def is_each_over(self, errors: Array) -> npt.NDArray[np.bool_]:
        """Tell of each error, (..., n_tasks), whether it is over its task's limit."""
        limits = np.array([self.limits.get(task, np.inf) for task in self.tasks])
        return np.asarray(errors > limits * (1.0 + ROUNDING))

    def probabilities(self, center: Array, spread: Array) -> Array:
        """Return how likely each task's error is over its bound, as foretold.

        An error is foretold as log-logistic: `center` is the median of its logarithm.
        The weighted sum is taken to go over about where its largest part does.

        Args:
            center: (..., n_tasks), natural logarithm of the error.
            spread: the same shape, scale of the logistic.

        Returns:
            (..., n_tasks), 0 to 1.
        """
        if self.total is not None:
            limits = np.full(len(self.tasks), self.total)
            center = center + np.log(np.maximum(self._weights(), 1e-12))
        else:
            limits = np.array([self.limits[task] for task in self.tasks])
        margin = np.log(np.maximum(limits, LEAST_ERROR))
        z = np.clip((center - margin) / spread, -30.0, 30.0)
        return np.asarray(1.0 / (1.0 + np.exp(-z)))

    def probability(self, center: Array, spread: Array) -> Array:
        """Return how likely each row of errors is over the bound, (...), 0 to 1."""
        return np.asarray(
            1.0 - np.prod(1.0 - self.probabilities(center, spread), axis=-1)
        )

    def _weights(self) -> Array:
        return np.array([self.weights.get(task, 1.0) for task in self.tasks])
