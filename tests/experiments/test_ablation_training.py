# SPDX-License-Identifier: Apache-2.0
"""The ablations' trainings: without a rate, a coarser step, weights of 16 bits."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.engine import Network
from dynamic_deep.errors import ConfigError
from dynamic_deep.networks import Conv, LatentConfig, NetworkConfig
from experiments.ablations.names import NO_RATE, SIZES
from experiments.ablations.presets import (
    PRESETS,
    TRUNKS,
    AblationPreset,
    find_ablation,
)
from experiments.ablations.step import coarsen, fit_context
from experiments.train.ablation import build

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

TINY = AblationPreset(
    networks=NetworkConfig(
        name="tiny",
        trunk=(
            Conv(filters=4, kernel=16, stride=8),
            Conv(filters=4, kernel=4, stride=4),
        ),
        latents=(
            LatentConfig(nominal_gain=64, n_channels=4, n_groups=2),
            LatentConfig(nominal_gain=128, n_channels=2, n_groups=2),
        ),
        decoder_width=8,
        n_decoder_blocks=1,
    ),
    n_warmup_steps=1,
)


def numpy_of(value: Any) -> np.ndarray:
    array: np.ndarray = keras.ops.convert_to_numpy(value)
    return array


@pytest.fixture(scope="module")
def model() -> Any:
    return build(dataclasses.replace(TINY, has_rate_term=False))


def test_only_what_is_named_differs() -> None:
    base = dataclasses.asdict(PRESETS["edge"])
    for name, preset in PRESETS.items():
        settings = dataclasses.asdict(preset)
        changed = {key for key in base if settings[key] != base[key]}
        assert changed <= {"networks", "has_rate_term"}
        networks, same = settings["networks"], base["networks"]
        differing = {key for key in same if networks[key] != same[key]}
        assert differing <= {"name", "trunk"}
        assert ("trunk" in differing) == (name not in ("edge", NO_RATE))
    assert not PRESETS[NO_RATE].has_rate_term
    assert NO_RATE not in TRUNKS
    assert tuple(TRUNKS) == SIZES


def test_an_unknown_ablation_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"tiny.*no_rate, got 'huge'"):
        find_ablation("huge")


def test_without_the_rate_term_steps_leave_the_rate_models_alone(model: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 8960, 1)).astype(np.float32)
    bias = numpy_of(model.rates[0].bias)
    kernel = numpy_of(model.trunk.layers[1].kernel)
    for _ in range(3):
        loss = float(np.ravel(model.train_on_batch(x))[0])
    assert np.isfinite(loss)
    assert (np.exp(numpy_of(model.log_lmbda)) == 0.0).all()
    assert (numpy_of(model.rates[0].bias) == bias).all()
    assert not np.array_equal(numpy_of(model.trunk.layers[1].kernel), kernel)


def test_a_coarser_step_changes_nothing_but_the_rounding(model: Any) -> None:
    features = np.random.default_rng(1).normal(size=(1, 70, 4)).astype(np.float32)
    before = numpy_of(model.tails[0](features))
    decoded = numpy_of(model.entries[0](before))
    coarsen(model, 0, 4.0)
    after = numpy_of(model.tails[0](features))
    np.testing.assert_allclose(after, before / 4.0, rtol=1e-5)
    np.testing.assert_allclose(
        numpy_of(model.entries[0](after)), decoded, rtol=1e-3, atol=1e-5
    )


def test_a_context_model_is_fitted_to_a_latent(model: Any) -> None:
    rng = np.random.default_rng(2)
    # A channel that is loud only where the one of the group before is.
    loud = rng.random((80, 20, 1)) < 0.2
    y = np.where(loud, 6.0, 0.05) * rng.normal(size=(80, 20, 2))
    rate = model.rates[1]
    noisy = (y + rng.uniform(-0.5, 0.5, y.shape)).astype(np.float32)
    untrained = float(np.mean(numpy_of(rate(noisy, np.rint(y)))))
    fit_context(rate, y.astype(np.float32))
    fitted = float(np.mean(numpy_of(rate(noisy, np.rint(y)))))
    assert fitted < 0.9 * untrained
    assert numpy_of(rate.earlier)[1, 0, 1] > 0.1


def test_weights_of_16_bits_decode_alike_in_half_the_bytes(model: Any) -> None:
    from experiments.ablations.export import encoder_macs, half_networks
    from training.lite import export_networks

    networks, full = half_networks(model), export_networks(model)
    assert networks.keys() == full.keys()
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1, 2240, 1)).astype(np.float32)
    # A tiny network may grow by the operations that widen its weights again.
    assert sum(map(len, networks.values())) < 0.7 * sum(map(len, full.values()))
    found = Network(networks["encoder"], "encoder").run(x)
    wanted = Network(full["encoder"], "encoder").run(x)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=0.02 * np.abs(other).max())
    # 280 outputs of 16 taps, 70 of 4 x 4 x 4; two tails of 2 x 4 taps.
    assert encoder_macs(model) == 280 * 64 + 70 * 64 + 35 * 8 * (4 + 2)
