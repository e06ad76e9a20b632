# SPDX-License-Identifier: Apache-2.0
"""Policies that keep the tasks' errors within a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import cheapest, fallback_estimate
from dynamic_deep.bound_odds import LOSSLESS, Requirement, odds
from dynamic_deep.bundle import Level
from dynamic_deep.calibration import Calibration
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.policy import RungT, named_levels
from dynamic_deep.tasks.protocol import Task
from dynamic_deep.window_candidate import WindowCandidate
from dynamic_deep.window_codec import at_rate_of_model


class Calibrated:
    """The level that is worth its risk, as the error heads foretell it.

    Of recordings exchangeable with those of the calibration, the expected share of
    windows that break the bound is at most the risk.

    Args:
        requirement: bound, risk and fallback.
        calibration: of the bundle that encodes.

    Attributes:
        price: bytes that a certain violation is worth.
        level_risks: expected share of violations of each level, by name, if every
            window got it.

    Raises:
        ConfigError: If the calibration can't certify what is asked for.
    """

    def __init__(self, requirement: Requirement, calibration: Calibration) -> None:
        """Find the price of a violation."""
        self.requirement = requirement
        self.levels = calibration.trials.levels
        self._model_id = calibration.model_id
        self.price = calibration.price(requirement)
        self.level_risks = calibration.level_risks(requirement)

    def __repr__(self) -> str:
        """Return what was asked for and what it came to, for reports of a run."""
        return f"Calibrated({self.requirement!r}, price={self.price:g})"

    def ladder(self, levels: Sequence[RungT]) -> list[RungT]:
        """Return the calibrated levels, and the fallback as the last one."""
        return named_levels(levels, (*self.levels, self.requirement.fallback))

    def choose(self, window: WindowCandidate, levels: Sequence[Level]) -> Level:
        """Return the level of a window.

        Raises:
            ModelError: If another bundle than the calibrated one encodes it.
        """
        if window.model_id != self._model_id:
            raise ModelError(
                f"a calibration must be of the bundle that encodes, "
                f"{window.model_id.hex()[:8]}, got one of {self._model_id.hex()[:8]}; "
                "calibrate with this bundle"
            )
        forecast = window.forecast()
        rows = [0, *(forecast.levels.index(name) for name in self.levels)]
        p = odds(
            self.requirement,
            forecast.channels,
            forecast.center[rows],
            forecast.spread[rows],
        )
        n_bytes = np.array([window.n_bytes(level) for level in levels[:-1]], np.float64)
        last = fallback_estimate(
            self.requirement, self.levels, n_bytes, np.asarray(float(window.raw_bytes))
        )
        return levels[int(cheapest(p, n_bytes, last, self.price))]


@dataclass(frozen=True, kw_only=True)
class Oracle:
    """The fewest bytes among the levels that keep to the bound, found by trying all.

    Needs the decoder and the tasks beside the encoder. The paper's are those of two
    levels, `("gain_64",)` or none, and of three.

    Attributes:
        bound: on the tasks' errors, against the raw window.
        tasks: what to run, in the bound's order.
        names: levels to try; every lossy one if None.
        fallback: what a window gets that no level keeps within the bound.
    """

    bound: Bound
    tasks: tuple[Task, ...]
    names: tuple[str, ...] | None = None
    fallback: str = LOSSLESS

    def __post_init__(self) -> None:
        """Check the reference and the tasks."""
        if self.bound.reference != "raw":
            raise ConfigError(
                "a choice on the spot measures against the raw window, got reference "
                f"{self.bound.reference}; a recording brings no labels"
            )
        names = [task.name for task in self.tasks]
        if names != list(self.bound.tasks):
            raise ConfigError(
                f"the tasks must be those of the bound, {', '.join(self.bound.tasks)}, "
                f"in its order; got {', '.join(names) or 'none'}"
            )

    def ladder(self, levels: Sequence[RungT]) -> list[RungT]:
        """Return the levels to try, and the fallback as the last one."""
        lossy = [v.name for v in levels if v.kind in ("wavelet", "neural")]
        return named_levels(levels, (*(self.names or lossy), self.fallback))

    def choose(self, window: WindowCandidate, levels: Sequence[Level]) -> Level:
        """Return the level of a window: cheapest first, until one keeps to it."""
        raw = self._ask(window, window.x)
        for level in sorted(levels[:-1], key=window.n_bytes):
            answers = self._ask(window, window.decoded(level))
            errors = [
                task.error(reference, answer)
                for task, reference, answer in zip(
                    self.tasks, raw, answers, strict=True
                )
            ]
            if not self.bound.is_over(np.array(errors)):
                return level
        return levels[-1]

    def _ask(self, window: WindowCandidate, x: npt.NDArray[np.integer]) -> list[Any]:
        signal = at_rate_of_model(x, window.place)
        return [task.answer(signal) for task in self.tasks]


class Verify(Oracle):
    """Decode and run the tasks on the spot: nothing violates, by construction.

    For a gateway that has the power. The name says what it is for; the choice is that
    of the oracle on the whole ladder.
    """
