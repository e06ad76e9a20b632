# SPDX-License-Identifier: Apache-2.0
"""Noise added to a window at a signal-to-noise ratio, as `nst` of WFDB defines it.

    SNR = 10 log10(S / N)

S is P^2 / 8, P the peak-to-peak amplitude of the QRS complexes: the range from 50 ms
before to 50 ms after each beat, the largest and the smallest 5 % left out, mean of the
others. N is n^2, n the root mean square of one-second stretches with the mean of each
removed, left out and averaged alike; so wander slower than a second counts little, and
0 dB of it is a far larger swing than 0 dB of muscle noise.

Here S and N are measured in each window of 30 s, not once a record.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import MODEL_FS
from dynamic_deep.errors import InvalidSignalError
from dynamic_deep.trials import Subject

Floats = npt.NDArray[np.float64]

QRS_S = 0.05  # on either side of a beat
CHUNK_S = 1.0
TRIMMED = 0.05
MIN_BEATS = 3
# Without beats: in so long a stretch every heart beats, and its range holds a QRS.
STRETCH_S = 2.0


def signal_power(
    x: npt.NDArray[np.integer], fs: float, beats: npt.NDArray[np.floating]
) -> float:
    """Return S of a window.

    Args:
        x: int array, (n_samples,), ADC units.
        fs: its rate in Hz.
        beats: float array, (n_beats,), samples at the model's rate. With fewer than
            three, the ranges of stretches of 2 s stand in for those of the beats.

    Returns:
        ADC units squared.
    """
    reach = max(1, round(QRS_S * fs))
    at = np.rint(np.asarray(beats) * (fs / MODEL_FS)).astype(np.intp)
    at = at[(at >= reach) & (at < len(x) - reach)]
    if len(at) >= MIN_BEATS:
        parts = [x[i - reach : i + reach + 1] for i in at]
    else:
        parts = _chunks(x, STRETCH_S, fs)
    return _trimmed_mean([float(np.ptp(part)) for part in parts]) ** 2 / 8.0


def noise_power(noise: Floats, fs: float) -> float:
    """Return N of a stretch of noise: float64, (n_samples,), any unit, squared."""
    return (
        _trimmed_mean([float(part.std()) for part in _chunks(noise, CHUNK_S, fs)]) ** 2
    )


def add_noise(
    subject: Subject, noise: Floats, *, power: float, snr_db: float
) -> Subject:
    """Return a window with noise, within the range of its samples.

    Args:
        subject: the window.
        noise: float64, (n_samples,), of any amplitude.
        power: S of the window, ADC units squared.
        snr_db: what the ratio shall be.

    Raises:
        InvalidSignalError: If the noise is silent, or the window has no amplitude.
    """
    fs, limit = subject.place.fs, 1 << (subject.place.adc_bits - 1)
    unscaled = noise_power(noise, fs)
    if not (unscaled > 0.0 and power > 0.0):
        raise InvalidSignalError(
            "a signal-to-noise ratio needs power in signal and noise, got "
            f"{power:g} and {unscaled:g} in {subject.record}; leave the window out"
        )
    amplitude = math.sqrt(power / unscaled) * 10.0 ** (-snr_db / 20.0)
    x = np.rint(subject.x + amplitude * noise)
    return replace(subject, x=np.clip(x, -limit, limit - 1).astype(np.int32))


def _chunks(x: npt.NDArray[Any], lasts_s: float, fs: float) -> list[npt.NDArray[Any]]:
    length = round(lasts_s * fs)
    return [x[i : i + length] for i in range(0, max(len(x) - length, 0) + 1, length)]


def _trimmed_mean(values: list[float]) -> float:
    n_cut = round(TRIMMED * len(values))
    return float(np.mean(np.sort(values)[n_cut : len(values) - n_cut]))
