# SPDX-License-Identifier: Apache-2.0
"""Quantising a bundle's encoder, with simulated windows in place of records."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.bundle import SHIPPED, Bundle, load_bundle
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.engine import Network
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.firmware.samples import ecg_window
from tests.signals import AWARE

pytest.importorskip("tensorflow")

from training.int8 import put_encoder, quantize_encoder, with_encoder
from training.int8_bias import mean_errors
from training.int8_compare import compare_levels
from training.int8_equalize import equalized
from training.int8_graph import activations, read_graph


@pytest.fixture(scope="module")
def small() -> Bundle:
    return load_bundle("edge")


@pytest.fixture(scope="module")
def segments() -> np.ndarray:
    windows = [ecg_window(seed).reshape(-1, SEGMENT_LEN) for seed in range(6)]
    x = np.concatenate(windows).astype(np.float32)
    return x / x.std()


@pytest.fixture(scope="module")
def content(small: Bundle, segments: np.ndarray) -> bytes:
    return quantize_encoder(small, segments)


def test_the_graph_computes_what_the_network_does(
    small: Bundle, segments: np.ndarray
) -> None:
    graph = read_graph(small.networks["encoder"])
    values = activations(graph, segments[:3])
    wanted = Network(small.networks["encoder"], "encoder").run(segments[:3, :, None])
    for output, theirs in zip(graph.outputs, wanted, strict=True):
        ours = values[output].reshape(theirs.shape)
        assert np.abs(ours - theirs).max() < 1e-4


def test_equalising_changes_nothing_but_the_gains(
    small: Bundle, segments: np.ndarray
) -> None:
    graph = read_graph(small.networks["encoder"])
    changed, gains = equalized(graph, segments)
    wanted = Network(small.networks["encoder"], "encoder").run(segments[:4, :, None])
    values = activations(changed, segments[:4])
    for output, gain, theirs in zip(graph.outputs, gains, wanted, strict=True):
        ours = values[output].reshape(theirs.shape) / gain
        error = np.abs(ours - theirs)
        # All but what is cut off.
        assert np.median(error) < 1e-4 * max(1.0, float(np.abs(theirs).max()))


def test_integers_stay_close_to_the_float_encoder(
    small: Bundle, segments: np.ndarray, content: bytes
) -> None:
    encoder = IntegerEncoder(content, small.model_id.hex())
    found = encoder.run(segments[..., None])
    wanted = Network(small.networks["encoder"], "encoder").run(segments[..., None])
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.shape == theirs.shape
        spread = float(np.std(theirs))
        assert float(np.sqrt(np.square(ours - theirs).mean())) < 0.05 * spread + 0.01


def test_a_bias_that_was_added_is_found() -> None:
    rng = np.random.default_rng(1)
    wanted = rng.normal(size=(5, 40, 3)).astype(np.float32)
    added = np.array([0.1, -0.2, 0.0], np.float32)
    found = wanted + added + rng.normal(0, 0.01, wanted.shape).astype(np.float32)
    assert np.abs(mean_errors([found], [wanted])[0] - added).max() < 0.01


def test_it_is_put_in_a_bundle_and_used(
    small: Bundle, content: bytes, tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    shutil.copytree(SHIPPED / "edge", folder)
    path = put_encoder(folder, content)
    assert path.read_bytes() == content
    loaded = load_bundle(folder)
    assert loaded.model_id == small.model_id
    assert not list(folder.glob(".*"))
    from dynamic_deep.trials import Subject
    from dynamic_deep.window_codec import WindowPlace

    x = ecg_window(3)
    place = WindowPlace(n_samples=len(x), fs=300.0, baseline=0, adc_bits=16)
    subject = Subject(record="a", x=x, place=place)
    rows, n_windows = compare_levels(with_encoder(small, content), [subject])
    assert n_windows == 1
    assert {row.level for row in rows} == set(small.latents)
    assert all(0.8 < row.byte_ratio < 1.25 for row in rows)


def test_what_cannot_be_quantised_is_refused(
    small: Bundle, segments: np.ndarray
) -> None:
    with pytest.raises(ConfigError, match="8 or 16 bits"):
        quantize_encoder(small, segments, activation_bits=4)
    with pytest.raises(ModelError, match="has none"):
        quantize_encoder(load_bundle("classical"), segments)
    other = load_bundle(AWARE)  # multiplies matrices
    with pytest.raises(ModelError, match="convolutions"):
        quantize_encoder(other, segments)
