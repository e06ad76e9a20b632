# SPDX-License-Identifier: Apache-2.0
"""`rate_model`: what training believes a symbol costs is what the codec charges."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.latent import (
    FIRST_TABLE_AT,
    MAGNITUDE_CAP,
    N_TABLES,
    TABLE_STEP,
    WEIGHT_UNIT,
    LatentCoder,
)
from training.latent_tables import context_weights, prior_tables
from training.rate_model import MAGNITUDE_CAP as TRAINED_CAP
from training.rate_model import RateModel, group_masks, group_of


def make_rate(n_channels: int, n_groups: int, *, seed: int = 0) -> RateModel:
    """A rate model whose weights are whole numbers of the codec's unit."""
    rng = np.random.default_rng(seed)
    rate = RateModel(n_channels, n_groups)
    for weights in (rate.earlier, rate.same):
        whole = rng.integers(-8, 20, weights.shape)
        weights.assign((whole / WEIGHT_UNIT).astype(np.float32))
    bias = rng.integers(-150, 60, n_channels)
    rate.bias.assign((bias / WEIGHT_UNIT).astype(np.float32))
    return rate


def make_coder(rate: RateModel) -> LatentCoder:
    from dynamic_deep.entropy import normalize_counts

    return LatentCoder(context_weights(rate), normalize_counts(prior_tables()))


def make_latents(n_windows: int, n_steps: int, n_channels: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    y = np.rint(rng.laplace(0, 2.0, (n_windows, n_steps, n_channels)))
    y[0, ::5] *= 9  # past the cap
    return y.astype(np.int32)


@pytest.mark.parametrize(("n_channels", "n_groups"), [(7, 3), (18, 4), (4, 1), (5, 5)])
def test_training_and_codec_find_the_same_tables(
    n_channels: int, n_groups: int
) -> None:
    rate = make_rate(n_channels, n_groups)
    coder = make_coder(rate)
    y = make_latents(3, 36, n_channels)
    log_scale = keras.ops.convert_to_numpy(rate.log_scale(y.astype(np.float32)))
    whole = np.rint(log_scale * WEIGHT_UNIT).astype(int)
    assert np.abs(whole - log_scale * WEIGHT_UNIT).max() < 0.01
    expected = np.clip((whole - FIRST_TABLE_AT) // TABLE_STEP, 0, N_TABLES - 1)
    for window, tables in zip(y, expected, strict=True):
        assert (coder.table_idx(window) == tables).all()
    assert len(np.unique(expected)) > 8


def test_rounded_weights_stay_near_the_trained_ones(rng: np.random.Generator) -> None:
    rate = make_rate(8, 4)
    for weights in (rate.earlier, rate.same, rate.bias):
        weights.assign(rng.normal(0, 0.1, weights.shape).astype(np.float32))
    coder = make_coder(rate)
    y = make_latents(2, 20, 8)
    log_scale = keras.ops.convert_to_numpy(rate.log_scale(y.astype(np.float32)))
    # Each of the rounded weights is off by at most half a unit times a magnitude of 8;
    # in the mean far less.
    trained = (log_scale * WEIGHT_UNIT - FIRST_TABLE_AT) / TABLE_STEP - 0.5
    got = np.stack([coder.table_idx(window) for window in y])
    off = got - np.clip(trained, 0, N_TABLES - 1)
    assert np.abs(off).mean() < 0.5
    assert np.abs(off).max() < 3


def test_groups_are_the_codecs() -> None:
    assert TRAINED_CAP == MAGNITUDE_CAP
    for n_channels in range(1, 24):
        for n_groups in range(1, 7):
            group = group_of(n_channels, n_groups)
            assert (np.diff(group) >= 0).all()
            coder = make_coder(RateModel(n_channels, n_groups))
            found = np.full(n_channels, -1)
            for number, channels in enumerate(coder.groups):
                found[channels] = number
            # Numbers may skip where there are more groups than channels.
            assert (found == np.unique(group, return_inverse=True)[1]).all()


def test_masks_by_hand() -> None:
    earlier, same = group_masks(4, 2)
    assert earlier.astype(int).tolist() == [
        [0, 0, 1, 1],
        [0, 0, 1, 1],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]
    assert same.astype(int).tolist() == [
        [1, 1, 0, 0],
        [1, 1, 0, 0],
        [0, 0, 1, 1],
        [0, 0, 1, 1],
    ]


def test_the_bits_are_those_of_a_distribution() -> None:
    rate = make_rate(5, 2)
    y_hat = make_latents(1, 9, 5).astype(np.float32)
    # The scale follows from the rest, so the symbol itself may be anything.
    values = np.arange(-700, 701, dtype=np.float32)[:, None, None]
    bits = keras.ops.convert_to_numpy(rate(values + 0 * y_hat, y_hat))
    total = (2.0 ** -bits.astype(np.float64)).sum(axis=0)
    # Each symbol is floored at 1e-9, which the 1,401 of them add up.
    assert np.abs(total - 1.0).max() < 1e-3


def test_a_symbol_costs_what_its_table_says(rng: np.random.Generator) -> None:
    rate = make_rate(6, 3)
    for weights in (rate.earlier, rate.same):
        weights.assign(weights / 8)
    coder = make_coder(rate)
    # Drawn pass by pass from what the model itself foretells.
    y = np.zeros((300, 6), np.int32)
    for steps, channels, idx in coder.passes(y):
        middle = FIRST_TABLE_AT + TABLE_STEP * (idx + 0.5)
        drawn = rng.logistic(0, np.exp(middle / WEIGHT_UNIT))
        y[steps, channels] = np.clip(np.rint(drawn), -15, 15)
    y_float = y[None].astype(np.float32)
    believed = float(keras.ops.sum(rate(y_float, y_float)))
    log_scale = keras.ops.convert_to_numpy(rate.log_scale(y_float))
    assert -3.0 < log_scale.min() < log_scale.max() < 4.0  # what the tables reach
    # Tables are a quarter of a logarithm apart, which costs little.
    assert coder.n_bits(y) == pytest.approx(believed, rel=0.03)
    # The context is worth something: without it the same symbols cost more.
    rate.earlier.assign(0 * rate.earlier)
    rate.same.assign(0 * rate.same)
    assert make_coder(rate).n_bits(y) > coder.n_bits(y) + 20


def test_no_gradient_flows_through_the_context() -> None:
    import tensorflow as tf

    rate = make_rate(4, 2)
    y = tf.constant(make_latents(1, 8, 4).astype(np.float32))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(y)
        only_context = tf.reduce_sum(rate(tf.zeros_like(y) + 0.3, y))
        noisy = tf.reduce_sum(rate(y + 0.2, y))
    assert tape.gradient(only_context, y) is None
    assert float(tf.reduce_max(tf.abs(tape.gradient(noisy, y)))) > 0
    assert tape.gradient(only_context, rate.earlier) is not None
    assert tape.gradient(only_context, rate.same) is not None


def test_a_tail_far_out_still_has_a_finite_cost() -> None:
    rate = RateModel(2, 1)
    y = np.array([[[1e4, -1e4]]], np.float32)
    bits = keras.ops.convert_to_numpy(rate(y, y))
    assert np.isfinite(bits).all()
    assert (bits > 20).all()
