# SPDX-License-Identifier: Apache-2.0
"""A simulated ECG: rhythm changes, several leads and the noise of a body-worn device.

For the demo and the tests, which must work without any data. The idea of Gaussians
along the beat is that of McSharry et al., "A dynamical model for generating synthetic
electrocardiogram signals", IEEE TBME 50(3), 2003; here they are summed directly, with
no differential equation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from dynamic_deep.recording.base import Recording
from dynamic_deep.synthetic.rhythm import RHYTHMS, plan_beats, plan_spans
from dynamic_deep.synthetic.waves import QUIET, NoiseLevels, Voltages, place_leads

__all__ = [
    "QUIET",
    "RHYTHMS",
    "NoiseLevels",
    "RhythmSpan",
    "SimulatedEcg",
    "simulate",
    "simulate_ecg",
]

_BLOCK_LEN = 1 << 18  # samples made at a time, so that a day fits in memory


@dataclasses.dataclass(frozen=True, kw_only=True)
class RhythmSpan:
    """A stretch of one rhythm, `start` and `stop` in samples."""

    rhythm: str
    start: int
    stop: int


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedEcg:
    """A simulated recording and the truth about it.

    Attributes:
        recording: What a device would have measured.
        rpeaks: int64 array, shape (n_beats,), sample index of each R peak.
        ectopic: bool array, shape (n_beats,), true for ventricular beats.
        rhythms: The spans of rhythm in order; together they cover the recording.
    """

    recording: Recording
    rpeaks: npt.NDArray[np.int64]
    ectopic: npt.NDArray[np.bool_]
    rhythms: tuple[RhythmSpan, ...]


def simulate_ecg(
    duration_s: float,
    fs: float = 300.0,
    *,
    n_leads: int = 1,
    seed: int = 0,
    rhythm_plan: Sequence[tuple[str, float]] | None = None,
    noise: NoiseLevels | None = None,
    adc_gain: float = 1000.0,
    adc_baseline: int = 0,
    start_time: datetime | None = None,
    name: str = "simulated",
) -> Recording:
    """Return a simulated recording; see `simulate` for the arguments.

    Example:
        >>> simulate_ecg(10.0, n_leads=2).samples.shape
        (3000, 2)
    """
    return simulate(
        duration_s,
        fs,
        n_leads=n_leads,
        seed=seed,
        rhythm_plan=rhythm_plan,
        noise=noise,
        adc_gain=adc_gain,
        adc_baseline=adc_baseline,
        start_time=start_time,
        name=name,
    ).recording


def simulate(
    duration_s: float,
    fs: float = 300.0,
    *,
    n_leads: int = 1,
    seed: int = 0,
    rhythm_plan: Sequence[tuple[str, float]] | None = None,
    noise: NoiseLevels | None = None,
    adc_gain: float = 1000.0,
    adc_baseline: int = 0,
    start_time: datetime | None = None,
    name: str = "simulated",
) -> SimulatedEcg:
    """Return a simulated recording with its R peaks and rhythms.

    Args:
        duration_s: Length in seconds.
        fs: Sampling frequency in Hz.
        n_leads: Number of leads; the first twelve bear the names of the standard ones.
        seed: The same seed gives the same recording.
        rhythm_plan: Pairs of a name of `RHYTHMS` and seconds, repeated until the end.
            Without it, half sinus rhythm and half the others, in turns of 20 to 60 s.
        noise: Strength of the disturbances.
        adc_gain: ADC units per mV.
        adc_baseline: ADC value of 0 mV.
        start_time: When the recording begins.
        name: The recording's name.

    Raises:
        ConfigError: If a rhythm is unknown or a duration is not positive.
        InvalidSignalError: If `fs` or `n_leads` is out of range.
    """
    rng = np.random.default_rng(seed)
    n_samples = round(duration_s * fs) if fs > 0 else 0
    spans = plan_spans(duration_s, rhythm_plan, rng)
    beats = plan_beats(spans, rng)
    names, directions = place_leads(n_leads, rng)
    voltages = Voltages(beats, spans, directions, noise or NoiseLevels(), rng)
    samples = np.empty((n_samples, n_leads), np.int16)
    _fill(samples, voltages, fs=fs, adc_gain=adc_gain, adc_baseline=adc_baseline)
    recording = Recording(
        samples=samples,
        fs=fs,
        adc_gain=(adc_gain,) * n_leads,
        adc_baseline=(adc_baseline,) * n_leads,
        units=("mV",) * n_leads,
        lead_names=names,
        start_time=start_time,
        name=name,
    )
    rpeaks = np.rint(beats.time_s * fs).astype(np.int64)
    inside = (rpeaks >= 0) & (rpeaks < n_samples)
    return SimulatedEcg(
        recording=recording,
        rpeaks=rpeaks[inside],
        ectopic=beats.ectopic[inside],
        rhythms=_in_samples(spans, fs, n_samples),
    )


def _in_samples(
    spans: Iterable[tuple[str, float, float]], fs: float, n_samples: int
) -> tuple[RhythmSpan, ...]:
    return tuple(
        RhythmSpan(rhythm=kind, start=round(a * fs), stop=min(round(b * fs), n_samples))
        for kind, a, b in spans
    )


def _fill(
    samples: npt.NDArray[np.int16],
    voltages: Voltages,
    *,
    fs: float,
    adc_gain: float,
    adc_baseline: int,
) -> None:
    """Convert the voltages as an ADC does, which clips at its rails."""
    rails = np.iinfo(samples.dtype)
    for start in range(0, len(samples), _BLOCK_LEN):
        stop = min(start + _BLOCK_LEN, len(samples))
        adc = voltages.at(np.arange(start, stop) / fs) * adc_gain + adc_baseline
        samples[start:stop] = np.clip(np.rint(adc), rails.min, rails.max)
