# SPDX-License-Identifier: Apache-2.0
"""The ways of sending that are judged twice, with what the own judge said of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import choose_all
from dynamic_deep.bound_odds import LOSSLESS, Requirement
from experiments.bundle_trials import bundle_trials, load_calibrated
from experiments.coders.levels import CLASSICAL, LevelCoder
from experiments.coders.roster import bundle_sources
from experiments.judge_answers import Way
from experiments.measured import Measured, gather
from experiments.measuring import RAW, Wanted, measure_all

OWN = "monitor"  # the bundle whose tasks its levels were trained with
CHOSEN = "monitor chosen"
BOUND_NATS, RISK = 0.1, 0.05
SOURCES = (*bundle_sources(OWN), "standard")
LEVELS = {
    "monitor": ("gain_64", "gain_128", "gain_288", "gain_704"),
    "standard": ("gain_64", "gain_128", "gain_256"),
    "wavelet": ("wavelet_32", "wavelet_64", "wavelet_128", "wavelet_256"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Twice:
    """One way of sending, and the table of the own judge.

    Attributes:
        family: the curve that it is a point of: raw, monitor, standard, wavelet, or
            chosen.
        way: to ask the second judge about.
        own: the windows as the bundle's tasks measure them.
    """

    family: str
    way: Way
    own: Measured


def ways_of(split: str, judge: str, *, every: int = 1) -> list[Twice]:
    """Return what is judged twice, the raw windows first.

    Args:
        split: such as "cinc2017:test".
        judge: the second judge: rhythm or peaks.
        every: one window of so many.
    """
    measured = measure_all(Wanted(split, SOURCES))
    tables = {
        name: table.at(np.arange(len(table))[::every])
        for name, table in measured.items()
    }
    n = len(tables[RAW])

    def twice(
        family: str, name: str, levels: list[LevelCoder | None], own: Measured
    ) -> Twice:
        way = Way(
            name=name, split=split, every=every, judge=judge, levels=tuple(levels)
        )
        return Twice(family=family, way=way, own=own)

    found = [twice(RAW, RAW, [None] * n, tables[RAW])]
    for family, coder in _coders():
        found.append(twice(family, coder.name, [coder] * n, tables[coder.name]))
    chosen = _chosen(split)[::every]
    found.append(
        twice(
            "chosen",
            CHOSEN,
            [_coder(name) for name in chosen],
            gather(tables, OWN, chosen),
        )
    )
    return found


def _coders() -> Iterator[tuple[str, LevelCoder]]:
    for family, levels in LEVELS.items():
        bundle = CLASSICAL if family == "wavelet" else family
        for level in levels:
            yield family, LevelCoder(bundle=bundle, level=level)


def _coder(level: str) -> LevelCoder | None:
    """Return a level of `OWN`; None for lossless, which changes nothing."""
    return None if level == LOSSLESS else LevelCoder(bundle=OWN, level=level)


def _chosen(split: str) -> npt.NDArray[np.str_]:
    """Return the level that the calibrated policy sends each window by."""
    requirement = Requirement(
        bound=Bound(tasks=("rhythm",), limits={"rhythm": BOUND_NATS}), risk=RISK
    )
    trials = bundle_trials(OWN, split)
    price = load_calibrated(OWN).price(requirement)
    names = np.array([*trials.levels, LOSSLESS])
    return names[choose_all(requirement, trials, price)]
