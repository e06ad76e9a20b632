# SPDX-License-Identifier: Apache-2.0
"""Table II: counts by hand, and the paper's numbers of parameters."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

from experiments import table_2
from experiments.section import Table
from experiments.table_2.counts import Counts, count_file, count_keras

keras = pytest.importorskip("keras")


def test_convolutions_are_counted_by_hand() -> None:
    inputs = keras.Input((10, 2))
    x = keras.layers.Conv1D(3, 5, strides=2, padding="same")(inputs)
    x = keras.layers.BatchNormalization()(x)
    counts = count_keras(keras.Model(inputs, x))
    # 5 x 2 x 3 weights and 3 biases, 4 x 3 of the normalisation; 5 steps come out.
    assert counts == Counts(n_params=33 + 12, macs=5 * 3 * 5 * 2, live_values=35)
    twice = counts + counts
    assert (twice.n_params, twice.macs, twice.live_values) == (90, 300, 35)


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    found = table_2.run(argparse.Namespace())
    decoded: dict[str, Any] = json.loads(json.dumps(found))
    return decoded


def test_the_papers_encoders_come_out(results: dict[str, Any]) -> None:
    n_params = [row["n_params"] for row in results["rows"][:5]]
    # The fourth is two of the fifth. The classic one is what a notebook printed.
    assert n_params == [133_585, 267_170, 133_585 + 153_521, 167_796, 83_898]
    for row in results["rows"]:
        if row["paper"] is not None:
            assert row["n_params"] / 1000 == pytest.approx(
                row["paper"]["params_k"], abs=1.3
            )
    shared = results["rows"][4]
    assert shared["macs_per_segment"] == pytest.approx(16.02e6, rel=1e-3)
    assert shared["macs_per_s"] == round(shared["macs_per_segment"] * 300 / 2000)


def test_integers_hold_what_floats_hold(results: dict[str, Any]) -> None:
    if results["missing"]:
        pytest.skip(str(results["missing"]))
    as_float, as_integers = results["rows"][-2:]
    assert as_float["n_params"] == as_integers["n_params"]
    assert as_float["macs_per_segment"] == as_integers["macs_per_segment"]
    assert as_integers["arena_bytes"] > as_integers["live_values"]


def test_a_file_is_counted_as_its_network() -> None:
    from dynamic_deep.bundle import load_bundle

    counts = count_file(load_bundle("edge").networks["encoder"], "edge")
    assert 0.99e6 < counts.macs < 1.01e6


def test_the_section_has_every_row(results: dict[str, Any]) -> None:
    section = table_2.section(results)
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert len(table.rows) == len(results["rows"])
    assert section.claims[0].ours == "133,585, 534 KB"
