# SPDX-License-Identifier: Apache-2.0
"""Judging twice: figures, pairs, the answer in a sentence, page and picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks.rhythm import CLASSES
from dynamic_deep.tasks.scores import rhythm_scores
from experiments.judge_answers import Way, answers_of, judged_windows
from experiments.measured import Measured
from experiments.transfer import judged
from experiments.transfer.figure import draw
from experiments.transfer.says import outcome, says, verdict
from experiments.transfer.section import section
from experiments.transfer.views import PeaksView, RhythmView, Views
from experiments.transfer.ways import Twice

N_RECORDS, N_EACH = 30, 2
N = N_RECORDS * N_EACH
# Family, gain, share changed by the own judge, share by the second.
WAYS = {
    "raw": ("raw", 1.0, 0.0, 0.0),
    "monitor/gain_64": ("monitor", 80.0, 0.05, 0.5),
    "monitor/gain_128": ("monitor", 160.0, 0.1, 0.1),
    "standard/gain_64": ("standard", 84.0, 0.5, 0.5),
    "wavelet_32": ("wavelet", 33.0, 0.1, 0.1),
    "wavelet_64": ("wavelet", 66.0, 0.9, 0.9),
    "monitor chosen": ("chosen", 100.0, 0.05, 0.3),
}


def first_changed(share: float) -> np.ndarray:
    return (np.arange(N) < round(share * N)).astype(np.float64)


def view(share: float) -> RhythmView:
    over, labels = first_changed(share), np.arange(N) % len(CLASSES)
    decided = np.where(over > 0.0, (labels + 1) % len(CLASSES), labels)
    return RhythmView(errors=0.2 * over, over=over, labels=labels, decided=decided)


def table(gain: float) -> Measured:
    columns = dict.fromkeys(Measured.__dataclass_fields__, np.zeros(N))
    columns["records"] = np.arange(N).astype(str) if N_EACH == 1 else _records()
    columns["raw_bytes"] = np.full(N, 16_000.0)
    columns["n_bytes"] = columns["raw_bytes"] / gain
    return Measured(**columns)  # type: ignore[arg-type]


def _records() -> np.ndarray:
    return np.repeat(np.arange(N_RECORDS).astype(str), N_EACH)


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    ways, views = [], []
    for name, (family, gain, own, second) in WAYS.items():
        way = Way(name=name, split="cinc2017:test", every=1, judge="rhythm", levels=())
        ways.append(Twice(family=family, way=way, own=table(gain)))
        both: Views = {"own": view(own), "second": view(second)}
        views.append(both)
    return judged("rhythm", ways, views)


def test_f1_of_the_rhythm_is_that_of_its_scores(rng: np.random.Generator) -> None:
    labels, decided = rng.integers(4, size=(2, 200))
    one = RhythmView(
        errors=np.zeros(200), over=np.zeros(200), labels=labels, decided=decided
    )
    names = [[CLASSES[i] for i in v] for v in (labels, decided)]
    expected = rhythm_scores(*names).weighted_f1
    assert one.f1(np.arange(200)) == pytest.approx(expected)


def test_f1_of_the_beats_is_of_all_beats() -> None:
    beats = np.array([[10.0, 1.0, 0.0], [5.0, 0.0, 3.0]])
    one = PeaksView(errors=np.zeros(2), over=np.zeros(2), beats=beats)
    assert one.f1(np.arange(2)) == pytest.approx(30.0 / 34.0)
    assert one.f1(np.array([0])) == pytest.approx(20.0 / 21.0)


def test_rows_have_the_share_changed_and_its_interval(results: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in results["rows"]}
    value, low, high = rows["standard/gain_64"]["own"]["over"]
    assert value == 0.5
    assert low < value < high
    assert rows["monitor/gain_64"]["gain"] == [80.0, 80.0, 80.0]
    assert rows["raw"]["second"]["f1"][0] == 1.0
    assert results["n_records"] == N_RECORDS


def test_levels_are_compared_at_the_nearest_gain(results: dict[str, Any]) -> None:
    pairs = {(p["name"], p["rival"]) for p in results["compared"]}
    assert pairs == {
        ("monitor/gain_64", "standard/gain_64"),
        ("monitor/gain_64", "wavelet_64"),
    }  # nothing has a gain like that of monitor/gain_128
    first = results["compared"][0]
    assert first["own"]["over_difference"][0] == pytest.approx(-0.45)
    assert first["own"]["over"] == [0.05, 0.5]
    # The same windows changed: no draw can show a difference.
    assert first["second"]["over_difference"] == [0.0, 0.0, 0.0]
    assert first["own"]["f1_difference"][1] > 0.0


def pair_of(own: float, second: float) -> dict[str, Any]:
    def judge(middle: float) -> dict[str, list[float]]:
        return {"over_difference": [middle, middle - 0.05, middle + 0.05]}

    return {"own": judge(own), "second": judge(second)}


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([(-0.2, -0.1), (0.0, 0.2)], "serves a task that it has not seen (of 1"),
        ([(-0.2, -0.1), (-0.2, 0.0)], "in part (of 2 comparisons"),
        ([(-0.2, 0.0), (-0.2, 0.2)], "only pleases its own task"),
        ([(-0.2, 0.0), (0.2, -0.2)], "is not shown to serve"),
        ([(0.0, -0.2), (0.2, -0.2)], "wins no comparison"),
    ],
)
def test_the_verdict_is_by_the_intervals(
    differences: list[tuple[float, float]], expected: str
) -> None:
    assert expected in verdict([pair_of(*both) for both in differences])


def test_an_outcome_needs_an_interval_beyond_zero() -> None:
    assert outcome([-0.2, -0.3, -0.1]) == "fewer"
    assert outcome([0.2, 0.1, 0.3]) == "more"
    assert outcome([-0.1, -0.3, 0.1]) == "as many"


def test_the_answer_names_what_it_is_drawn_from(results: dict[str, Any]) -> None:
    sentence = says("rhythm", results)
    assert "standard/gain_64 at a gain of 84 as many" in sentence
    assert "50.0 % against 50.0 %" in sentence
    assert "5.0 % against 90.0 %" in sentence
    assert "uses 5.0 % by its own network and 30.0 % by the other" in sentence
    with pytest.raises(ConfigError, match="rhythm"):
        says("sleep", results)


def test_page_and_picture_come_from_the_file(
    results: dict[str, Any], tmp_path: Path
) -> None:
    whole: dict[str, Any] = {
        "bound_nats": 0.1,
        "risk": 0.05,
        "every_mitdb": 8,
        "rhythm": results,
        "rpeaks": results,
    }
    whole["figure"] = draw(whole, folder=tmp_path)
    picture = (tmp_path / whole["figure"]).read_text()
    assert picture.lstrip().startswith("<?xml")
    part = section(json.loads(json.dumps(whole)))
    assert part.claims[0].why.startswith("missed")
    assert "30.0 %" in part.claims[0].ours
    tables = [block for block in part.blocks if hasattr(block, "header")]
    assert [len(one.rows) for one in tables] == [len(WAYS), len(WAYS)]
    assert all(len(row) == len(one.header) for one in tables for row in one.rows)


def test_answers_are_kept_and_are_of_real_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments.coders.levels import LevelCoder

    monkeypatch.setenv("DYNAMIC_DEEP_KEPT", str(tmp_path))
    every, split = 300, "mitdb:test"
    try:
        windows = judged_windows(split, every)
    except ConfigError as error:
        pytest.skip(str(error))
    levels = (None, *[LevelCoder(bundle="standard", level="wavelet_32")] * 4)
    way = Way(name="some", split=split, every=every, judge="peaks", levels=levels)
    said = answers_of(way)
    assert [found.n_samples for found in said] == [
        window.subject.place.model_len for window in windows
    ]
    assert all(len(found) > 10 for found in said)
    (kept,) = tmp_path.iterdir()
    before = kept.stat().st_mtime_ns
    again = answers_of(way)
    assert kept.stat().st_mtime_ns == before
    assert all(map(np.array_equal, said, again))
    short = Way(name="s", split=split, every=every, judge="peaks", levels=levels[:2])
    with pytest.raises(ConfigError, match="a level for each"):
        answers_of(short)
    other = Way(name="s", split=split, every=every, judge="sleep", levels=levels)
    with pytest.raises(ConfigError, match="rhythm or peaks"):
        answers_of(other)
