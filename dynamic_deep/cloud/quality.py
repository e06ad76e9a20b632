# SPDX-License-Identifier: Apache-2.0
"""How much of a decoded window can be trusted, from its samples alone.

Two things are looked for: stretches where nothing moves, as when an electrode has come
off, and stretches that stand at an end of the range, as when an amplifier is
overdriven. Noise that moves is the business of the rhythm task's class ~.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import RecordingInfo, mv_per_unit

IntArray = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]

BLOCK_S = 1.0  # between two beats less than this may be still without harm
FLAT_MV = 0.02  # peak to peak; an R peak has 0.1 and more on any lead in use
FLAT_ADU = 1  # where the unit is no voltage, and for converters coarser than FLAT_MV
CLIPPED_S = 0.1  # no wave of an ECG stays at its top for as long
NEAR_TOP = 0.005  # of the window's range: a plateau is not exact after lossy coding
AWAY = 0.25  # of the window's range, from the median: the baseline is no plateau


@dataclass(frozen=True, kw_only=True)
class WindowQuality:
    """What is wrong with a window.

    Attributes:
        flat_share: share of the samples that lie in blocks of `BLOCK_S` in which the
            signal moves by no more than `FLAT_MV` peak to peak.
        clipped_share: share of the samples that stand at the end of the range of the
            sample's type (WFDB's mark of a missing sample is there), or that stay at
            the window's own extreme for `CLIPPED_S`.
        usable_share: share of the samples that are neither.
    """

    flat_share: float
    clipped_share: float
    usable_share: float


def measure_quality(x: IntArray, info: RecordingInfo, lead: int) -> WindowQuality:
    """Measure a window.

    Args:
        x: int array, shape (n_samples,), ADC units, at least one.
        info: of the recording.
        lead: which lead it is of.
    """
    flat = flat_samples(x, info.fs, flat_range_adu(info, lead))
    clipped = clipped_samples(x, info.fs, info.adc_bits)
    return WindowQuality(
        flat_share=float(flat.mean()),
        clipped_share=float(clipped.mean()),
        usable_share=float((~(flat | clipped)).mean()),
    )


def flat_range_adu(info: RecordingInfo, lead: int) -> float:
    """Return up to which range, in ADC units, a block of a lead counts as flat."""
    try:
        per_mv = abs(info.adc_gain[lead]) / mv_per_unit(info.units[lead])
    except ConfigError:
        return FLAT_ADU
    return max(FLAT_ADU, FLAT_MV * per_mv)


def flat_samples(x: IntArray, fs: float, flat_range: float) -> BoolArray:
    """Tell of each sample whether it lies in a flat block; the last may be longer.

    Args:
        x: int array, shape (n_samples,), ADC units.
        fs: its rate, Hz.
        flat_range: the largest range of a flat block, ADC units.
    """
    block_len = max(1, round(BLOCK_S * fs))
    starts = np.arange(max(1, len(x) // block_len)) * block_len
    high = np.maximum.reduceat(x, starts).astype(np.int64)
    low = np.minimum.reduceat(x, starts).astype(np.int64)
    lengths = np.diff([*starts, len(x)])
    return np.repeat(high - low <= flat_range, lengths)


def clipped_samples(x: IntArray, fs: float, adc_bits: int) -> BoolArray:
    """Tell of each sample whether it stands at an end of the range.

    Args:
        x: int array, shape (n_samples,), ADC units.
        fs: its rate, Hz.
        adc_bits: width of a sample.
    """
    limit = 1 << (adc_bits - 1)
    low, high = int(x.min()), int(x.max())
    clipped = np.zeros(len(x), dtype=np.bool_)
    if low <= -limit or high >= limit - 1:
        clipped |= (x <= -limit) | (x >= limit - 1)
    # Every eighth sample tells the middle as well, in a fifth of the time.
    middle = float(np.median(x[::8]))
    near, away = NEAR_TOP * (high - low), AWAY * (high - low)
    n_stay = max(2, round(CLIPPED_S * fs))
    if high - middle > away:
        clipped |= _long_runs(x >= high - near, n_stay)
    if middle - low > away:
        clipped |= _long_runs(x <= low + near, n_stay)
    return clipped


def _long_runs(flags: BoolArray, min_len: int) -> BoolArray:
    """Keep the runs of True that are long enough."""
    kept = np.zeros(len(flags), dtype=np.bool_)
    at = np.flatnonzero(flags)
    for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1):
        if len(run) >= min_len:
            kept[run] = True
    return kept
