# SPDX-License-Identifier: Apache-2.0
"""Yearly cost: what costmodel gives, LZ77 and edge beside, and the paper's 97 %."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costmodel.measured import read_decode_speed, read_gains
from costmodel.models import Model, all_models
from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import choose_all
from dynamic_deep.bound_odds import Requirement
from experiments.bundle_trials import load_calibrated
from experiments.section import Table
from experiments.yearly_cost import SHOWN, bills, edge_model, scenarios
from experiments.yearly_cost.figure import draw
from experiments.yearly_cost.page import section


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    speed = read_decode_speed()
    models = {model.name: model for model in all_models(read_gains()[0], speed)}
    models["lz77"] = Model(
        name="lz77", title="LZ77", gain=2.0, gain_kind="measured", gain_source="a test"
    )
    models["edge"] = edge_model(load_calibrated("edge").trials, speed)
    return bills(models, scenarios(speed)) | {"figure": "yearly_cost.svg"}


def rows_of(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in results["models"]}


def test_every_way_is_there(results: dict[str, Any]) -> None:
    assert tuple(rows_of(results)) == SHOWN


def test_storage_by_hand(results: dict[str, Any]) -> None:
    # 200 beds x 300 Hz x 2 bytes x a year in GiB, held 12 months at 0.02 USD.
    raw_gib = 200 * 300 * 2 * 365 * 86400 / 2**30
    rows = rows_of(results)
    assert rows["none"]["storage_usd"] == pytest.approx(raw_gib * 12 * 0.02, rel=1e-3)
    # What is coded has a file's header beside it, which is little.
    assert rows["paper"]["storage_saved"] == pytest.approx(1 - 1 / 48.31, abs=1e-3)
    assert rows["lz77"]["storage_saved"] == pytest.approx(0.5, abs=1e-3)
    assert rows["paper_bytes"]["gain"] == pytest.approx(1 / (0.75 / 64 + 0.25))


def test_what_is_together_adds_up(results: dict[str, Any]) -> None:
    for row in results["models"]:
        parts = row["storage_usd"] + row["operations_usd"] + row["decode_usd"]
        assert row["coding_usd"] == pytest.approx(parts, abs=0.01)
        first = results["wards"][0]["coding_usd"][row["name"]]
        assert row["coding_usd"] == first


def test_ten_times_the_beds_cost_ten_times_as_much(results: dict[str, Any]) -> None:
    wards = {ward["name"]: ward["coding_usd"] for ward in results["wards"]}
    few, many = wards["200 beds, one lead"], wards["2,000 beds"]
    assert many["ladder"] == pytest.approx(10 * few["ladder"], rel=1e-3)
    assert wards["kept for 6 years"]["none"] > 5 * few["none"]


def test_more_fetched_costs_more(results: dict[str, Any]) -> None:
    curves = results["by_fetch"]
    at = curves["share"].index(results["fetch_share"])
    for name, costs in curves["coding_usd"].items():
        assert costs == sorted(costs)
        assert costs[at] == rows_of(results)[name]["coding_usd"]


def test_edge_is_what_its_own_choice_sends() -> None:
    own, speed = load_calibrated("edge"), read_decode_speed()
    need = Requirement(
        bound=Bound(tasks=("rhythm",), limits={"rhythm": 0.1}), risk=0.05
    )
    chosen = choose_all(need, own.trials, own.price(need))
    sent = sum(
        own.trials.lossless_bytes[i]
        if level == len(own.trials.levels)
        else own.trials.n_bytes[i, level]
        for i, level in enumerate(chosen)
    )
    model = edge_model(own.trials, speed)
    assert model.gain == pytest.approx(own.trials.raw_bytes.sum() / sent)
    times = speed.decode_s_per_window
    assert "task_288" not in times  # so it is taken as gain_64
    share = np.mean(chosen == len(own.trials.levels))
    low, high = min(times.values()), max(times.values())
    assert low < model.decode_s_per_window < times["gain_64"] + share * high


def test_the_page_says_what_is_saved_in_bytes(results: dict[str, Any]) -> None:
    found = section(results)
    for one in (block for block in found.blocks if isinstance(block, Table)):
        assert {len(row) for row in one.rows} == {len(one.header)}
    saved = rows_of(results)["ladder"]["saved"]
    claim = found.claims[0]
    assert f"{100 * saved:.1f} %" in claim.ours
    assert "in bytes the paper's gain is 3.82" in claim.why
    assert ("missed by" in claim.why) == (saved < 0.97)


def test_the_figure_is_drawn(results: dict[str, Any], tmp_path: Path) -> None:
    name = draw(results, folder=tmp_path)
    assert b"<svg" in (tmp_path / name).read_bytes()
