# SPDX-License-Identifier: Apache-2.0
"""How each judge sees the windows that came one way: their errors and their F1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.evaluation import rhythm_f1
from dynamic_deep.tasks.protocol import Answer
from dynamic_deep.tasks.rhythm import CLASSES
from dynamic_deep.tasks.scores import beat_scores
from experiments.bootstrap import Rows
from experiments.judge_answers import answers_of, judged_windows
from experiments.judges_second import ClassicalPeaks, load_second_rhythm
from experiments.measured import BEAT_TOLERANCE_S
from experiments.transfer.ways import BOUND_NATS, Twice
from experiments.windows import Window

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """What one judge makes of windows, n of them.

    Attributes:
        errors: against its own answer on the raw window, (n,): KL in nats, or 1 - F1 of
            the beats at 50 ms.
        over: 1 where that is more than is allowed, else 0, (n,): over `BOUND_NATS`, or
            any beat that came, went or moved.
    """

    errors: Floats
    over: Floats

    def f1(self, rows: Rows) -> float:
        """Return F1 against the annotators over some of the windows."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, eq=False)
class RhythmView(View):
    """Of the rhythm: F1 of the four classes, weighted.

    Attributes:
        labels: index of the annotated class, (n,).
        decided: index of the class decided, (n,).
    """

    labels: npt.NDArray[np.integer]
    decided: npt.NDArray[np.integer]

    def f1(self, rows: Rows) -> float:
        """Return weighted F1 against the labels."""
        return rhythm_f1(self.labels[rows], self.decided[rows])[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class PeaksView(View):
    """Of the R peaks: F1 of all beats at 150 ms.

    Attributes:
        beats: matched, missed and extra ones, (n, 3).
    """

    beats: Floats

    def f1(self, rows: Rows) -> float:
        """Return F1 of the beats against the annotated ones."""
        matched, missed, extra = self.beats[rows].sum(axis=0)
        return float(2.0 * matched / (2.0 * matched + missed + extra))


Views = dict[str, View]  # by judge: own, second


def rhythm_views(ways: list[Twice]) -> list[Views]:
    """Return how the rhythm is seen, way by way; the raw windows come first."""
    task, raw = load_second_rhythm(), answers_of(ways[0].way)

    def view(own: Twice, said: list[Answer] | None) -> RhythmView:
        errors, decided = own.own.kl, own.own.decided
        if said is not None:
            pairs = zip(raw, said, strict=True)
            errors = np.array([task.error(before, after) for before, after in pairs])
            decided = np.array([CLASSES.index(task.decide(one)) for one in said])
        return RhythmView(
            errors=errors,
            over=(errors > BOUND_NATS).astype(np.float64),
            labels=own.own.labels,
            decided=decided,
        )

    return [
        {"own": view(one, None), "second": view(one, answers_of(one.way))}
        for one in ways
    ]


def peaks_views(ways: list[Twice]) -> list[Views]:
    """Return how the R peaks are seen, way by way; the raw windows come first."""
    task, raw = ClassicalPeaks(), answers_of(ways[0].way)
    windows = judged_windows(ways[0].way.split, ways[0].way.every)

    def view(errors: Floats, beats: Floats) -> View:
        over = (errors > 0.0).astype(np.float64)
        return PeaksView(errors=errors, over=over, beats=beats)

    views: list[Views] = []
    for one in ways:
        said = answers_of(one.way)
        pairs = zip(raw, said, strict=True)
        errors = np.array([task.error(before, after) for before, after in pairs])
        views.append(
            {
                "own": view(one.own.beat_error, one.own.beats[:, :3]),
                "second": view(errors, _counts(windows, said)),
            }
        )
    return views


def _counts(windows: list[Window], said: list[Answer]) -> Floats:
    counts = []
    for window, found in zip(windows, said, strict=True):
        beats = np.empty(0) if window.beats is None else window.beats
        n_samples = window.subject.place.model_len
        scores = beat_scores(beats, found, BEAT_TOLERANCE_S, n_samples=n_samples)
        counts.append((scores.n_matched, scores.n_missed, scores.n_extra))
    return np.array(counts, np.float64)
