# SPDX-License-Identifier: Apache-2.0
"""What a task must be able to do, and what it may take for granted of a window."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import InvalidSignalError

FloatArray = npt.NDArray[np.float32]
Answer = npt.NDArray[Any]  # in the task's own form

REFERENCES = ("raw", "label")


class Task(Protocol):
    """A job done on a decoded window.

    Attributes:
        name: what users call it.
        references: what it can be measured against: "raw", its own answer on the
            uncompressed window, or "label", the annotated truth.
    """

    name: str
    references: tuple[str, ...]

    def answer(self, x: FloatArray) -> Answer:
        """Do the job on one window.

        Args:
            x: float32 array, shape (n_samples,), any unit, at the model's rate.
                `WINDOW_LEN` samples, or 1 to 10,079 in the last window of a lead.

        Returns:
            The answer, in the task's own form.

        Raises:
            InvalidSignalError: If `x` is no window.
        """

    def error(self, reference: Answer, answer: Answer) -> float:
        """Return how far an answer is from the one on the raw window, at least 0.

        Args:
            reference: the answer on the window as measured.
            answer: the answer on the same window decoded.

        Raises:
            ConfigError: If the two are not of the same window.
        """

    def label_error(self, label: object, answer: Answer) -> float:
        """Return how far an answer is from the annotated truth, at least 0.

        Raises:
            ConfigError: If the task has no labels, or not this one.
        """


def checked_window(x: FloatArray) -> FloatArray:
    """Return a window as float32.

    Raises:
        InvalidSignalError: If it is not one row of finite numbers.
    """
    if x.ndim != 1 or len(x) == 0:
        raise InvalidSignalError(
            f"a window must have shape (n_samples,), got {x.shape}; "
            "pass one window of one lead at a time"
        )
    if not np.isfinite(x).all():
        n_bad = int((~np.isfinite(x)).sum())
        raise InvalidSignalError(
            f"a window must be of finite numbers, got {n_bad} that are not; "
            "fill the gaps first"
        )
    return np.asarray(x, dtype=np.float32)


def standardized(x: FloatArray) -> FloatArray:
    """Return a window with mean 0 and deviation 1; a flat one becomes zeros.

    The networks do so themselves, but in float32, and for units of about a millivolt
    or an ADC step.
    """
    centred = x.astype(np.float64) - x.mean(dtype=np.float64)
    deviation = float(centred.std())
    flat = deviation <= 1e-6 * float(np.abs(x).max())
    return np.asarray(centred / (1.0 if flat else deviation) * (not flat), np.float32)
