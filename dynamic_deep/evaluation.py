# SPDX-License-Identifier: Apache-2.0
"""What a choice of levels comes to over windows, with intervals by record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound_choice import choose_all, level_index, violations
from dynamic_deep.bound_odds import LOSSLESS, Requirement
from dynamic_deep.calibration import Calibration
from dynamic_deep.config import RHYTHM_CLASSES
from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import UNKNOWN, Trials

IntArray = npt.NDArray[np.integer]
FloatArray = npt.NDArray[np.floating]

N_RESAMPLES = 2000
INTERVAL = (2.5, 97.5)  # percentiles
N_CLASSES = len(RHYTHM_CLASSES)
CINC_CLASSES = 3  # A, N, O: the challenge leaves noise out


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A figure with its interval, from a bootstrap by record."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a choice of levels came to.

    Attributes:
        name: of the choice.
        gain: raw bytes over bytes of all frames, framing included.
        violations: share of windows (or segments) over the bound by compression.
        inherent: share of windows over the bound even uncompressed.
        weighted_f1: of the rhythm decided on what was decoded; NaN without labels.
        cinc_f1: mean F1 of N, A and O.
        same_answer: share of windows with the class decided on the raw window; NaN
            without rhythm among the tasks.
        levels: share of windows by level.
    """

    name: str
    gain: Measure
    violations: Measure
    inherent: float
    weighted_f1: Measure
    cinc_f1: Measure
    same_answer: Measure
    levels: dict[str, float]


def choose_oracle(
    requirement: Requirement, trials: Trials, *, names: tuple[str, ...] | None = None
) -> IntArray:
    """Return the fewest bytes that are no violation, window by window.

    Args:
        requirement: bound and fallback; its risk is not used.
        trials: the windows.
        names: levels to choose among; all if None.

    Returns:
        Index of a level, or the number of levels for the fallback, (n,).
    """
    over = violations(requirement, trials)[:, :-1] > 0.0
    is_open = np.full(len(trials.levels), names is None)
    is_open[[level_index(trials.levels, name) for name in names or ()]] = True
    cost = np.where(over | ~is_open, np.inf, trials.n_bytes)
    best = cost.argmin(axis=1)
    return np.where(np.isfinite(cost.min(axis=1)), best, len(trials.levels))


def choose_fixed(trials: Trials, name: str) -> IntArray:
    """Return the same level for every window."""
    return np.full(len(trials), level_index(trials.levels, name))


def best_fixed(requirement: Requirement, calibration: Calibration) -> str | None:
    """Return the level of the highest gain that is certified for the risk.

    As a user without error heads would choose it, with the same promise.
    """
    risks = calibration.level_risks(requirement)
    n_bytes = calibration.trials.n_bytes.sum(axis=0)
    by_bytes = [calibration.trials.levels[i] for i in np.argsort(n_bytes)]
    return next((v for v in by_bytes if risks[v] <= requirement.risk), None)


def assess(
    name: str, requirement: Requirement, trials: Trials, chosen: IntArray
) -> Outcome:
    """Return what a choice comes to.

    Args:
        name: of the choice.
        requirement: against which violations are counted.
        trials: the windows.
        chosen: index of a level of each, or the number of levels for the fallback.
    """
    sent, lost, decided = _sent(requirement, trials, chosen)
    raw = trials.raw_bytes.astype(np.float64)
    groups = _groups(trials.records)
    raw_errors = trials.raw_errors[..., requirement.bound.columns(trials.channels)]
    names = (*trials.levels, requirement.fallback)
    counts = np.bincount(chosen, minlength=len(names)) / len(trials)
    shares: dict[str, float] = {}
    for level, share in zip(names, counts, strict=True):
        if share:
            shares[level] = shares.get(level, 0.0) + float(share)
    known = trials.labels != UNKNOWN
    has_labels = bool(known.any()) and bool((decided != UNKNOWN).all())

    def f1(index: int) -> Callable[[IntArray], float]:
        def score(at: IntArray) -> float:
            at = at[known[at]]
            return rhythm_f1(trials.labels[at], decided[at])[index]

        return score if has_labels else (lambda at: float("nan"))

    is_same = np.where(decided == UNKNOWN, np.nan, decided == trials.decided[:, 0])

    def same(at: IntArray) -> float:
        return float(is_same[at].mean())

    def interval(statistic: Callable[[IntArray], float]) -> Measure:
        return _bootstrap(statistic, groups)

    return Outcome(
        name=name,
        gain=interval(lambda at: float(raw[at].sum() / sent[at].sum())),
        violations=interval(lambda at: float(lost[at].mean())),
        inherent=float(requirement.bound.is_over(np.nan_to_num(raw_errors)).mean()),
        weighted_f1=interval(f1(0)),
        cinc_f1=interval(f1(1)),
        same_answer=interval(same),
        levels=shares,
    )


def assess_calibrated(
    requirement: Requirement, trials: Trials, calibration: Calibration
) -> Outcome:
    """Return what the error heads' choice comes to, as `Calibrated` makes it."""
    if trials.levels != calibration.trials.levels:
        raise ConfigError(
            "windows must be tried at the levels of the calibration "
            f"({', '.join(calibration.trials.levels)}), got {', '.join(trials.levels)}"
        )
    price = calibration.price(requirement)
    return assess(
        "calibrated", requirement, trials, choose_all(requirement, trials, price)
    )


def rhythm_f1(
    labels: npt.NDArray[np.integer], decided: npt.NDArray[np.integer]
) -> tuple[float, float]:
    """Return the weighted F1 and the mean F1 of A, N and O, as tasks/scores.py does."""
    table = np.zeros((N_CLASSES, N_CLASSES))
    np.add.at(table, (labels, decided), 1)
    both = table.sum(axis=0) + table.sum(axis=1)
    scores = 2.0 * np.diag(table) / np.maximum(both, 1)
    weighted = float((scores * table.sum(axis=1)).sum() / max(table.sum(), 1))
    # A class that is neither true nor decided of any window has no F1.
    known = scores[:CINC_CLASSES][both[:CINC_CLASSES] > 0]
    return weighted, float(known.mean()) if len(known) else 0.0


def _sent(
    requirement: Requirement, trials: Trials, chosen: IntArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return bytes, violations and decided classes of what was sent."""
    rows, n_levels = np.arange(len(trials)), len(trials.levels)
    n_bytes = np.concatenate([trials.n_bytes, trials.lossless_bytes[:, None]], axis=1)
    decided = np.concatenate([trials.decided[:, 1:], trials.decided[:, :1]], axis=1)
    loss = violations(requirement, trials)
    if requirement.fallback != LOSSLESS:
        at = level_index(trials.levels, requirement.fallback)
        chosen = np.where(chosen == n_levels, at, chosen)
    return (
        n_bytes[rows, chosen].astype(np.float64),
        loss[rows, chosen],
        decided[rows, chosen].astype(np.int64),
    )


def _groups(records: npt.NDArray[np.str_]) -> list[IntArray]:
    _, inverse = np.unique(records, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    return np.split(order, np.cumsum(np.bincount(inverse))[:-1])


def _bootstrap(
    statistic: Callable[[IntArray], float], groups: list[IntArray]
) -> Measure:
    """Return a statistic of windows and its interval; whole records are drawn."""
    value = statistic(np.concatenate(groups))
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(N_RESAMPLES if np.isfinite(value) else 0):
        picks = rng.integers(len(groups), size=len(groups))
        drawn.append(statistic(np.concatenate([groups[i] for i in picks])))
    low, high = np.percentile(drawn, INTERVAL) if drawn else (value, value)
    return Measure(value=value, low=float(low), high=float(high))
