# SPDX-License-Identifier: Apache-2.0
"""`training.model`: it learns, it repeats, and it steers the rate."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from training.model import (
    FIRST_LMBDA_SHARE,
    CodecModel,
    ramped_lmbda,
    target_rate,
)
from training.presets import PRESETS, Preset, find_preset
from training.trainer import build_model


def losses(preset: Preset, batch: np.ndarray, n_steps: int) -> list[float]:
    model = build_model(preset)
    return [float(np.ravel(model.train_on_batch(batch))[0]) for _ in range(n_steps)]


def test_target_rates_by_hand() -> None:
    # 16 bits / 32 = 0.5 bits a sample, less the frame's 56 bits over 8960 samples.
    assert target_rate(32) == 0.5 - 56 / 8960
    assert target_rate(256) == 0.0625 - 0.00625
    assert ramped_lmbda(32) == 0.16
    assert ramped_lmbda(64) / ramped_lmbda(32) == pytest.approx(2**1.6)


def test_the_loss_falls_and_repeats(tiny_preset: Preset, batch: np.ndarray) -> None:
    preset = dataclasses.replace(tiny_preset, learning_rate=1e-2)
    first = losses(preset, batch[:2], 40)
    assert min(first[-5:]) < 0.75 * first[0]
    assert losses(preset, batch[:2], 12) == first[:12]
    other = dataclasses.replace(preset, seed=preset.seed + 1)
    assert losses(other, batch[:2], 3) != first[:3]


def test_each_level_gets_its_share(tiny_model: CodecModel, batch: np.ndarray) -> None:
    latents = tiny_model.latents(batch)
    assert [tuple(y.shape) for y in latents] == [(2, 140, 7), (2, 140, 4)]
    x_hat, bits = tiny_model(batch)
    assert tuple(x_hat.shape) == batch.shape
    assert [tuple(b.shape) for b in bits] == [(2,), (2,)]
    # The first level sees the first half of the batch alone.
    other = batch.copy()
    other[2:] = 0
    again = tiny_model(other)[0]
    assert np.abs(again[:2] - x_hat[:2]).max() < 1e-5
    assert np.abs(again[2:] - x_hat[2:]).max() > 1e-5


def test_the_reconstruction_is_that_of_rounded_latents(
    tiny_model: CodecModel, batch: np.ndarray
) -> None:
    x_hat, bits = tiny_model(batch)
    again, same_bits = tiny_model(batch)
    assert (
        keras.ops.convert_to_numpy(x_hat) == keras.ops.convert_to_numpy(again)
    ).all()
    assert np.allclose(bits[0], same_bits[0])
    y = keras.ops.convert_to_numpy(tiny_model.latents(batch)[0])
    y_hat = np.rint(y)
    assert np.abs(y_hat).max() > 0
    features = tiny_model.entries[0](y_hat)
    level = keras.ops.zeros((2,), dtype="int32")
    expected = keras.ops.convert_to_numpy(tiny_model.body([features, level]))
    assert np.abs(expected - x_hat[:2]).max() < 1e-4
    believed = keras.ops.convert_to_numpy(tiny_model.rates[0](y_hat, y_hat))
    assert np.allclose(believed.sum(axis=(1, 2)), bits[0], rtol=1e-4)


def test_noise_takes_the_place_of_rounding_in_training(
    tiny_model: CodecModel, batch: np.ndarray
) -> None:
    _, bits = tiny_model(batch, training=True)
    _, other = tiny_model(batch, training=True)
    _, rounded = tiny_model(batch)
    assert not np.allclose(bits[0], other[0], rtol=1e-6)
    assert np.allclose(bits[0], rounded[0], rtol=0.2)


def test_figures_are_those_of_each_level(
    tiny_model: CodecModel, batch: np.ndarray
) -> None:
    tiny_model.reset_metrics()
    tiny_model.test_on_batch(batch)
    x_hat, bits = tiny_model(batch)
    error = keras.ops.convert_to_numpy(x_hat) - batch
    prdn = 100 * np.linalg.norm(error, axis=(1, 2)) / np.linalg.norm(batch, axis=(1, 2))
    assert abs(prdn[:2].mean() - prdn[2:].mean()) > 1e-3
    for i, share in enumerate((slice(0, 2), slice(2, 4))):
        shown = float(tiny_model.prdn_means[i].result())
        assert shown == pytest.approx(prdn[share].mean(), rel=1e-4)
        rate = float(tiny_model.rate_means[i].result())
        assert rate == pytest.approx(float(np.mean(bits[i])) / 8960, rel=1e-4)


def test_gradients_reach_every_part(tiny_preset: Preset, batch: np.ndarray) -> None:
    model = build_model(dataclasses.replace(tiny_preset, learning_rate=1e-2))
    before = [keras.ops.convert_to_numpy(v).copy() for v in model.trainable_variables]
    for _ in range(2):  # what begins at zero holds the layer before it for a step
        model.train_on_batch(batch)
    still = [
        v.path
        for v, old in zip(model.trainable_variables, before, strict=True)
        if (keras.ops.convert_to_numpy(v) == old).all()
    ]
    assert still == []


def test_the_weight_of_the_rate_is_ramped_then_steered(
    tiny_preset: Preset, batch: np.ndarray
) -> None:
    model = build_model(tiny_preset)
    model.settings = dataclasses.replace(model.settings, n_ramp_steps=2)
    start = np.exp(keras.ops.convert_to_numpy(model.log_lmbda))
    gains = [latent.nominal_gain for latent in tiny_preset.networks.latents]
    expected = [FIRST_LMBDA_SHARE * ramped_lmbda(gain) for gain in gains]
    assert np.allclose(start, expected, rtol=1e-5)
    for _ in range(2):
        model.train_on_batch(batch)
    ramped = np.exp(keras.ops.convert_to_numpy(model.log_lmbda))
    assert np.allclose(ramped, [ramped_lmbda(gain) for gain in gains], rtol=1e-4)
    model.reset_metrics()
    model.train_on_batch(batch)
    steered = np.exp(keras.ops.convert_to_numpy(model.log_lmbda)) / ramped
    rates = [float(mean.result()) for mean in model.rate_means]
    over = [rate > target_rate(gain) for rate, gain in zip(rates, gains, strict=True)]
    assert (steered > 1).tolist() == over


def test_presets_are_found_or_refused() -> None:
    from dynamic_deep.errors import ConfigError

    for name, preset in PRESETS.items():
        assert find_preset(name) is preset
        assert preset.networks.name == name
    with pytest.raises(ConfigError, match="edge, standard, got 'huge'"):
        find_preset("huge")
