# SPDX-License-Identifier: Apache-2.0
"""`training.graft`: a codec begins as the trained one that is nearest to it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.errors import ConfigError
from dynamic_deep.networks import LatentConfig, LevelAffine
from training.graft import graft, nearest_level
from training.model import CodecModel
from training.presets import find_preset
from training.task_aware_presets import TASK_AWARE_PRESETS

if TYPE_CHECKING:
    from dynamic_deep.networks import NetworkConfig

numpy = keras.ops.convert_to_numpy


def latent(gain: int, n_channels: int = 4) -> LatentConfig:
    return LatentConfig(nominal_gain=gain, n_channels=n_channels, n_groups=2)


def made(config: NetworkConfig, seed: int, batch: np.ndarray) -> CodecModel:
    """A model with no two weights alike."""
    model = CodecModel(config, seed=seed)
    model(batch[: len(config.latents)])
    rng = np.random.default_rng(seed)
    for variable in [*model.trainable_variables, model.log_lmbda]:
        kept = numpy(variable)
        variable.assign(kept + rng.normal(0, 0.05, kept.shape).astype(np.float32))
    return model


@pytest.fixture(scope="module")
def source(tiny_config: NetworkConfig, batch: np.ndarray) -> CodecModel:
    return made(tiny_config, 3, batch)


def same(first: keras.Model, second: keras.Model) -> bool:
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return all((a == b).all() for a, b in pairs)


def test_the_nearest_level_by_hand() -> None:
    trained = (latent(32), latent(64), latent(128), latent(256, 3))
    # On a logarithmic scale 91 is nearer to 128, 90 to 64.
    chosen = [nearest_level(latent(gain), trained) for gain in (16, 90, 91, 704)]
    assert chosen == [0, 1, 2, 2]
    assert nearest_level(latent(32, 3), trained) == 3
    with pytest.raises(
        ConfigError, match=r"gain_64 .* got 5; choose one of 4, 4, 4, 3"
    ):
        nearest_level(latent(64, 5), trained)


def test_the_same_ladder_is_the_same_codec(
    source: CodecModel, tiny_config: NetworkConfig, batch: np.ndarray
) -> None:
    target = made(tiny_config, 4, batch)
    before = numpy(target(batch)[0])
    graft(source, target)
    x_hat, bits = source(batch)
    grafted, grafted_bits = target(batch)
    assert np.abs(before - x_hat).max() > 1e-3
    assert (numpy(grafted) == numpy(x_hat)).all()
    for mine, other in zip(bits, grafted_bits, strict=True):
        assert (numpy(mine) == numpy(other)).all()
    assert (numpy(target.log_lmbda) == numpy(source.log_lmbda)).all()


def test_another_ladder_on_a_shorter_trunk(
    source: CodecModel, tiny_config: NetworkConfig, batch: np.ndarray
) -> None:
    ladder = (tiny_config.latents[0], latent(96), latent(128), latent(512))
    config = dataclasses.replace(
        tiny_config, trunk=tiny_config.trunk[:-1], latents=ladder
    )
    target = made(config, 4, batch)
    graft(source, target)
    chosen = [0, 1, 1, 1]
    for i, j in enumerate(chosen):
        assert same(target.tails[i], source.tails[j])
        assert same(target.entries[i], source.entries[j])
        assert same(target.rates[i], source.rates[j])
    assert (numpy(target.log_lmbda) == numpy(source.log_lmbda)[chosen]).all()
    trained = {layer.name: layer for layer in source.trunk.layers}
    convs = [layer for layer in target.trunk.layers if layer.weights]
    assert len(convs) == 4
    assert all(same(layer, trained[layer.name]) for layer in convs)
    # Each level of the body answers as the level it began as.
    rng = np.random.default_rng(1)
    features = np.repeat(rng.normal(0, 1, (1, 10, 8)), 4, axis=0).astype(np.float32)
    answers = numpy(target.body([features, np.arange(4, dtype=np.int32)]))
    expected = numpy(source.body([features, np.array(chosen, np.int32)]))
    assert np.abs(answers - expected).max() < 1e-5
    assert np.abs(answers[0] - answers[1]).max() > 1e-4
    affine = [v for v in target.body.layers if isinstance(v, LevelAffine)]
    assert affine[0].scale.shape == (4, 8)


@pytest.mark.parametrize("name", TASK_AWARE_PRESETS)
def test_every_preset_can_begin_from_its_phase_1(name: str) -> None:
    preset = TASK_AWARE_PRESETS[name]
    trained = find_preset(preset.phase_1).networks
    for level in preset.networks.latents:
        nearest_level(level, trained.latents)
    n_trunk = len(preset.networks.trunk)
    assert preset.networks.trunk == trained.trunk[:n_trunk]
    assert preset.networks.decoder_width == trained.decoder_width
