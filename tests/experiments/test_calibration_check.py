# SPDX-License-Identifier: Apache-2.0
"""Promised against observed risk, on tables whose violations are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep.calibration import Calibration
from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Trials
from experiments.bundle_trials import load_calibrated
from experiments.calibration_check import ASKED, BUNDLES, Asked, check, verdict
from experiments.calibration_check.figure import draw
from experiments.calibration_check.page import says, section
from experiments.section import Table

RHYTHM = Asked(task="rhythm", limit=0.1)
N = 200


def trials(n_over: int) -> Trials:
    """Windows of 1000 bytes: 10 at the one level, 200 lossless; some are over 0.1.

    The head foretells the same of all: that one in 20 is over the bound.
    """
    errors = np.full((N, 1, 1), 0.05, np.float32)
    errors[:n_over] = 0.2
    center = np.full((N, 2, 1), np.log(0.1) - np.log(19.0), np.float32)
    return Trials(
        levels=("gain_64",),
        channels=("rhythm:raw",),
        records=np.array([f"r{i}" for i in range(N)]),
        raw_bytes=np.full(N, 1000, np.int32),
        lossless_bytes=np.full(N, 200, np.int32),
        n_bytes=np.full((N, 1), 10, np.int32),
        errors=errors,
        raw_errors=np.zeros((N, 1), np.float32),
        changed=np.full((N, 1), np.nan, np.float32),
        labels=np.full(N, -1, np.int8),
        decided=np.zeros((N, 2), np.int8),
        center=center,
        spread=np.ones((N, 2, 1), np.float32),
    )


def calibration(n_over: int) -> Calibration:
    return Calibration(name="own", model_id=bytes(16), trials=trials(n_over))


def test_a_promise_holds_on_windows_like_those_of_the_calibration() -> None:
    # 9 of 200 over: (9 + 1) / 201 is within 5 %, so all are sent at the level.
    (cell,) = check(trials(9), calibration(9), [RHYTHM], [0.05])
    assert cell["observed"][0] == pytest.approx(9 / 200)
    assert cell["gain"][0] == pytest.approx(100.0)
    assert (cell["lossless"], cell["verdict"]) == (0.0, "held")


def test_one_window_more_and_nothing_is_risked() -> None:
    # (10 + 1) / 201 is more than 5 %, and the head can't tell one from another.
    (cell,) = check(trials(10), calibration(10), [RHYTHM], [0.05])
    assert cell["observed"] == [0.0, 0.0, 0.0]
    assert cell["gain"][0] == pytest.approx(5.0)
    assert cell["lossless"] == 1.0


def test_a_promise_breaks_where_other_windows_come() -> None:
    (cell,) = check(trials(60), calibration(9), [RHYTHM], [0.05])
    assert cell["observed"][0] == pytest.approx(0.3)
    assert cell["observed"][1] > 0.2
    assert cell["verdict"] == "broken"


def test_more_than_promised_within_the_interval_is_told_apart() -> None:
    assert verdict(0.05, (0.06, 0.04, 0.08)) == "over"
    assert verdict(0.05, (0.05, 0.04, 0.06)) == "held"


def test_a_risk_that_it_can_not_certify_is_left_out() -> None:
    cells = list(check(trials(0), calibration(0), [RHYTHM], [0.001, 0.005]))
    assert [cell["risk"] for cell in cells] == [0.005]  # 200 recordings: 1 / 201


def test_windows_must_be_tried_at_the_calibrations_levels() -> None:
    other = replace(trials(9), levels=("gain_96",))
    with pytest.raises(ConfigError, match="gain_96"):
        list(check(other, calibration(9), [RHYTHM], [0.05]))


def test_a_shipped_calibration_keeps_its_promise_on_its_own_windows() -> None:
    own = load_calibrated("monitor")
    asked = [one for one in ASKED if one.name in ("rhythm=0.1", "rpeaks=0")]
    assert len(asked) == 2
    for cell in check(own.trials, own, asked, [0.05]):
        assert 0.0 < cell["observed"][0] <= 0.05
        assert cell["gain"][0] > 5.0


def results() -> dict[str, Any]:
    home = {"kind": "home", "calibration": "cinc2017", "split": "cinc2017:test"}
    away = {"kind": "shift", "calibration": "cinc2017", "split": "mitdb:test"}
    peaks = {"task": "rpeaks", "asked": "rpeaks=0"}
    cells = []
    for place, n_over in ((home, 9), (away, 60)):
        for cell in check(trials(n_over), calibration(9), [RHYTHM], [0.05, 0.1]):
            for bundle in BUNDLES:
                one = {"bundle": bundle, **place, **cell}
                cells += [one, one | peaks]
    sizes = {"n_windows": N, "n_records": N, "least_risk": 1 / (N + 1)}
    return {
        "calibrations": {"cinc2017": sizes, "mitdb": sizes},
        "cells": cells,
        "figures": {"home": "calibration_home.svg", "shift": "calibration_shift.svg"},
    }


def test_the_page_says_where_the_promise_breaks_and_what_to_do() -> None:
    found = results()
    assert says(found["cells"], "home").endswith("of 8 promises all held.")
    shifted = says(found["cells"], "shift")
    assert "0 held, 0 are over by less than the interval, 8 are broken" in shifted
    assert "5 % promised and 30.0 %" in shifted
    page = section(found)
    for one in (block for block in page.blocks if isinstance(block, Table)):
        assert {len(row) for row in one.rows} == {len(one.header)}
        assert len(one.rows) == 4
    words = " ".join(block for block in page.blocks if isinstance(block, str))
    assert "3.0 to 6.0 times what was promised" in words  # 30 % for 10 %, for 5 %
    assert "dynamic-deep calibrate" in words
    assert [claim.why[:5] for claim in page.claims] == ["every", "no pr"]


@pytest.mark.parametrize("kind", ["home", "shift"])
def test_the_figures_are_drawn(kind: str, tmp_path: Path) -> None:
    name = draw(results(), kind, folder=tmp_path)
    assert name == f"calibration_{kind}.svg"
    assert b"<svg" in (tmp_path / name).read_bytes()
