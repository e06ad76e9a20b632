# SPDX-License-Identifier: Apache-2.0
"""Task scores against gain: what is changed, where curves cross a share, the choice."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Subject
from experiments.coders.protocol import Coder, Sent
from experiments.measured import Measured, gather
from experiments.measuring import RAW
from experiments.rate_task import assess, lost_share
from experiments.rate_task.figure import draw
from experiments.rate_task.page import section
from experiments.rate_task.same import gain_at, gains_at_share
from experiments.section import Table


@dataclass(frozen=True)
class Named:
    """What a coder is called; it has sent its windows already."""

    name: str
    family: str
    element_gain: float | None = None
    identity: str = "of a test"

    def send(self, subject: Subject) -> Sent:
        raise AssertionError("tables are made by hand here")


def table(
    gain: float,
    *,
    kl: Sequence[float] = (0.0,) * 4,
    decided: Sequence[int] = (0, 0, 1, 1),
    changed: Sequence[float] = (0.0,) * 4,
    beats: Sequence[float] = (10.0, 0.0, 0.0, 0.0),
) -> Measured:
    """Four windows of a record each, half of them of class 0, half of class 1."""
    nan = np.full(4, np.nan)
    return Measured(
        records=np.array(["r0", "r1", "r2", "r3"]),
        labels=np.array([0, 0, 1, 1], np.int8),
        raw_bytes=np.full(4, 1600.0),
        n_bytes=np.full(4, 1600.0 / gain),
        prd=nan,
        prdn=np.full(4, 5.0),
        mape=nan,
        max_error=nan,
        kl=np.array(kl, np.float64),
        cce=nan,
        decided=np.array(decided, np.int8),
        beat_error=nan,
        changed=np.array(changed, np.float64),
        beats=np.tile(np.array(beats, np.float64), (4, 1)),
    )


CODERS: dict[str, Coder] = {
    "wavelet_32": Named("wavelet_32", "wavelet"),
    "wavelet_64": Named("wavelet_64", "wavelet"),
    "monitor/gain_64": Named("monitor/gain_64", "monitor"),
    "monitor/gain_96": Named("monitor/gain_96", "monitor"),
}


def tables() -> dict[str, Measured]:
    one_changed = (0.3, 0.0, 0.0, 0.0)
    return {
        RAW: table(1.0),
        "wavelet_32": table(10.0),
        "wavelet_64": table(
            40.0,
            kl=one_changed,
            decided=(1, 0, 1, 1),
            changed=(0.25, 0.25, 0.0, 0.0),
            beats=(8.0, 2.0, 2.0, 0.0),
        ),
        "monitor/gain_64": table(40.0),
        "monitor/gain_96": table(90.0, kl=one_changed, changed=(1.0, 0.0, 0.0, 0.0)),
    }


@functools.cache
def results() -> dict[str, Any]:
    found: dict[str, Any] = {"bound_nats": 0.1, "risk": 0.05, "figure": "x.svg"}
    for task in ("rhythm", "rpeaks"):
        part = assess(task, tables(), CODERS)
        star = {**part["rows"][2], "name": "monitor"}
        other = {**part["rows"][1], "name": "edge"}
        found[task] = part | {"chosen": [star, other]}
    return found


def test_a_curve_is_taken_where_it_first_reaches_the_share() -> None:
    gains, shares = np.array([10.0, 40.0, 160.0, 640.0]), np.array([0, 0.1, 0.02, 0.2])
    # Half way from 10 to 40 in the logarithm; that it comes back does not count.
    assert gain_at(0.05, gains, shares) == pytest.approx(20.0)
    assert gain_at(0.05, gains[::-1], shares[::-1]) == pytest.approx(20.0)


@pytest.mark.parametrize("shares", [(0.06, 0.2), (0.0, 0.04)])
def test_a_curve_that_does_not_cross_has_no_gain(shares: tuple[float, float]) -> None:
    assert math.isnan(gain_at(0.05, np.array([10.0, 40.0]), np.array(shares)))


def test_gains_are_set_over_the_wavelets() -> None:
    curves = {
        "wavelet": [tables()["wavelet_32"], tables()["wavelet_64"]],
        "monitor": [tables()["monitor/gain_64"], tables()["monitor/gain_96"]],
    }
    # Both go from 0 to 1/4 of the windows; at 1/8 half way in the logarithm of gains.
    rows = gains_at_share(curves, lambda one: lost_share("rhythm", one), 0.125)
    gains = {row["curve"]: row["gain"][0] for row in rows}
    assert gains == pytest.approx({"wavelet": 20.0, "monitor": 60.0}, rel=1e-4)
    assert rows[1]["ratio"][0] == pytest.approx(3.0, rel=1e-4)


def test_what_is_changed_is_of_the_task() -> None:
    found = tables()["wavelet_64"]
    assert lost_share("rhythm", found).tolist() == [1, 0, 0, 0]
    assert lost_share("rpeaks", found).tolist() == [0.25, 0.25, 0, 0]
    with pytest.raises(ConfigError, match="rhythm, rpeaks"):
        lost_share("sleep", found)


def test_scores_by_hand() -> None:
    rhythm = {row["name"]: row for row in results()["rhythm"]["rows"]}
    peaks = {row["name"]: row for row in results()["rpeaks"]["rows"]}
    assert rhythm["monitor/gain_64"]["f1"] == [1.0, 1.0, 1.0]
    # Class 0: one of two found, F1 2/3; class 1: two found and one too many, 4/5.
    assert rhythm["wavelet_64"]["f1"][0] == pytest.approx((2 / 3 + 4 / 5) / 2, abs=1e-4)
    assert rhythm["wavelet_64"]["lost"][0] == 0.25
    assert peaks["wavelet_64"]["f1"][0] == pytest.approx(16 / 20)
    assert peaks["wavelet_64"]["lost"][0] == pytest.approx(0.125)
    assert rhythm["wavelet_64"]["gain"][0] == pytest.approx(40.0)


def test_a_choice_takes_each_windows_level() -> None:
    names = np.array(["wavelet_32", "gain_96", "gain_64", "wavelet_64"])
    found = gather(tables(), "monitor", names)
    assert (found.raw_bytes / found.n_bytes).tolist() == pytest.approx([10, 90, 40, 40])
    assert found.kl.tolist() == [0.0, 0.0, 0.0, 0.0]
    assert gather(tables(), "monitor", np.array(["gain_96"] * 4)).kl[0] == 0.3


def test_the_page_compares_the_choice_with_the_best_coder() -> None:
    found = section(results())
    for one in (block for block in found.blocks if isinstance(block, Table)):
        assert {len(row) for row in one.rows} == {len(one.header)}
    by_name = {claim.claim: claim.why for claim in found.claims}
    kept = next(why for claim, why in by_name.items() if "monitor's" in claim)
    over = next(why for claim, why in by_name.items() if "edge's" in claim)
    assert kept.startswith("kept; below monitor/gain_64 (gain 40)")
    assert over.startswith("over what was promised, by less than the interval; ")


def test_the_figure_is_drawn(tmp_path: Path) -> None:
    name = draw(results(), folder=tmp_path)
    assert name == "rate_task.svg"
    assert b"<svg" in (tmp_path / name).read_bytes()
