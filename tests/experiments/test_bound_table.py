# SPDX-License-Identifier: Apache-2.0
"""Promises: the figures are those of `evaluate`, and misses are said."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from dynamic_deep.evaluation import assess, assess_calibrated, choose_oracle
from experiments import bound_table
from experiments.bound_table.by_length import outcomes_by_length
from experiments.bound_table.rows import row_of, shown
from experiments.bundle_trials import load_calibrated
from experiments.measured import Measured
from experiments.outcome import Choice
from experiments.section import Table

BUNDLE = "edge"


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """What is asked, answered on the calibration windows themselves."""
    found = {"model_id": "0"}
    for one in bound_table.ASKED:
        calibration = load_calibrated(BUNDLE, one.calibration)
        ladders = {"oracle, gain_64, none": ("gain_64",)}
        found[one.name] = bound_table.answer(
            one, calibration.trials, calibration, ladders=ladders
        )
    return found


@pytest.mark.parametrize("name", ["rhythm", "label", "rpeaks", "both", "both_f1"])
def test_figures_are_those_of_evaluate(
    answers: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dynamic_deep.evaluation.N_RESAMPLES", 2)
    one = next(one for one in bound_table.ASKED if one.name == name)
    calibration = load_calibrated(BUNDLE, one.calibration)
    trials = calibration.trials
    oracle = choose_oracle(one.need, trials)
    expected = {
        "calibrated": assess_calibrated(one.need, trials, calibration),
        "oracle": assess("oracle", one.need, trials, oracle),
    }
    for kind, outcome in expected.items():
        row = row_of(answers[name], kind)
        assert row is not None
        assert row["gain"][0] == pytest.approx(outcome.gain.value, rel=1e-5)
        assert row["over"][0] == pytest.approx(outcome.violations.value, abs=1e-5)
        if one.calibration == "cinc2017":
            assert row["nao_f1"][0] == pytest.approx(outcome.cinc_f1.value, rel=1e-5)
        else:
            assert row["nao_f1"] == [None] * 3
    assert answers[name]["inherent"] == pytest.approx(
        expected["calibrated"].inherent, rel=1e-5
    )


def test_a_promise_is_kept_where_it_was_made(answers: dict[str, Any]) -> None:
    for one in bound_table.ASKED:
        row = row_of(answers[one.name], "calibrated")
        assert row is not None
        assert row["over"][0] <= one.need.risk
        assert row["of_oracle"] <= 1.0


def test_whole_and_short_windows_are_told_apart() -> None:
    one = next(one for one in bound_table.ASKED if one.by_length)
    trials = load_calibrated(BUNDLE, one.calibration).trials
    is_first = np.arange(len(trials)) < 300
    labels = np.arange(len(trials)) % 3
    decided = np.where(is_first, labels, (labels + 1) % 3)
    trials = dataclasses.replace(
        trials,
        labels=labels,
        decided=np.repeat(decided[:, None], 1 + len(trials.levels), axis=1),
        raw_bytes=np.where(is_first, 2 * 8960, 2 * 8959),
        n_bytes=np.where(
            is_first[:, None], 2 * 896, 2 * 8959 * np.ones_like(trials.n_bytes)
        ),
    )
    choice = Choice("fixed", "the first", np.zeros(len(trials), np.int64))
    found = outcomes_by_length(trials, [(one.need, choice)])
    assert found["whole"]["n_windows"] == 300
    assert found["short"]["n_windows"] == len(trials) - 300
    whole, short = (found[name]["rows"][0] for name in ("whole", "short"))
    assert whole["weighted_f1"] == [1.0, 1.0, 1.0]
    assert short["nao_f1"] == [0.0, 0.0, 0.0]
    assert (whole["gain"][0], short["gain"][0]) == (10.0, 1.0)
    trials = dataclasses.replace(trials, raw_bytes=np.full(len(trials), 2 * 8960))
    assert set(outcomes_by_length(trials, [(one.need, choice)])) == {"whole"}


def test_the_section_says_what_is_missed(answers: dict[str, Any]) -> None:
    beats = {key: [0.99, 0.98, 0.995] for key in ("f1", "sensitivity", "ppv")}
    beats["jitter_ms"] = [6.9, 4.6, 9.1]
    results = {"asked": {"monitor": answers}, "beats": beats}
    section = bound_table.section(json.loads(json.dumps(results)))
    gain = row_of(answers["rhythm"], "calibrated")["gain"]
    claim = section.claims[0]
    assert claim.ours == shown(gain)
    assert claim.why.startswith("Missed") == (gain[0] < 100)
    # All of these windows are whole, so there is nothing to tell apart.
    assert not any("short windows" in claim.why for claim in section.claims)
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert table.rows[0][2] == shown(gain)
    assert any(claim.why.startswith("Least reached") for claim in section.claims)


def test_what_coding_takes_is_said_by_length(answers: dict[str, Any]) -> None:
    rows = answers["rhythm"]["by_length"]["whole"]["rows"]
    kinds = [row["kind"] for row in rows]
    assert kinds == ["lossless", "calibrated"]
    scores = {"whole": (0.8, 0.7), "short": (0.6, 0.65)}
    parts = {
        name: {
            "n_windows": 7,
            "rows": [
                row | {key: [score] * 3 for key in ("weighted_f1", "nao_f1")}
                for row, score in zip(rows, of_each, strict=True)
            ],
        }
        for name, of_each in scores.items()
    }
    asked = answers | {"rhythm": answers["rhythm"] | {"by_length": parts}}
    beats = {key: [0.99, 0.98, 0.995] for key in ("f1", "sensitivity", "ppv")}
    beats["jitter_ms"] = [6.9, 4.6, 9.1]
    section = bound_table.section({"asked": {"monitor": asked}, "beats": beats})
    said = [claim.why for claim in section.claims if "short windows" in claim.why]
    assert len(said) == 3
    assert "7 whole windows 0.100 lost, 7 short windows 0.050 gained." in said[0]
    assert all(
        "7 whole windows 0.8 (0.8-0.8), 7 short windows 0.6" in w for w in said[1:]
    )


def test_beats_add_up() -> None:
    beats = np.array([[9, 1, 0, 900.0], [10, 0, 1, 1000.0]])
    columns = {field.name: np.zeros(2) for field in dataclasses.fields(Measured)}
    columns |= {"records": np.array(["a", "b"]), "beats": beats}
    raw = Measured(**columns)
    figures = bound_table.beat_figures(raw)
    assert figures["f1"][0] == pytest.approx(38 / 40, rel=1e-5)
    assert figures["sensitivity"][0] == pytest.approx(0.95)
    assert figures["jitter_ms"][0] == pytest.approx(10.0)
    assert np.isfinite(figures["ppv"]).all()
