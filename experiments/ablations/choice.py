# SPDX-License-Identifier: Apache-2.0
"""What the conformal margin is worth, and what errors are measured against."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import choose_all, violations
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.evaluation import Outcome, assess
from dynamic_deep.trials import Trials
from experiments.bundle_trials import bundle_trials, load_calibrated

RISK = 0.05
BOUNDS_NATS = (0.05, 0.1, 0.2, 0.5)
LOSSY_FALLBACK = "wavelet_24"
# The paper's bound is on the cross-entropy to the label, that of the project on KL.
REFERENCES = (("raw", (0.1, 0.3)), ("label", (0.75, 1.0)))


def rhythm_requirement(
    nats: float, *, risk: float = RISK, reference: str = "raw", fallback: str = ""
) -> Requirement:
    """Return a bound on the rhythm alone."""
    bound = Bound(tasks=("rhythm",), limits={"rhythm": nats}, reference=reference)
    return Requirement(bound=bound, risk=risk, fallback=fallback or "lossless")


def choose_plainly(
    requirement: Requirement, trials: Trials
) -> npt.NDArray[np.integer[Any]]:
    """Return the fewest bytes whose foretold error is within the bound, no margin."""
    bound = requirement.bound
    center = trials.center[:, 1:, bound.columns(trials.channels)]
    is_open = ~bound.is_over(np.exp(center))
    cost = np.where(is_open, trials.n_bytes, np.inf)
    best = cost.argmin(axis=1)
    return np.where(np.isfinite(cost.min(axis=1)), best, len(trials.levels))


def margin_rows(bundle: str, split: str) -> list[dict[str, Any]]:
    """Compare a choice without a margin and one that is calibrated.

    The third choice of each bound is calibrated to a risk of as many violations as the
    first makes among the calibration's windows.
    """
    trials, calibration = bundle_trials(bundle, split), load_calibrated(bundle)
    rows = []
    for nats in BOUNDS_NATS:
        asked = rhythm_requirement(nats)
        plain = choose_plainly(asked, trials)
        rows.append(_row("no margin", asked, trials, plain))
        price = calibration.price(asked)
        chosen = choose_all(asked, trials, price)
        rows.append(_row("calibrated", asked, trials, chosen))
        risk = _plain_risk(asked, calibration.trials)
        same = rhythm_requirement(nats, risk=risk)
        chosen = choose_all(same, trials, calibration.price(same))
        rows.append(_row("calibrated, same risk", same, trials, chosen))
    return rows


def _plain_risk(requirement: Requirement, trials: Trials) -> float:
    lost = violations(requirement, trials)
    chosen = choose_plainly(requirement, trials)
    share = float(lost[np.arange(len(trials)), chosen].mean())
    return float(np.clip(share, 1.0 / len(trials), 0.5))


def _row(
    name: str,
    requirement: Requirement,
    trials: Trials,
    chosen: npt.NDArray[np.integer[Any]],
) -> dict[str, Any]:
    outcome = assess(name, requirement, trials, chosen)
    (nats,) = requirement.bound.limits.values()
    return {
        "choice": name,
        "reference": requirement.bound.reference,
        "fallback": requirement.fallback,
        "bound_nats": nats,
        "risk": requirement.risk,
        "inherent": outcome.inherent,
        "lossless": outcome.levels.get("lossless", 0.0),
    } | _measures(outcome)


def _measures(outcome: Outcome) -> dict[str, list[float]]:
    names = ("gain", "violations", "weighted_f1", "same_answer")
    return {name: [*asdict(getattr(outcome, name)).values()] for name in names}


def reference_rows(bundle: str, split: str) -> list[dict[str, Any]]:
    """Compare the raw window's answer and the label as what errors are measured by."""
    trials, calibration = bundle_trials(bundle, split), load_calibrated(bundle)
    rows = []
    for reference, bounds in REFERENCES:
        for nats in bounds:
            for fallback in ("lossless", LOSSY_FALLBACK):
                asked = rhythm_requirement(nats, reference=reference, fallback=fallback)
                chosen = choose_all(asked, trials, calibration.price(asked))
                rows.append(_row("calibrated", asked, trials, chosen))
    return rows
