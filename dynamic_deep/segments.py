# SPDX-License-Identifier: Apache-2.0
"""From a lead at its own rate to windows at the model's rate, and back.

Every window is resampled on its own, so that a window decodes alone and a stream gives
the same bytes as a file.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import (
    MAX_FS,
    MIN_FS,
    MIN_TAIL_LEN,
    MODEL_FS,
    SEGMENT_LEN,
    WINDOW_LEN,
)
from dynamic_deep.errors import InvalidSignalError

FloatArray = npt.NDArray[np.float32]

# Ratios of rates are reduced to small integers; 1/1000 of error in the ratio would be
# 30 ms in a window, 1/10000 is 3 ms at the very end and none for any common rate.
_MAX_DENOMINATOR = 3000


def check_fs(fs: float) -> float:
    """Return `fs` as a float, or raise `InvalidSignalError` if it can't be used."""
    fs = float(fs)
    if not math.isfinite(fs) or not MIN_FS <= fs <= MAX_FS:
        raise InvalidSignalError(
            f"fs must lie between {MIN_FS:g} and {MAX_FS:g} Hz, got {fs:g}; "
            "state the sampling frequency of the recording"
        )
    return fs


def window_start(window_idx: int, fs: float) -> int:
    """Return the sample, at `fs`, that window `window_idx` begins with."""
    return math.floor(window_idx * WINDOW_LEN * fs / MODEL_FS + 0.5)


def min_tail_len(fs: float) -> int:
    """Return how many samples at `fs` a last window must have to stand alone."""
    return math.ceil(MIN_TAIL_LEN * fs / MODEL_FS)


def window_bounds(n_samples: int, fs: float) -> list[tuple[int, int]]:
    """Return (start, stop) of every window of a lead, in samples at `fs`.

    A last stretch shorter than `min_tail_len` joins the window before it.

    Example:
        >>> window_bounds(9000, 300.0)
        [(0, 9000)]
        >>> window_bounds(650000, 360.0)[-1]
        (645120, 650000)
    """
    n_whole = 0
    while window_start(n_whole + 1, fs) <= n_samples:
        n_whole += 1
    starts = [window_start(i, fs) for i in range(n_whole)]
    tail = n_samples - window_start(n_whole, fs)
    if tail > 0 and (n_whole == 0 or tail >= min_tail_len(fs)):
        starts.append(window_start(n_whole, fs))
    return list(zip(starts, [*starts[1:], n_samples], strict=True)) if starts else []


def model_len(n_samples: int, fs: float) -> int:
    """Return the length at the model's rate of `n_samples` at `fs`.

    A window between two `window_start`s is WINDOW_LEN whichever way its ends were
    rounded.

    Example:
        >>> model_len(10752, 360.0), model_len(1494, 50.0)
        (8960, 8960)
    """
    length = max(1, math.floor(n_samples * MODEL_FS / fs + 0.5))
    if abs(length - WINDOW_LEN) <= math.ceil(MODEL_FS / fs):
        return WINDOW_LEN
    return length


def n_segments(n_samples: int, fs: float) -> int:
    """Return how many segments a window of `n_samples` at `fs` fills."""
    return -(-model_len(n_samples, fs) // SEGMENT_LEN)


@functools.cache
def _ratio(fs: float) -> Fraction:
    return Fraction(MODEL_FS / fs).limit_denominator(_MAX_DENOMINATOR)


def to_model_rate(x: npt.NDArray[np.float64], fs: float) -> FloatArray:
    """Resample a window to the model's rate.

    Args:
        x: float array, shape (n_samples,), any unit.
        fs: its rate in Hz.

    Returns:
        float32 array, shape (model_len(n_samples, fs),), the same unit.
    """
    return _resample(x, _ratio(fs), model_len(len(x), fs))


def from_model_rate(x: FloatArray, fs: float, n_samples: int) -> FloatArray:
    """Resample a window at the model's rate back to `n_samples` at `fs`."""
    return _resample(x, 1 / _ratio(fs), n_samples)


@functools.lru_cache(maxsize=32)
def _low_pass(up: int, down: int) -> FloatArray:
    """Return the filter that `resample_poly` would design anew for every window."""
    from scipy.signal import firwin

    slower = max(up, down)
    taps = firwin(2 * 10 * slower + 1, 1.0 / slower, window=("kaiser", 5.0))
    return np.asarray(taps, dtype=np.float32)


def _resample(x: npt.NDArray[np.floating], ratio: Fraction, n_out: int) -> FloatArray:
    if ratio == 1:
        short = max(0, n_out - len(x))
        return np.pad(x[:n_out].astype(np.float32), (0, short), mode="edge")
    from scipy.signal import resample_poly

    up, down = ratio.numerator, ratio.denominator
    # The filter reaches 10 samples of the slower rate; reflected ends keep it from
    # seeing a step that is not in the signal. A whole number of periods of the ratio
    # keeps the first output sample on the first input sample.
    pad = down * math.ceil(11 * max(1, down / up) / down)
    # The filter keeps a constant only within a thousandth, and an electrode may add
    # a thousand times the ECG.
    mean = float(np.mean(x, dtype=np.float64))
    centred = (x - mean).astype(np.float32)
    whole = np.pad(centred, pad, mode="reflect", reflect_type="odd")
    y = resample_poly(whole, up, down, window=_low_pass(up, down))
    first = pad * up // down
    return np.asarray(y[first : first + n_out] + mean, dtype=np.float32)
