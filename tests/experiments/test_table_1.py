# SPDX-License-Identifier: Apache-2.0
"""Table I on windows that can be counted by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dynamic_deep.errors import ConfigError
from dynamic_deep.evaluation import rhythm_f1
from experiments import table_1
from experiments.measured import Measured
from experiments.scores import ScoreBootstrap, scores_of
from experiments.table_1.mixes import mix_of, paper_choice


def make_table(
    n_bytes: list[float], cce: list[float], kl: list[float], *, error: float
) -> Measured:
    n = len(n_bytes)
    nan = np.full(n, np.nan)
    return Measured(
        records=np.array([f"r{i}" for i in range(n)]),
        labels=np.array([0, 1, 1, 2][:n], np.int8),
        raw_bytes=np.full(n, 1000.0),
        n_bytes=np.array(n_bytes),
        prd=np.full(n, error),
        prdn=np.full(n, error),
        mape=np.full(n, error / 10),
        max_error=np.full(n, error),
        kl=np.array(kl),
        cce=np.array(cce),
        decided=np.array([0, 1, 2, 2][:n], np.int8),
        beat_error=nan,
        changed=nan,
        beats=np.full((n, 4), np.nan),
    )


RAW = make_table([1000.0] * 4, [0.1, 0.9, 0.2, 0.3], [0.0] * 4, error=0.0)
LOSSLESS = make_table([250.0] * 4, [0.1, 0.9, 0.2, 0.3], [0.0] * 4, error=0.0)
LOSSY = make_table([20.0] * 4, [0.2, 1.5, 0.8, 0.3], [0.05, 0.3, 0.2, 0.0], error=5.0)
TABLES = {"raw": RAW, "lossless": LOSSLESS, "paper/64 float32": LOSSY}
GAINS = {"raw": 1.0, "lossless": None, "paper/64 float32": 62.5}


def measured(names: list[str]) -> dict[str, object]:
    mix = mix_of(TABLES, np.array(names), GAINS)
    row = table_1.Row(key="x", title="x", bound="label", mix=mix, raw=RAW)
    found = table_1.measure_row(row, ScoreBootstrap(RAW.records))
    return {k: v[0] if isinstance(v, list) else v for k, v in found.items()}


def test_a_mix_counts_elements_and_bytes() -> None:
    row = measured(["paper/64 float32", "paper/64 float32", "lossless", "raw"])
    assert row["element_gain"] == pytest.approx((62.5 + 62.5 + 4.0 + 1.0) / 4)
    assert row["mean_gain"] == pytest.approx((50 + 50 + 4 + 1) / 4)
    assert row["gain"] == pytest.approx(4000 / (20 + 20 + 250 + 1000), rel=1e-5)
    assert row["levels"] == {"lossless": 0.25, "paper/64 float32": 0.5, "raw": 0.25}
    assert row["prdn"] == 2.5


def test_violations_are_avoidable_or_inherent() -> None:
    row = measured(["paper/64 float32"] * 4)
    # 1.5 and 0.8 are over 0.75; the raw window of the first is over it, too.
    assert (row["over_label"], row["avoidable"], row["inherent"]) == (0.5, 0.25, 0.25)
    assert row["over_raw"] == 0.5
    exact = measured(["lossless"] * 4)
    assert exact["over_label"] == exact["inherent"] == exact["over_raw"] == 0.0


def test_scores_are_those_of_evaluate() -> None:
    rng = np.random.default_rng(1)
    labels, decided = rng.integers(4, size=(2, 200))
    scores = ScoreBootstrap(np.arange(200).astype(str)).scores(labels, decided)
    weighted, nao = rhythm_f1(labels, decided)
    assert scores["weighted_f1"][0] == pytest.approx(weighted)
    assert scores["nao_f1"][0] == pytest.approx(nao)
    for value, low, high in scores.values():
        assert low < value < high


def test_scores_by_hand() -> None:
    counts = np.zeros((4, 4))
    counts[0, 0], counts[1, 1], counts[1, 2], counts[2, 2] = 1, 1, 1, 1
    found = scores_of(counts.ravel())
    # F1: 1, 2/3, 2/3; precision 1, 1, 1/2; recall 1, 1/2, 1; the fourth is not there.
    assert found["weighted_f1"] == pytest.approx((1 + 2 * 2 / 3 + 2 / 3) / 4)
    assert found["weighted_precision"] == pytest.approx((1 + 2 + 0.5) / 4)
    assert found["weighted_recall"] == pytest.approx(3 / 4)
    assert found["macro_f1"] == pytest.approx((1 + 4 / 3) / 3)


def test_windows_without_labels_have_no_scores() -> None:
    nothing = np.full(3, -1)
    scores = ScoreBootstrap(np.array(["a", "b", "c"])).scores(nothing, np.zeros(3, int))
    assert all(np.isnan(v).all() for v in scores.values())


def test_the_published_choice_takes_the_highest_level() -> None:
    foretold = np.array([[0.1, 0.2], [0.1, 0.9], [0.8, 0.9], [0.9, 0.1]])
    names = paper_choice(foretold, 0.75, storage="int8", fallback="raw")
    assert names.tolist() == ["paper/64 int8", "paper/32 int8", "raw", "paper/64 int8"]
    with pytest.raises(ConfigError, match="fallback must be raw or lossless"):
        paper_choice(foretold, 0.75, storage="int8", fallback="zip")


def test_the_section_says_what_is_missing() -> None:
    draws = ScoreBootstrap(RAW.records)
    ways = (("raw", "raw", ""), ("lossless", "lossless", ""))
    ways += (("paper float32 raw", "paper/64 float32", "label"),)
    rows = []
    for key, name, bound in ways:
        mix = mix_of(TABLES, np.full(4, name), GAINS)
        row = table_1.Row(key=key, title=key, bound=bound, mix=mix, raw=RAW)
        rows.append(table_1.measure_row(row, draws))
    results = json.loads(
        json.dumps(
            {
                "n_windows": 4,
                "n_records": 4,
                "missing": {"cae": "weights are missing"},
                "rivals": "",
                "rows": rows,
            }
        )
    )
    section = table_1.section(results)
    assert "Left out: cae. weights are missing." in section.blocks
    assert [c.paper for c in section.claims] == ["0.87"]
    (sizes, tasks) = (b for b in section.blocks if not isinstance(b, str))
    assert sizes.rows[0][4] == "exact"
    assert tasks.rows[2][5] == "50.0 % = 25.0 % + 25.0 %"
