# SPDX-License-Identifier: Apache-2.0
"""Noise of an ambulatory ECG: three models of it, or the records of nstdb.

The MIT-BIH Noise Stress Test Database (Moody, Muldrow, Mark: A noise stress test for
arrhythmia detectors, Computers in Cardiology 11, 1984) holds half an hour each of
baseline wander `bw`, muscle noise `ma` and electrode motion `em`. Where a user has it,
random stretches of it are taken. Without it three models stand in:

bw  Gaussian noise of 0.05 to 0.7 Hz whose amplitude falls as 1/f. Wander lies below 0.5
    to 0.8 Hz (van Alsté, Schilder: Removal of base-line wander and power-line
    interference from the ECG, IEEE TBME 32(12), 1985); nstdb has none below 0.05 Hz.
ma  Gaussian noise with the spectrum of a surface electromyogram,
    f_h^4 f^2 / ((f^2 + f_l^2) (f^2 + f_h^2)^2) (Shwedyk, Balasubramanian, Scott: A
    nonstationary model for the electromyogram, IEEE TBME 24(5), 1977), from 10 Hz to
    the end of the band, under an envelope of bursts. f_l = 30 and f_h = 60 Hz, half of
    what simulations of limb muscles take, so that most of it lies in an ECG's band.
em  Sparse events, 40 a minute at random times: a step that decays (skin stretched,
    then an AC-coupled amplifier), and on it a swing of 1.5 to 8 Hz that dies away, in
    the band of QRS complexes and T waves (Thakor, Webster, Tompkins: Estimation of QRS
    complex power spectra for design of a QRS filter, IEEE TBME 31(11), 1984; Tam,
    Webster: Minimizing electrode motion artifact by skin abrasion, TBME 24(2), 1977).

The forms are from there; corner frequencies of `ma`, rates, decays and the envelope are
ours, no fit to any record.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ConfigError

Floats = npt.NDArray[np.float64]

KINDS = {"bw": "baseline wander", "ma": "muscle noise", "em": "electrode motion"}

WANDER_HZ = (0.05, 0.7)
MUSCLE_LOW_HZ, MUSCLE_HIGH_HZ, MUSCLE_FROM_HZ = 30.0, 60.0, 10.0
REST = 0.25  # of the muscle noise between bursts, as a share of a burst's amplitude
BURSTS_A_MINUTE, BURST_S = 15.0, (0.5, 4.0)
EVENTS_A_MINUTE = 40.0
STEP_DECAY_S, SWING_HZ, SWING_DECAY_S = (0.2, 1.0), (1.5, 8.0), (0.1, 0.4)
LEAD_IN_S = 5.0  # made before the window, so that events before it still echo


class NoiseSource(Protocol):
    """Where noise comes from."""

    @property
    def name(self) -> str:
        """What it is, for readers."""

    @property
    def identity(self) -> str:
        """What decides its output, beside the generator."""

    def draw(
        self, kind: str, n_samples: int, fs: float, rng: np.random.Generator
    ) -> Floats:
        """Return a stretch of noise.

        Args:
            kind: one of `KINDS`.
            n_samples: how long.
            fs: rate in Hz.
            rng: decides all of it.

        Returns:
            float64, (n_samples,), of no certain amplitude, mean 0.
        """


@dataclass(frozen=True)
class ModelNoise:
    """The three models."""

    name: str = "models"
    identity: str = "models 1"  # count up when a model changes

    def draw(
        self, kind: str, n_samples: int, fs: float, rng: np.random.Generator
    ) -> Floats:
        """Return a stretch of noise; see `NoiseSource`."""
        if kind == "bw":
            x = _shaped(n_samples, fs, rng, _wander_amplitude)
        elif kind == "ma":
            x = _shaped(n_samples, fs, rng, _muscle_amplitude)
            x = x * _envelope(n_samples, fs, rng)
        elif kind == "em":
            x = _motion(n_samples, fs, rng)
        else:
            raise ConfigError(_unknown(kind))
        return np.asarray(x - x.mean())


@dataclass(frozen=True)
class RecordedNoise:
    """The records bw, ma and em of nstdb.

    Args:
        folder: that holds them.

    Raises:
        ConfigError: If one is missing.
    """

    folder: Path
    name: str = "nstdb"
    _leads: dict[str, tuple[Floats, float]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Read the records."""
        from dynamic_deep.recording import read_recording

        for kind in KINDS:
            path = self.folder / f"{kind}.hea"
            if not path.is_file():
                raise ConfigError(
                    f"--nstdb must name a folder with the records {', '.join(KINDS)}, "
                    f"got {self.folder}, which has no {path.name}; fetch them from "
                    "physionet.org/content/nstdb/1.0.0, or leave it out for models"
                )
            recording = read_recording(path)
            self._leads[kind] = recording.samples.astype(np.float64), recording.fs

    @property
    def identity(self) -> str:
        """Hash of the records."""
        digest = hashlib.sha256()
        for kind in KINDS:
            digest.update(self._leads[kind][0].tobytes())
        return f"nstdb {digest.hexdigest()[:16]}"

    def draw(
        self, kind: str, n_samples: int, fs: float, rng: np.random.Generator
    ) -> Floats:
        """Return a stretch of noise; see `NoiseSource`."""
        from scipy.signal import resample_poly

        if kind not in self._leads:
            raise ConfigError(_unknown(kind))
        samples, own_fs = self._leads[kind]
        length = math.ceil(n_samples * own_fs / fs) + 1
        if length > len(samples):
            raise ConfigError(
                f"a noise record must last {length / own_fs:.0f} s at least, {kind} of "
                f"{self.folder} has {len(samples) / own_fs:.0f} s; fetch it again"
            )
        start = int(rng.integers(len(samples) - length + 1))
        x = samples[start : start + length, int(rng.integers(samples.shape[1]))]
        if own_fs != fs:
            ratio = Fraction(fs / own_fs).limit_denominator(3000)
            x = resample_poly(x - x.mean(), ratio.numerator, ratio.denominator)
        return np.asarray(x[:n_samples] - x[:n_samples].mean())


def load_source(nstdb: Path | None) -> NoiseSource:
    """Return the recorded noise of a folder, or the models if there is none."""
    return ModelNoise() if nstdb is None else RecordedNoise(nstdb)


def _unknown(kind: str) -> str:
    return f"a kind of noise must be one of {', '.join(KINDS)}; got {kind!r}"


def _shaped(
    n_samples: int,
    fs: float,
    rng: np.random.Generator,
    amplitude: Callable[[Floats], Floats],
) -> Floats:
    """Return Gaussian noise of a spectrum; made long, so that its ends do not meet."""
    n_long = 2 * n_samples + int(2 * LEAD_IN_S * fs)
    spectrum = np.fft.rfft(rng.standard_normal(n_long))
    hertz = np.asarray(np.fft.rfftfreq(n_long, 1.0 / fs), np.float64)
    x = np.fft.irfft(spectrum * amplitude(hertz), n_long)[:n_samples]
    return np.asarray(x / x.std())


def _wander_amplitude(hertz: Floats) -> Floats:
    low, high = WANDER_HZ
    inside = (hertz >= low) & (hertz <= high)
    return np.where(inside, low / np.maximum(hertz, low), 0.0)


def _muscle_amplitude(hertz: Floats) -> Floats:
    low, high = MUSCLE_LOW_HZ**2, MUSCLE_HIGH_HZ**2
    square = hertz**2
    power = high**2 * square / ((square + low) * (square + high) ** 2)
    return np.where(hertz >= MUSCLE_FROM_HZ, np.sqrt(power), 0.0)


def _times(
    a_minute: float, n_samples: int, fs: float, rng: np.random.Generator
) -> Floats:
    """Return when events happen, in seconds; some lie before the first sample."""
    lasts = n_samples / fs + LEAD_IN_S
    n_events = max(1, int(rng.poisson(a_minute * lasts / 60.0)))
    return np.sort(rng.uniform(-LEAD_IN_S, n_samples / fs, n_events))


def _envelope(n_samples: int, fs: float, rng: np.random.Generator) -> Floats:
    t = np.arange(n_samples) / fs
    envelope = np.full(n_samples, REST)
    for start in _times(BURSTS_A_MINUTE, n_samples, fs, rng):
        width, height = rng.uniform(*BURST_S), rng.uniform(0.3, 1.0)
        inside = np.clip((t - start) / width, 0.0, 1.0)
        envelope = np.maximum(envelope, height * np.sin(np.pi * inside))
    return envelope


def _motion(n_samples: int, fs: float, rng: np.random.Generator) -> Floats:
    t = np.arange(n_samples) / fs
    x = np.zeros(n_samples)
    for start in _times(EVENTS_A_MINUTE, n_samples, fs, rng):
        step, swing = rng.standard_normal(2)
        decay, swing_decay = rng.uniform(*STEP_DECAY_S), rng.uniform(*SWING_DECAY_S)
        hertz = rng.uniform(*SWING_HZ)
        lag = np.maximum(t - start, 0.0)
        begun = t >= start
        x += begun * step * np.exp(-lag / decay)
        x += (
            begun * swing * np.sin(2 * np.pi * hertz * lag) * np.exp(-lag / swing_decay)
        )
    return x
