# SPDX-License-Identifier: Apache-2.0
"""Measures a decoded stream against the original, window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.recording import RecordingInfo, RecordingReader, mv_per_unit
from dynamic_deep.segments import window_bounds

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]

Observer = Callable[[IntArray, IntArray], object]

READ_LEN = 1 << 16  # samples a lead that are read from the original at a time


@dataclass(frozen=True, kw_only=True)
class WindowError:
    """How far one window is from the original; float64 arrays, shape (n_leads,).

    Attributes:
        error_energy: Sum of the squared errors, ADC units squared.
        energies: Sums of squares of the original for PRD, PRD1, PRDN and PRD01: as
            stored, baseline removed, the window's mean removed, its minimum removed.
        max_error: Largest absolute error, ADC units.
    """

    error_energy: FloatArray
    energies: FloatArray
    max_error: FloatArray


PRD_NAMES = ("prd", "prd1", "prdn", "prd01")
PRDN_IDX = PRD_NAMES.index("prdn")


class Comparison:
    """Takes decoded blocks as they come and compares them with the original.

    Args:
        original: The recording that was coded.
        observe: Called with each window as measured and as decoded, two int arrays
            (n_samples, n_leads), ADC units.
    """

    def __init__(
        self, original: RecordingReader, observe: Observer | None = None
    ) -> None:
        self._observe = observe
        self.windows: list[WindowError] = []
        self._info = original.info
        self._original = _Rows(original.blocks(READ_LEN), original.info.n_leads)
        bounds = window_bounds(original.n_samples, original.info.fs)
        self._lengths = [stop - start for start, stop in bounds]
        self._pending: list[IntArray] = []
        self._n_pending = 0

    def write(self, block: IntArray) -> None:
        """Take the next decoded samples, shape (n, n_leads), ADC units."""
        self._pending.append(np.array(block, dtype=np.int64))
        self._n_pending += len(block)
        while self._has_window():
            self._compare(self._lengths[len(self.windows)])

    def _has_window(self) -> bool:
        n_windows = len(self.windows)
        if n_windows == len(self._lengths):
            return False
        return self._n_pending >= self._lengths[n_windows]

    def _compare(self, length: int) -> None:
        rows = np.concatenate(self._pending)
        x_hat, rest = rows[:length], rows[length:]
        self._pending, self._n_pending = [rest], len(rest)
        measured = self._original.take(length)
        if self._observe is not None:
            self._observe(measured, x_hat)
        x = measured.astype(np.float64)
        error = x - x_hat
        baseline = np.asarray(self._info.adc_baseline, dtype=np.float64)
        forms = (x, x - baseline, x - x.mean(axis=0), x - x.min(axis=0))
        self.windows.append(
            WindowError(
                error_energy=np.square(error).sum(axis=0),
                energies=np.array([np.square(form).sum(axis=0) for form in forms]),
                max_error=np.abs(error).max(axis=0, initial=0.0),
            )
        )


class _Rows:
    """Gives any number of rows from blocks of another length."""

    def __init__(self, blocks: Iterator[IntArray], n_leads: int) -> None:
        self._blocks = blocks
        self._rest: IntArray = np.zeros((0, n_leads), dtype=np.int64)

    def take(self, length: int) -> IntArray:
        parts = [self._rest]
        n_rows = len(self._rest)
        while n_rows < length:
            part = next(self._blocks)
            parts.append(part)
            n_rows += len(part)
        rows = np.concatenate(parts)
        self._rest = rows[length:]
        return rows[:length]


def percent(error_energy: FloatArray, energy: FloatArray) -> FloatArray:
    """Return 100 sqrt(error / energy); 0 for no error, infinite for no energy."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt(error_energy / energy) * 100
    return np.where(error_energy == 0, 0.0, ratio)


def uv_per_adu(info: RecordingInfo) -> FloatArray:
    """Return how many uV one ADC unit is, float64 array, shape (n_leads,)."""
    return np.array(
        [
            1000 * mv_per_unit(unit) / abs(gain)
            for unit, gain in zip(info.units, info.adc_gain, strict=True)
        ]
    )
