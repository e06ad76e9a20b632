# SPDX-License-Identifier: Apache-2.0
"""Measures of distortion and of size; numpy only.

Published PRDs differ tenfold by what is subtracted from the signal in the denominator,
so that all four forms are here. With x the signal, x_hat its reconstruction:

    PRD(c) = 100 * sqrt( sum (x - x_hat)^2 / sum (x - c)^2 )

    prd     c = 0                 raw ADC units, offset included: looks best
    prd1    c = the ADC baseline  the value of 0 mV (1024 in MIT-BIH)
    prd01   c = the minimum of x
    prdn    c = the mean of x     the strictest; does not depend on any offset

Arrays may be integer or float and of any shape, as long as both are alike; a measure
is taken over all elements.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import InvalidSignalError

_Signal = npt.ArrayLike
_Floats = npt.NDArray[np.float64]


def prd(x: _Signal, x_hat: _Signal) -> float:
    """Return the percent root-mean-square difference, nothing removed.

    `100 * sqrt(sum (x - x_hat)^2 / sum x^2)`

    Args:
        x: number array, any shape. The signal as measured.
        x_hat: number array, same shape. Its reconstruction.

    Returns:
        Percent; 0 for a perfect reconstruction, infinite if only `x` is all zero.

    Raises:
        InvalidSignalError: If the shapes differ, or there is no sample or a NaN.

    Example:
        >>> prd([3.0, 4.0], [3.0, 3.0])
        20.0
    """
    return prd1(x, x_hat, baseline=0.0)


def prd1(x: _Signal, x_hat: _Signal, *, baseline: float) -> float:
    """Return the PRD with the ADC baseline removed.

    `100 * sqrt(sum (x - x_hat)^2 / sum (x - baseline)^2)`

    Args:
        x: number array, any shape. The signal as measured.
        x_hat: number array, same shape. Its reconstruction.
        baseline: Value of 0 mV, in the unit of `x`.

    Returns:
        Percent.

    Example:
        >>> prd1([1027, 1028], [1027, 1027], baseline=1024)
        20.0
    """
    a, b = _pair(x, x_hat)
    return _percent(_energy(a - b), _energy(a - baseline))


def prd01(x: _Signal, x_hat: _Signal) -> float:
    """Return the PRD with the minimum of the segment removed.

    `100 * sqrt(sum (x - x_hat)^2 / sum (x - min x)^2)`

    Example:
        >>> prd01([2.0, 5.0, 6.0], [2.0, 5.0, 5.0])
        20.0
    """
    a, b = _pair(x, x_hat)
    return _percent(_energy(a - b), _energy(a - a.min()))


def prdn(x: _Signal, x_hat: _Signal) -> float:
    """Return the PRD with the mean removed.

    `100 * sqrt(sum (x - x_hat)^2 / sum (x - mean x)^2)`

    Example:
        >>> prdn([1.0, 5.0, 9.0], [1.0, 5.0 - 2 * 2**0.5, 9.0])
        50.0
    """
    a, b = _pair(x, x_hat)
    return _percent(_energy(a - b), _energy(a - a.mean()))


def rmse(x: _Signal, x_hat: _Signal) -> float:
    """Return the root-mean-square error, in the unit of `x`.

    Example:
        >>> rmse([0, 0, 0, 0], [1, 1, 1, 1])
        1.0
    """
    a, b = _pair(x, x_hat)
    return math.sqrt(_energy(a - b) / a.size)


def snr_db(x: _Signal, x_hat: _Signal) -> float:
    """Return the signal-to-noise ratio in dB, mean removed; infinite without error.

    `10 * log10(sum (x - mean x)^2 / sum (x - x_hat)^2) = -20 * log10(prdn / 100)`

    Example:
        >>> snr_db([1.0, -1.0], [1.1, -0.9])
        20.0
    """
    a, b = _pair(x, x_hat)
    signal, noise = _energy(a - a.mean()), _energy(a - b)
    if not noise:
        return math.inf
    return round(10 * math.log10(signal / noise), 9) if signal else -math.inf


def max_error(x: _Signal, x_hat: _Signal) -> float:
    """Return the largest absolute error of any sample, in the unit of `x`.

    Example:
        >>> max_error([1, 2, 3], [1, 5, 2])
        3.0
    """
    a, b = _pair(x, x_hat)
    return float(np.abs(a - b).max())


def compression_gain(n_samples: int, n_bytes: float, *, adc_bits: int = 16) -> float:
    """Return raw bytes over bytes written: scale, framing and checksums included.

    `n_samples * adc_bits / 8 / n_bytes`

    Args:
        n_samples: Samples of all leads together.
        n_bytes: Bytes written.
        adc_bits: Width of a raw sample; 16 also for 11- and 12-bit converters, since
            that is how they are stored.

    Raises:
        InvalidSignalError: If a number is not positive.

    Example:
        >>> compression_gain(8960, 280)
        64.0
    """
    if n_samples <= 0 or n_bytes <= 0 or adc_bits <= 0:
        raise InvalidSignalError(
            "A gain needs positive numbers of samples, bytes and bits, got "
            f"{n_samples}, {n_bytes}, {adc_bits}; leave out what is empty."
        )
    return n_samples * adc_bits / 8 / n_bytes


def bits_per_sample(n_samples: int, n_bytes: float) -> float:
    """Return the bits written per sample, everything included.

    Example:
        >>> bits_per_sample(8960, 280)
        0.25
    """
    return 16 / compression_gain(n_samples, n_bytes)


def aggregate_gain(sizes: Iterable[tuple[float, float]]) -> float:
    """Return the gain of a set: the sum of raw bytes over the sum of bytes written.

    It is the harmonic mean of the windows' gains, weighted by their length; the
    arithmetic mean of ratios would hide the windows that cost most.

    Args:
        sizes: Pairs of raw bytes and bytes written.

    Raises:
        InvalidSignalError: If the sums are not positive.

    Example:
        >>> aggregate_gain([(1000, 10), (1000, 1000)])  # the mean of ratios is 50.5
        1.9801980198019802
    """
    pairs = list(sizes)
    raw = math.fsum(before for before, _ in pairs)
    written = math.fsum(after for _, after in pairs)
    if raw <= 0 or written <= 0:
        raise InvalidSignalError(
            f"A gain needs bytes before and after, got {raw:g} and {written:g}; give "
            "at least one coded window."
        )
    return raw / written


def _pair(x: _Signal, x_hat: _Signal) -> tuple[_Floats, _Floats]:
    a, b = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    if a.shape != b.shape or not a.size:
        raise InvalidSignalError(
            "Signal and reconstruction must have one shape and a sample at least, got "
            f"{a.shape} and {b.shape}; compare what belongs together."
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InvalidSignalError(
            "Signal and reconstruction must be finite, got NaN or infinity; cut it."
        )
    return a, b


def _energy(values: _Floats) -> float:
    flat = values.ravel()
    return float(np.dot(flat, flat))


def _percent(error: float, signal: float) -> float:
    if not error:
        return 0.0
    return 100 * math.sqrt(error / signal) if signal else math.inf
