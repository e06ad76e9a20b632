# SPDX-License-Identifier: Apache-2.0
"""What a beat and a disturbance look like on every lead.

Each wave of a beat is a Gaussian in time that belongs to a fixed direction in space; a
lead is a projection of their sum.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from dynamic_deep.recording.base import FloatArray
from dynamic_deep.synthetic.rhythm import RESPIRATION_HZ, Beats, Span

_RAMP_S = 0.4  # fibrillation waves come and go within this time
_BURST_S = 1.2  # standard deviation of a burst of muscle noise
_SETTLE_S = 0.7  # time constant after an electrode jump

# Name -> direction (left, down, front) of the lead.
_LEADS = {
    "II": (0.5, 0.87, 0.0),
    "V1": (-0.5, 0.0, 0.85),
    "V5": (0.9, 0.2, 0.4),
    "I": (1.0, 0.0, 0.0),
    "III": (-0.5, 0.87, 0.0),
    "aVR": (-0.87, -0.5, 0.0),
    "aVL": (0.87, -0.5, 0.0),
    "aVF": (0.0, 1.0, 0.0),
    "V2": (-0.2, 0.1, 0.95),
    "V3": (0.2, 0.15, 0.9),
    "V4": (0.6, 0.2, 0.75),
    "V6": (1.0, 0.2, 0.0),
}

# Centre (s after the R peak), width (s), stretches with sqrt(RR), dipole in mV.
_Wave = tuple[float, float, bool, tuple[float, float, float]]
_P: _Wave = (-0.165, 0.022, False, (0.07, 0.10, 0.03))
_NORMAL: tuple[_Wave, ...] = (
    (-0.028, 0.009, False, (-0.09, -0.08, 0.14)),  # Q
    (0.0, 0.011, False, (0.75, 1.0, -0.55)),  # R
    (0.030, 0.012, False, (-0.15, -0.22, -0.35)),  # S
    (0.270, 0.052, True, (0.13, 0.16, 0.05)),  # T, slow rise
    (0.315, 0.030, True, (0.09, 0.12, 0.05)),  # T, steep fall
)
_ECTOPIC: tuple[_Wave, ...] = (
    (0.0, 0.028, False, (-0.35, 1.35, 1.0)),
    (0.085, 0.034, False, (0.45, -0.75, -0.3)),
    (0.330, 0.070, True, (0.15, -0.40, -0.35)),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoiseLevels:
    """How strong each disturbance is, in mV.

    Attributes:
        wander: Baseline wander, RMS.
        muscle: Muscle noise at rest, RMS; bursts are six times as strong.
        motion: Typical height of an electrode jump, of which there are two a minute.
        mains: Amplitude of the mains hum.
        mains_hz: Frequency of the mains.
    """

    wander: float = 0.05
    muscle: float = 0.008
    motion: float = 0.15
    mains: float = 0.004
    mains_hz: float = 50.0


QUIET = NoiseLevels(wander=0.0, muscle=0.0, motion=0.0, mains=0.0)


def place_leads(
    n_leads: int, rng: np.random.Generator
) -> tuple[tuple[str, ...], FloatArray]:
    """Return name and direction of each lead; past the twelfth at random."""
    names = [*_LEADS, *(f"X{i + 1}" for i in range(len(_LEADS), n_leads))][:n_leads]
    extra = rng.standard_normal((max(n_leads - len(_LEADS), 0), 3)) * 0.6
    directions = np.concatenate([np.array(list(_LEADS.values())), extra])[:n_leads]
    return tuple(names), directions


class Voltages:
    """The voltage of every lead at any time, in mV."""

    def __init__(
        self,
        beats: Beats,
        spans: list[Span],
        directions: FloatArray,
        noise: NoiseLevels,
        rng: np.random.Generator,
    ) -> None:
        self._beats, self._directions, self._noise = beats, directions, noise
        self._afib = [(a, b) for rhythm, a, b in spans if rhythm == "afib"]
        self._rng = rng
        duration_s = spans[-1][2] if spans else 0.0
        n_leads = len(directions)
        self._phases = rng.uniform(0, 2 * np.pi, (n_leads, 16))
        self._jumps_s = np.sort(rng.uniform(0, duration_s, round(duration_s / 30)))
        heights = rng.standard_normal((len(self._jumps_s), n_leads))
        self._jumps_mv = noise.motion * heights
        self._bursts_s = rng.uniform(0, duration_s, round(duration_s / 25))

    def at(self, time_s: FloatArray) -> FloatArray:
        """Return float64 mV, shape (n_times, n_leads)."""
        dipole = self._beat_dipole(time_s) + self._fibrillation(time_s)
        return dipole @ self._directions.T + self._disturb(time_s)

    def _beat_dipole(self, time_s: FloatArray) -> FloatArray:
        """Sum the waves of the beats around each moment: two before, two after."""
        beats = self._beats
        dipole = np.zeros((len(time_s), 3))
        if not len(beats.time_s):
            return dipole
        following = np.searchsorted(beats.time_s, time_s)
        for step in (-2, -1, 0, 1):
            index = np.clip(following + step, 0, len(beats.time_s) - 1)
            valid = index == following + step
            lag = time_s - beats.time_s[index]
            stretch = np.sqrt(np.clip(beats.rr_s[index], 0.4, 1.4))
            scale = beats.strength[index] * valid
            normal = scale * ~beats.ectopic[index]
            _add_waves(dipole, lag, stretch, normal, _NORMAL)
            _add_waves(dipole, lag, stretch, scale * beats.has_p[index], (_P,))
            _add_waves(dipole, lag, stretch, scale * beats.ectopic[index], _ECTOPIC)
        return dipole

    def _fibrillation(self, time_s: FloatArray) -> FloatArray:
        """Return the f-waves: a saw of 5 to 7 Hz that drifts in rate and height."""
        gate = np.zeros(len(time_s))
        for start, stop in self._afib:
            rows = _rows_between(time_s, start, stop)
            inside = time_s[rows]
            rise = np.minimum(inside - start, stop - inside) / _RAMP_S
            gate[rows] += np.clip(rise, 0.0, 1.0)
        if not gate.any():
            return np.zeros((len(time_s), 3))
        turn = 2 * np.pi * 6.1 * time_s + 1.7 * np.sin(2 * np.pi * 0.31 * time_s)
        turn += 0.9 * np.sin(2 * np.pi * 0.83 * time_s + 1.0)
        saw = sum(np.sin(k * turn) / k for k in (1, 2, 3))
        height = 0.055 * (1.0 + 0.4 * np.sin(2 * np.pi * 0.17 * time_s))
        dipole: FloatArray = (gate * saw * height)[:, None] * np.array([0.3, 0.7, 0.8])
        return dipole

    def _disturb(self, time_s: FloatArray) -> FloatArray:
        noise = self._noise
        bursts = np.zeros(len(time_s))
        for centre in self._bursts_s:
            rows = _rows_between(time_s, centre - 5 * _BURST_S, centre + 5 * _BURST_S)
            lag = (time_s[rows] - centre) / _BURST_S
            bursts[rows] += np.exp(-0.5 * lag**2)
        out = np.empty((len(time_s), len(self._directions)))
        for lead, phases in enumerate(self._phases):
            white = self._rng.standard_normal(len(time_s) + 1)
            # The difference leans the noise to high frequencies, as in an EMG.
            muscle = noise.muscle * (white[1:] - 0.6 * white[:-1]) / 1.17
            hum = noise.mains * np.sin(2 * np.pi * noise.mains_hz * time_s + phases[0])
            out[:, lead] = muscle * (1.0 + 6.0 * bursts) + hum
            out[:, lead] += noise.wander * _wander(time_s, phases[1:])
        for moment, heights in zip(self._jumps_s, self._jumps_mv, strict=True):
            rows = _rows_between(time_s, moment, moment + 12 * _SETTLE_S)
            decay = np.exp((moment - time_s[rows]) / _SETTLE_S)
            out[rows] += decay[:, None] * heights
        return out


def _rows_between(time_s: FloatArray, start: float, stop: float) -> slice:
    first, last = np.searchsorted(time_s, (start, stop))
    return slice(int(first), int(last))


def _add_waves(
    dipole: FloatArray,
    lag: FloatArray,
    stretch: FloatArray,
    scale: FloatArray,
    waves: tuple[_Wave, ...],
) -> None:
    if not scale.any():
        return
    for centre, width, stretches, direction in waves:
        factor = stretch if stretches else 1.0
        reach = (lag - centre * factor) / (width * factor)
        dipole += (scale * np.exp(-0.5 * reach**2))[:, None] * np.array(direction)


def _wander(time_s: FloatArray, phases: FloatArray) -> FloatArray:
    """Return a slow curve of RMS near 1: respiration and what is slower than it."""
    curve = 0.7 * np.sin(2 * np.pi * RESPIRATION_HZ * time_s + phases[0])
    for k, phase in enumerate(phases[1:]):
        curve = curve + 0.33 * np.sin(
            2 * np.pi * 0.013 * (k + 1) ** 1.1 * time_s + phase
        )
    return np.asarray(curve)
