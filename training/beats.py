# SPDX-License-Identifier: Apache-2.0
"""How well the R peaks of a bundle are those that MIT-BIH's annotators saw.

    python -m training beats monitor

Lead 0 on the raw signal, window by window as in use, joined to one list a record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import MODEL_FS
from dynamic_deep.evaluation import INTERVAL, N_RESAMPLES, Measure
from dynamic_deep.segments import window_bounds
from dynamic_deep.tasks import load_task
from dynamic_deep.tasks.peaks import join_peaks
from dynamic_deep.tasks.scores import BeatScores, beat_scores
from training.datasets import load_leads
from training.task_windows import beat_times

TOLERANCE_S = 0.15  # the usual one, ANSI/AAMI EC57
FIGURES: dict[str, Callable[[BeatScores], float]] = {
    "F1": lambda scores: scores.f1,
    "sensitivity": lambda scores: scores.sensitivity,
    "positive predictive value": lambda scores: scores.ppv,
    "jitter, ms": lambda scores: scores.jitter_ms,
}


def score_beats(bundle: Bundle, split: str) -> list[BeatScores]:
    """Return the scores of each record of a split of MIT-BIH.

    Raises:
        ConfigError: If the bundle has no task rpeaks, or there is no such split.
    """
    task = load_task(bundle, "rpeaks")
    scores = []
    for lead in load_leads("mitdb", split):
        if lead.lead != 0:
            continue
        bounds = window_bounds(len(lead.x), MODEL_FS)
        found = [task.answer(lead.x[start:end]) for start, end in bounds]
        joined = join_peaks(found, [float(start) for start, _ in bounds])
        scores.append(beat_scores(beat_times(lead.record), joined, TOLERANCE_S))
    return scores


def summed_up(scores: Sequence[BeatScores]) -> dict[str, Measure]:
    """Return each figure over all beats, with its interval, a bootstrap by record."""
    rng = np.random.default_rng(0)
    draws = rng.integers(len(scores), size=(N_RESAMPLES, len(scores)))
    drawn = [sum((scores[i] for i in draw), BeatScores()) for draw in draws]
    whole = sum(scores, BeatScores())
    measures = {}
    for name, figure in FIGURES.items():
        low, high = np.percentile([figure(v) for v in drawn], INTERVAL)
        measures[name] = Measure(value=figure(whole), low=float(low), high=float(high))
    return measures
