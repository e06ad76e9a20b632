# SPDX-License-Identifier: Apache-2.0
"""What a choice of levels comes to, as plain values for a results file.

The figures are those of `dynamic_deep.evaluation.assess`; their intervals are made from
sums by record, which takes a hundredth of the time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound_choice import level_index, violations
from dynamic_deep.bound_odds import LOSSLESS, Requirement
from dynamic_deep.trials import Trials
from experiments.scores import ScoreBootstrap

IntArray = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Choice:
    """The level of each window.

    Attributes:
        kind: of choice.
        name: for the page.
        chosen: index of a level, or the number of levels for the fallback, (n,).
    """

    kind: str
    name: str
    chosen: IntArray


def plain(value: float) -> float | None:
    """Return a figure to six digits, for JSON; None for NaN."""
    return None if math.isnan(value) else float(f"{value:.6g}")


def triple(values: Sequence[float]) -> list[float | None]:
    """Return a figure and its interval, for JSON."""
    return [plain(value) for value in values]


def resolved(need: Requirement, trials: Trials, chosen: IntArray) -> IntArray:
    """Return the same choice, its lossy fallback by that level's index."""
    if need.fallback == LOSSLESS:
        return chosen
    at = level_index(trials.levels, need.fallback)
    return np.where(chosen == len(trials.levels), at, chosen)


def outcome_of(
    need: Requirement, trials: Trials, choice: Choice, draws: ScoreBootstrap
) -> dict[str, Any]:
    """Return gain, violations, scores and shares of levels.

    Args:
        need: against which violations are counted.
        trials: the windows.
        choice: of their levels.
        draws: of their records.
    """
    rows, names = np.arange(len(trials)), (*trials.levels, LOSSLESS)
    lost = violations(need, trials)[rows, choice.chosen]
    sent = resolved(need, trials, choice.chosen)
    n_bytes = np.column_stack([trials.n_bytes, trials.lossless_bytes])[rows, sent]
    raw_bytes = trials.raw_bytes.astype(np.float64)
    decided = np.column_stack([trials.decided[:, 1:], trials.decided[:, 0]])[rows, sent]
    scores = draws.scores(trials.labels, decided)
    shares = np.bincount(sent, minlength=len(names)) / len(trials)
    return {
        "kind": choice.kind,
        "choice": choice.name,
        "gain": triple(draws.ratio(raw_bytes, n_bytes.astype(np.float64))),
        "over": triple(draws.mean(lost)),
        "weighted_f1": triple(scores["weighted_f1"]),
        "nao_f1": triple(scores["nao_f1"]),
        "levels": {
            name: plain(float(share))
            for name, share in zip(names, shares, strict=True)
            if share
        },
    }
