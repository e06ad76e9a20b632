# SPDX-License-Identifier: Apache-2.0
"""How well a task does over many windows. Formulas: docs/glossary.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamic_deep.config import MODEL_FS
from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks.peaks import PeakTimes, match_peaks, unmatched_peaks
from dynamic_deep.tasks.rhythm import CLASSES

CHALLENGE_CLASSES = ("A", "N", "O")


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


@dataclass(frozen=True, kw_only=True)
class RhythmScores:
    """F1 of a set of windows.

    Attributes:
        f1: by class; nan where a class is neither true nor decided of any window.
        weighted_f1: weighted by how many windows truly are of a class.
        macro_f1: plain mean over the classes whose F1 is not nan.
        mean_nao: the same over N, A and O, the measure of the CinC 2017 challenge.
        n_windows: how many windows.
    """

    f1: dict[str, float]
    weighted_f1: float
    macro_f1: float
    mean_nao: float
    n_windows: int


def rhythm_scores(true: Sequence[str], decided: Sequence[str]) -> RhythmScores:
    """Score the decisions on a set of windows.

    Args:
        true: the class of each window, one of A, N, O, ~.
        decided: what the task took it for.

    Raises:
        ConfigError: If there are no windows, not as many of both, or unknown classes.
    """
    if not true or len(true) != len(decided):
        raise ConfigError(
            "rhythm scores must have as many true classes as decided ones, at least "
            f"one; got {len(true)} and {len(decided)}"
        )
    unknown = set(true).union(decided).difference(CLASSES)
    if unknown:
        raise ConfigError(
            f"a rhythm must be one of {', '.join(CLASSES)}; "
            f"got {', '.join(sorted(unknown))}"
        )
    f1, n_true = {}, {}
    for name in CLASSES:
        n_true[name] = sum(a == name for a in true)
        n_both = sum(a == b == name for a, b in zip(true, decided, strict=True))
        n_decided = sum(b == name for b in decided)
        f1[name] = _ratio(2.0 * n_both, n_true[name] + n_decided)
    weighted = sum(f1[name] * n for name, n in n_true.items() if n)
    return RhythmScores(
        f1=f1,
        weighted_f1=weighted / len(true),
        macro_f1=_mean([f1[name] for name in CLASSES]),
        mean_nao=_mean([f1[name] for name in CHALLENGE_CLASSES]),
        n_windows=len(true),
    )


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return _ratio(sum(known), len(known))


@dataclass(frozen=True, kw_only=True)
class BeatScores:
    """Counts of beats, and what follows from them; those of two sets add up.

    Attributes:
        n_matched: beats with a partner.
        n_missed: of the reference, without one.
        n_extra: found, without one.
        squared_ms: sum of the squared distances of partners.
    """

    n_matched: int = 0
    n_missed: int = 0
    n_extra: int = 0
    squared_ms: float = 0.0

    def __add__(self, other: BeatScores) -> BeatScores:
        """Return the scores of both sets together."""
        return BeatScores(
            n_matched=self.n_matched + other.n_matched,
            n_missed=self.n_missed + other.n_missed,
            n_extra=self.n_extra + other.n_extra,
            squared_ms=self.squared_ms + other.squared_ms,
        )

    @property
    def sensitivity(self) -> float:
        """Share of the reference's beats that were found; nan if it has none."""
        return _ratio(self.n_matched, self.n_matched + self.n_missed)

    @property
    def ppv(self) -> float:
        """Share of the found beats that are in the reference; nan if none was found."""
        return _ratio(self.n_matched, self.n_matched + self.n_extra)

    @property
    def f1(self) -> float:
        """Both in one; nan if there is no beat at all."""
        return _ratio(
            2.0 * self.n_matched, 2 * self.n_matched + self.n_missed + self.n_extra
        )

    @property
    def jitter_ms(self) -> float:
        """Root mean square of the distances of partners; nan if there are none."""
        return math.sqrt(_ratio(self.squared_ms, self.n_matched))


def beat_scores(
    reference: PeakTimes,
    found: PeakTimes,
    tolerance_s: float,
    *,
    n_samples: int | None = None,
) -> BeatScores:
    """Compare two lists of R peaks.

    Args:
        reference: samples at the model's rate, ascending.
        found: the same.
        tolerance_s: how far partners may lie apart: 0.15, or 0.05.
        n_samples: length of the window whose edge excuses a lone beat; None for a
            whole record, where none is excused.
    """
    pairs = match_peaks(reference, found, tolerance_s)
    missed, extra = unmatched_peaks(reference, found, tolerance_s, n_samples=n_samples)
    first, second = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    apart = (np.asarray(found)[second] - np.asarray(reference)[first]) / MODEL_FS
    return BeatScores(
        n_matched=len(pairs),
        n_missed=len(missed),
        n_extra=len(extra),
        squared_ms=float(np.square(1000.0 * apart).sum()),
    )
