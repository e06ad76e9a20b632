# SPDX-License-Identifier: Apache-2.0
"""Fig. 4 on ladders that can be counted by hand, and on a bundle's calibration."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep.bound import Bound
from dynamic_deep.trials import Trials
from experiments import bound_curves
from experiments.bootstrap import Bootstrap
from experiments.bound_curves.figure import draw_all
from experiments.bound_curves.ladder import (
    Ladder,
    at_levels,
    ladder_of_tables,
    ladder_of_trials,
    oracle,
    outcome,
)
from experiments.bound_curves.sweeps import (
    SWEEPS,
    Ground,
    Sweep,
    grow,
    sweep_bundle,
    sweep_ladders,
    sweep_published,
)
from experiments.bundle_trials import load_calibrated
from experiments.measured import Measured

LADDER = Ladder(
    names=("32", "64", "none"),
    records=np.array(["a", "b", "c"]),
    raw_bytes=np.full(3, 640.0),
    n_bytes=np.tile([20.0, 10.0, 640.0], (3, 1)),
    mean_gains=np.tile([32.0, 64.0, 1.0], (3, 1)),
    losses=np.array([[0.1, 0.2, 0.0], [0.5, 0.9, 0.1], [1.0, 2.0, 0.8]]),
)
DRAWS = Bootstrap(LADDER.records)


def test_the_oracle_keeps_to_the_bound() -> None:
    assert oracle(LADDER, 0.75).tolist() == [1, 0, 2]
    assert oracle(LADDER, 0.75, ("64",)).tolist() == [1, 2, 2]
    assert oracle(LADDER, 0.05).tolist() == [2, 2, 2]
    assert oracle(LADDER, 2.0).tolist() == [1, 1, 1]


def test_gains_and_losses_by_hand() -> None:
    found = outcome(LADDER, oracle(LADDER, 0.75), 0.75, DRAWS)
    assert found["gain"][0] == pytest.approx(1920 / 670, rel=1e-5)
    assert found["mean_gain"][0] == pytest.approx(97 / 3, rel=1e-5)
    # The window sent without loss counts 0, though its true loss is 0.8.
    assert found["effective_loss"][0] == pytest.approx(0.7 / 3, rel=1e-5)
    assert found["true_loss"][0] == pytest.approx(1.5 / 3, rel=1e-5)
    assert found["over"][0] == 0.0


def test_violations_may_excuse_what_is_over_uncompressed() -> None:
    all_64 = np.full(3, 1)
    assert outcome(LADDER, all_64, 0.75, DRAWS)["over"][0] == pytest.approx(2 / 3)
    lenient = outcome(LADDER, all_64, 0.75, DRAWS, is_lenient=True)
    assert lenient["over"][0] == pytest.approx(1 / 3, rel=1e-5)


def test_a_ladder_of_tables_ends_raw() -> None:
    def table(n_bytes: float, loss: float) -> Measured:
        columns = {field.name: np.zeros(2) for field in dataclasses.fields(Measured)}
        columns |= {"records": np.array(["a", "b"]), "raw_bytes": np.full(2, 640.0)}
        columns |= {"n_bytes": np.full(2, n_bytes), "cce": np.full(2, loss)}
        return Measured(**columns)

    tables = {"p32": table(40.0, 0.3), "p64": table(20.0, 0.6), "raw": table(640.0, 0)}
    ladder = ladder_of_tables(tables, {"p32": 31.75, "p64": 62.5}, "cce")
    assert ladder.n_bytes.tolist() == [[40.0, 20.0, 640.0]] * 2
    assert ladder.mean_gains[0].tolist() == [31.75, 62.5, 1.0]
    sweep = Sweep(name="label", split="", calibration="", x=(0.5, 0.7), bounds=())
    curves = sweep_published(sweep, ladder, np.array([[0.4, 0.8], [0.4, 0.6]]))
    assert [p["gain"][0] for p in curves["published"]] == pytest.approx(
        [16.0, 1280 / 60], rel=1e-5
    )
    assert [p["gain"][0] for p in curves["paper three"]] == [16.0, 32.0]
    assert curves["paper two"][0]["gain"][0] == 1.0


def test_levels_are_added_by_what_they_are_worth() -> None:
    worth = {"a": 1.0, "b": 5.0, "c": 2.0}
    assert grow("abc", lambda names: sum(worth[n] for n in names)) == ["b", "c", "a"]


def some_windows(trials: Trials, n: int = 150) -> Trials:
    """Return windows of a table, evenly spread, so of all its patients."""
    step = len(trials) // n
    fields = {k: v for k, v in vars(trials).items() if k not in ("levels", "channels")}
    return dataclasses.replace(trials, **{k: v[::step] for k, v in fields.items()})


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All of it on some calibration windows of `edge`, few bounds and levels."""
    names = ("wavelet_24", "wavelet_32", "gain_64", "gain_96")
    curves = {}
    for sweep in SWEEPS:
        whole = load_calibrated("edge", sweep.calibration).trials
        trials = some_windows(at_levels(whole, names))
        ground = Ground(test=trials, calibration=trials)
        ends = (1, 2, 3)
        short = dataclasses.replace(
            sweep,
            x=tuple(sweep.x[i] for i in ends),
            bounds=tuple(sweep.bounds[i] for i in ends),
        )
        curves[sweep.name] = sweep_bundle(short, ground)
        if sweep.name == "raw":
            ladders = sweep_ladders(short.bounds[-1], ground)
    found: dict[str, Any] = {"bundle": "edge", "risk": 0.05, "weighted_bound": 0.1}
    found |= {"ladders_bound": 0.1, "missing": {}, "curves": curves}
    found["ladders"] = ladders
    folder = tmp_path_factory.mktemp("figures")
    found["figures"] = [str(folder / name) for name in draw_all(found, folder=folder)]
    return found


def test_the_oracle_bounds_every_ladder(results: dict[str, Any]) -> None:
    for curves in results["curves"].values():
        for whole, three, two in zip(
            curves["whole"], curves["three"], curves["two"], strict=True
        ):
            assert whole["gain"][0] >= three["gain"][0] >= two["gain"][0]
            assert whole["over"][0] == 0.0
            assert sum(whole["levels"].values()) == pytest.approx(1.0, abs=1e-4)
        for point in curves["calibrated"]:
            assert point["over"][0] <= results["risk"]
    gains = [point["gain"][0] for point in results["ladders"]["whole"]]
    assert gains == sorted(gains)
    assert [p["n_levels"] for p in results["ladders"]["calibrated"]] == [2, 3, 4, 5]


def test_weights_make_one_loss_of_two() -> None:
    trials = load_calibrated("edge").trials
    bound = Bound(
        tasks=("rhythm", "rpeaks"), total=0.1, weights={"rhythm": 0.25, "rpeaks": 0.75}
    )
    ladder = ladder_of_trials(trials, bound)
    kl, peaks = (trials.channels.index(f"{name}:raw") for name in bound.tasks)
    expected = 0.25 * trials.errors[0, 0, kl] + 0.75 * trials.errors[0, 0, peaks]
    assert ladder.losses[0, 0] == pytest.approx(float(expected))
    assert ladder.names[-1] == "none"


def test_figures_and_page(results: dict[str, Any]) -> None:
    assert [Path(name).stat().st_size > 10_000 for name in results["figures"]] == [
        True
    ] * 4
    section = bound_curves.section(json.loads(json.dumps(results)))
    assert len(section.claims) == 3
    assert "levels" in section.claims[-1].ours
