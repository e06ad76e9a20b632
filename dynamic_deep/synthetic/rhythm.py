# SPDX-License-Identifier: Apache-2.0
"""Which beat comes when: rhythms as spans of time and the beats that fill them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ConfigError
from dynamic_deep.recording.base import FloatArray

RHYTHMS = ("sinus", "afib", "pvc", "bigeminy", "tachycardia", "bradycardia")
RESPIRATION_HZ = 0.23

_MEAN_RR_S = {"afib": 0.66, "tachycardia": 0.48, "bradycardia": 1.25}
_SINUS_RR_S = 0.84
_PVC_SHARE = 0.12  # of the beats in the rhythm "pvc"

Span = tuple[str, float, float]  # rhythm, start, stop in seconds


@dataclasses.dataclass(frozen=True)
class Beats:
    """One row per beat: R time and RR before it in seconds, kind, strength."""

    time_s: FloatArray
    rr_s: FloatArray
    ectopic: npt.NDArray[np.bool_]
    has_p: npt.NDArray[np.bool_]
    strength: FloatArray


def plan_spans(
    duration_s: float,
    plan: Sequence[tuple[str, float]] | None,
    rng: np.random.Generator,
) -> list[Span]:
    """Return spans of rhythm that cover the duration; see `simulate`."""
    turns = iter(_default_plan(rng)) if plan is None else _repeat(plan)
    spans, start = [], 0.0
    while start < duration_s:
        rhythm, length = next(turns)
        if rhythm not in RHYTHMS or not length > 0:
            raise ConfigError(
                f"A rhythm plan holds pairs of {', '.join(RHYTHMS)} and seconds above "
                f"0, got {(rhythm, length)}; correct the pair."
            )
        stop = min(start + length, duration_s)
        spans.append((rhythm, start, stop))
        start = stop
    return spans


def _repeat(plan: Sequence[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    if not plan:
        raise ConfigError("A rhythm plan must name a rhythm, got none; leave it out.")
    while True:
        yield from plan


def _default_plan(rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    while True:
        for rhythm in rng.permutation(RHYTHMS[1:]):
            yield "sinus", float(rng.uniform(20.0, 60.0))
            yield str(rhythm), float(rng.uniform(20.0, 60.0))


def plan_beats(spans: list[Span], rng: np.random.Generator) -> Beats:
    """Return the beats of all spans, from first to last."""
    rows: list[tuple[float, float, bool, bool, float]] = []
    now = float(rng.uniform(0.1, 0.6))
    pace = float(rng.uniform(0.92, 1.08))  # of this person
    for rhythm, _, stop in spans:
        pause, n_in_span = 1.0, 0
        while now < stop:
            rr = pause * _draw_rr(rhythm, pace, now, rng)
            early = _is_ectopic(rhythm, n_in_span, pause, rng)
            rr *= 0.62 if early else 1.0
            pause = 1.38 if early else 1.0  # the compensatory pause
            now += rr
            strength = 1.0 + 0.05 * np.sin(2 * np.pi * RESPIRATION_HZ * now)
            strength *= 1.0 + 0.02 * rng.standard_normal()
            has_p = rhythm != "afib" and not early
            rows.append((now, rr, early, has_p, float(strength)))
            n_in_span += 1
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return Beats(
        table[:, 0], table[:, 1], table[:, 2] > 0, table[:, 3] > 0, table[:, 4]
    )


def _draw_rr(rhythm: str, pace: float, now: float, rng: np.random.Generator) -> float:
    mean = pace * _MEAN_RR_S.get(rhythm, _SINUS_RR_S)
    if rhythm == "afib":  # every interval on its own
        return max(0.32, float(mean * np.exp(0.22 * rng.standard_normal())))
    sway = 0.035 * np.sin(2 * np.pi * RESPIRATION_HZ * now)
    sway += 0.025 * np.sin(2 * np.pi * 0.095 * now)
    return float(mean * (1.0 + sway + 0.012 * rng.standard_normal()))


def _is_ectopic(
    rhythm: str, n_in_span: int, pause: float, rng: np.random.Generator
) -> bool:
    if rhythm == "bigeminy":
        return n_in_span % 2 == 1
    return rhythm == "pvc" and pause == 1.0 and bool(rng.random() < _PVC_SHARE)
