# SPDX-License-Identifier: Apache-2.0
"""Each part of the training of the paper's codec learns and is exported."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from dynamic_deep.engine import Network
from dynamic_deep.networks.paper import build_paper_decoder
from experiments.train.paper_data import LabelledWindows, RandomSegments
from experiments.train.paper_export import (
    convert_half,
    latent_range,
    mean_prdn,
    run_batched,
    thin_decoder,
)
from experiments.train.paper_heads import HeadPhase, build_segment_head, fit_head
from experiments.train.paper_model import even_out, start_locally


@pytest.fixture
def waves(rng: np.random.Generator) -> list[np.ndarray]:
    at = np.arange(9100)
    return [
        (200 * np.sin(at / pace) + rng.normal(0, 5, at.size)).astype(np.int16)
        for pace in (20.0, 35.0, 50.0)
    ]


def test_batches_are_the_same_every_time(waves: list[np.ndarray]) -> None:
    segments = RandomSegments([waves, waves], seed=3)
    assert np.array_equal(segments.batch(4, 5), segments.batch(4, 5))
    assert not np.array_equal(segments.batch(4, 5), segments.batch(5, 5))
    assert segments.batch(0, 2).shape == (2, 2000, 1)


def test_labelled_windows_keep_their_class(waves: list[np.ndarray]) -> None:
    windows = LabelledWindows([waves[0], waves[1], waves[2][:800]], [2, 0, 1], seed=1)
    x, classes = windows.batch(0, 8)
    assert x.shape == (8, 8960)
    assert classes[:, 1].sum() == 0.0
    slow = np.abs(np.diff(np.sign(x), axis=1)).sum(axis=1) < 220
    assert np.array_equal(slow, classes[:, 0] == 1.0)


@pytest.fixture
def decoder() -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_paper_decoder(64)


def test_an_even_start_leaves_something_of_the_signal(
    decoder: keras.Model, rng: np.random.Generator
) -> None:
    latents = rng.normal(size=(4, 32, 1)).astype(np.float32)
    start_locally(decoder)
    (before,) = run_batched(decoder, latents)
    (after,) = even_out(decoder, latents)
    spread = keras.ops.convert_to_numpy(after).std(axis=0).mean()
    assert spread > 0.2
    assert spread > 10 * before.std(axis=0).mean()


def test_a_full_rank_computes_the_same(
    decoder: keras.Model, rng: np.random.Generator
) -> None:
    latents = rng.normal(size=(40, 32, 1)).astype(np.float32)
    even_out(decoder, latents)
    (x_hat,) = run_batched(decoder, latents)
    x_hat = x_hat[:, :, 0]
    thin = thin_decoder(decoder, x_hat, 64)
    assert run_batched(thin, latents)[0][:, :, 0] == pytest.approx(x_hat, abs=2e-3)
    narrow = run_batched(thin_decoder(decoder, x_hat, 2), latents)[0][:, :, 0]
    assert mean_prdn(x_hat, narrow) > 1.0
    exported = Network(convert_half(thin, (32, 1)), "decoder")
    assert exported.run(latents)[0][:, :, 0] == pytest.approx(x_hat, abs=2e-2)


def test_a_head_learns_the_error_of_each_window(rng: np.random.Generator) -> None:
    latents = rng.normal(size=(64, 5, 32)).astype(np.float32)
    latents *= np.linspace(0.1, 2.0, 64, dtype=np.float32)[:, None, None]
    errors = np.linspace(0.0, 2.0, 64, dtype=np.float32)
    phase = HeadPhase(n_steps=250, batch=32, learning_rate=1e-2)
    head = fit_head(64, latents, errors, phase, log=lambda line: None)
    said = keras.ops.convert_to_numpy(head(latents))[:, 0]
    assert np.corrcoef(said, errors)[0, 1] > 0.8
    assert said.min() >= 0.0


def test_heads_have_the_published_size() -> None:
    assert build_segment_head(32).count_params() == 1038
    assert build_segment_head(64).count_params() == 910


def test_the_range_of_eight_bits_leaves_the_rare_out() -> None:
    latents = np.r_[np.linspace(-0.2, 1.0, 100_000), 50.0]
    low, high = latent_range(latents)
    assert (low, high) == pytest.approx((-0.2, 1.0), abs=0.01)
