# SPDX-License-Identifier: Apache-2.0
"""`engine`: networks run as exported, at any batch size, and damage is one error."""

from __future__ import annotations

import numpy as np
import pytest

from dynamic_deep.bundle import load_bundle
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.engine import Network
from dynamic_deep.errors import ModelError
from tests.make_bundle import LEVELS, STEP, STRIDE, cosines
from tests.signals import COSINE

NETWORKS = load_bundle(COSINE).networks


def test_outputs_come_in_the_order_of_the_levels(rng: np.random.Generator) -> None:
    network = Network(NETWORKS["encoder"], "encoder")
    # Growing and shrinking again: each call asks for other shapes.
    for n_segments in (1, 4, 2, 4):
        segments = rng.normal(0, 1, (n_segments, SEGMENT_LEN, 1)).astype(np.float32)
        outputs = network.run(segments)
        blocks = segments.reshape(n_segments, -1, STRIDE)
        assert len(outputs) == len(LEVELS)
        for output, n_kept in zip(outputs, LEVELS.values(), strict=True):
            assert output.dtype == np.float32
            expected = blocks @ (cosines(n_kept) / STEP)
            assert np.abs(output - expected).max() < 1e-4


def test_inputs_go_in_the_order_of_the_signature(rng: np.random.Generator) -> None:
    network = Network(NETWORKS["body"], "body", n_threads=2)
    for n_steps in (35, 140, 3):
        features = rng.normal(0, 1, (1, n_steps, 12)).astype(np.float32)
        (x_hat,) = network.run(features, np.ones(1, np.int32))
        expected = features @ (STEP * cosines(12).T)
        assert np.abs(x_hat.ravel() - expected.ravel()).max() < 1e-4


def test_an_answer_outlives_the_next_call() -> None:
    network = Network(NETWORKS["entry_gain_64"], "entry_gain_64")
    (first,) = network.run(np.ones((1, 5, 6), np.float32))
    kept = first.copy()
    network.run(np.full((1, 5, 6), 9.0, np.float32))
    assert (first == kept).all()


@pytest.mark.parametrize("content", [b"", b"TFL3", bytes(2000), b"\xff" * 4000])
def test_what_is_no_network_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match="body"):
        Network(content, "body")


def test_a_network_cut_anywhere_is_refused() -> None:
    whole = NETWORKS["encoder"]
    for length in range(0, len(whole) - 64, 499):
        with pytest.raises(ModelError, match="encoder"):
            Network(whole[:length], "encoder")


def test_loading_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    Network(NETWORKS["body"], "body")
    assert capfd.readouterr() == ("", "")
