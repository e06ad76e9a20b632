# SPDX-License-Identifier: Apache-2.0
"""Sweeps of bounds, of weights and of the number of levels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import choose_all
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.bound_price import certified_price
from dynamic_deep.trials import Trials
from experiments.bootstrap import Bootstrap
from experiments.bound_curves.ladder import (
    NONE,
    Floats,
    Ladder,
    at_levels,
    ladder_of_trials,
    oracle,
    outcome,
)
from experiments.outcome import resolved
from experiments.windows import CINC_TEST, MITDB_TEST

RISK = 0.05
CALIBRATED, WHOLE, TWO, THREE = "calibrated", "whole", "two", "three"
LENIENT = "calibrated, wavelet"
FALLBACK = "wavelet_24"  # of LENIENT, which never sends lossless
AS_PUBLISHED, PAPER_TWO, PAPER_THREE = "published", "paper two", "paper three"
# The paper's oracles: {64, none} and {64, 32, none}; at 32 a bundle has the wavelet.
FEW = {TWO: ("gain_64",), THREE: ("gain_64", "wavelet_32")}


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Bounds that are tried in turn.

    Attributes:
        name: in the results.
        split: of the windows.
        calibration: by whose windows promises are made.
        x: what is swept: the bound, or the weight of the rhythm.
        bounds: one for each x, each on a weighted total.
        column: of a measured table that is the same loss; empty if there is none.
    """

    name: str
    split: str
    calibration: str
    x: tuple[float, ...]
    bounds: tuple[Bound, ...]
    column: str = ""


def _rhythm(reference: str, values: tuple[float, ...]) -> tuple[Bound, ...]:
    return tuple(
        Bound(tasks=("rhythm",), total=value, reference=reference) for value in values
    )


_LABEL = (0.2, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
_RAW = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_PEAKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
_WEIGHTS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
WEIGHTED_BOUND = 0.1
SWEEPS = (
    Sweep(
        name="label",
        split=CINC_TEST,
        calibration="cinc2017",
        x=_LABEL,
        bounds=_rhythm("label", _LABEL),
        column="cce",
    ),
    Sweep(
        name="raw",
        split=CINC_TEST,
        calibration="cinc2017",
        x=_RAW,
        bounds=_rhythm("raw", _RAW),
        column="kl",
    ),
    Sweep(
        name="rpeaks",
        split=MITDB_TEST,
        calibration="mitdb",
        x=_PEAKS,
        bounds=tuple(Bound(tasks=("rpeaks",), total=value) for value in _PEAKS),
    ),
    Sweep(
        name="weights",
        split=CINC_TEST,
        calibration="cinc2017",
        x=_WEIGHTS,
        bounds=tuple(
            Bound(
                tasks=("rhythm", "rpeaks"),
                total=WEIGHTED_BOUND,
                weights={"rhythm": w, "rpeaks": 1.0 - w},
            )
            for w in _WEIGHTS
        ),
    ),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """What a bundle's sweep is made on.

    Attributes:
        test: the windows that figures are of.
        calibration: those that promises are made by.
    """

    test: Trials
    calibration: Trials


def sweep_bundle(sweep: Sweep, ground: Ground) -> dict[str, list[dict[str, Any]]]:
    """Return the points of each choice among a bundle's levels."""
    curves: dict[str, list[dict[str, Any]]] = {}
    draws = Bootstrap(ground.test.records)
    for x, bound in zip(sweep.x, sweep.bounds, strict=True):
        total = bound.total or 0.0
        ladder = ladder_of_trials(ground.test, bound)
        need = Requirement(bound=bound, risk=RISK)
        price = certified_price(need, ground.calibration)
        choices = {CALIBRATED: choose_all(need, ground.test, price)}
        choices |= {WHOLE: oracle(ladder, total)}
        choices |= {k: oracle(ladder, total, names) for k, names in FEW.items()}
        for name, chosen in choices.items():
            point = outcome(ladder, chosen, total, draws)
            curves.setdefault(name, []).append({"x": x, "bound": total} | point)
        if bound.reference == "label":
            point = _lenient(bound, ground, ladder, draws)
            curves.setdefault(LENIENT, []).append({"x": x, "bound": total} | point)
    return curves


def _lenient(
    bound: Bound, ground: Ground, ladder: Ladder, draws: Bootstrap
) -> dict[str, Any]:
    """Return what the calibrated choice comes to with a lossy fallback."""
    need = Requirement(bound=bound, risk=RISK, fallback=FALLBACK)
    price = certified_price(need, ground.calibration)
    chosen = resolved(need, ground.test, choose_all(need, ground.test, price))
    return outcome(ladder, chosen, bound.total or 0.0, draws, is_lenient=True)


def sweep_published(
    sweep: Sweep, ladder: Ladder, foretold: Floats
) -> dict[str, list[dict[str, Any]]]:
    """Return the points of the paper's choice and oracles among its own levels.

    Args:
        sweep: of a rhythm's bound.
        ladder: levels 32, 64 and none.
        foretold: losses of levels 32 and 64 by its heads, (n, 2).
    """
    curves: dict[str, list[dict[str, Any]]] = {}
    draws, names = Bootstrap(ladder.records), ladder.names
    for x in sweep.x:
        is_within = foretold <= x
        best = np.where(is_within[:, 1], 1, np.where(is_within[:, 0], 0, 2))
        choices = {
            AS_PUBLISHED: best,
            PAPER_TWO: oracle(ladder, x, names[1:2]),
            PAPER_THREE: oracle(ladder, x, names[:2]),
        }
        for name, chosen in choices.items():
            point = outcome(ladder, chosen, x, draws)
            curves.setdefault(name, []).append({"x": x, "bound": x} | point)
    return curves


def grow(names: Sequence[str], score: Callable[[list[str]], float]) -> list[str]:
    """Return levels in the order in which each adds most.

    Args:
        names: of all levels.
        score: of a ladder; higher is better.
    """
    grown: list[str] = []
    left = list(names)
    while left:
        best = max(left, key=lambda name: score([*grown, name]))
        grown.append(best)
        left.remove(best)
    return grown


def sweep_ladders(bound: Bound, ground: Ground) -> dict[str, list[dict[str, Any]]]:
    """Return gains by the number of levels, none included, of oracle and calibrated.

    Levels are added in the order that calibration windows prefer.
    """
    need, total = Requirement(bound=bound, risk=RISK), bound.total or 0.0
    known = ground.calibration
    seen = ladder_of_trials(known, bound)
    rows, draws = np.arange(len(known)), Bootstrap(ground.test.records)

    def by_oracle(names: list[str]) -> float:
        return -float(seen.n_bytes[rows, oracle(seen, total, names)].sum())

    def by_calibrated(names: list[str]) -> float:
        part = at_levels(known, names)
        chosen = choose_all(need, part, certified_price(need, part))
        n_bytes = np.column_stack([part.n_bytes, part.lossless_bytes])
        return -float(n_bytes[rows, chosen].sum())

    ladder = ladder_of_trials(ground.test, bound)
    found: dict[str, list[dict[str, Any]]] = {WHOLE: [], CALIBRATED: []}
    for kind, score in ((WHOLE, by_oracle), (CALIBRATED, by_calibrated)):
        order = grow(known.levels, score)
        for n in range(1, len(order) + 1):
            names = order[:n]
            if kind == WHOLE:
                point = outcome(ladder, oracle(ladder, total, names), total, draws)
            else:
                part = at_levels(ground.test, names)
                price = certified_price(need, at_levels(known, names))
                short = ladder_of_trials(part, bound)
                point = outcome(short, choose_all(need, part, price), total, draws)
            added = {"n_levels": n + 1, "added": order[n - 1], "names": [*names, NONE]}
            found[kind].append(added | point)
    return found
