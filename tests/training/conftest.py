# SPDX-License-Identifier: Apache-2.0
"""Small networks and small data, so that a step of training takes milliseconds."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    import keras

    from dynamic_deep.networks import NetworkConfig
    from training.datasets import Lead
    from training.model import CodecModel
    from training.presets import Preset


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pass what TensorFlow 2.21 does to NumPy 2 (November 2026)."""
    mark = pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    )
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(mark)


@pytest.fixture(scope="session")
def tiny_config() -> NetworkConfig:
    """Two levels on a trunk that has every kind of convolution there is."""
    pytest.importorskip("tensorflow", reason="needs the extra `train`")
    from dynamic_deep.networks import Conv, LatentConfig, NetworkConfig

    return NetworkConfig(
        name="tiny",
        trunk=(
            Conv(filters=8, kernel=16, stride=8),
            Conv(filters=8, kernel=5, stride=2),
            Conv(filters=8, kernel=4, stride=2),
            Conv(filters=8, kernel=3, residual=True),
            Conv(filters=8, kernel=5, residual=True, separable=True),
        ),
        latents=(
            LatentConfig(nominal_gain=32, n_channels=7, n_groups=3),
            LatentConfig(nominal_gain=128, n_channels=4, n_groups=2),
        ),
        decoder_width=8,
        n_decoder_blocks=1,
    )


@pytest.fixture(scope="session")
def tiny_preset(tiny_config: NetworkConfig) -> Preset:
    """A run of a few steps."""
    from training.presets import Preset

    return Preset(
        networks=tiny_config,
        n_steps=4,
        windows_per_level=1,
        n_warmup_steps=1,
        learning_rate=3e-3,
    )


@pytest.fixture(scope="session")
def tiny_model(tiny_preset: Preset) -> CodecModel:
    """An untrained model whose rate models look at every symbol they may see."""
    from training.trainer import build_model

    model = build_model(dataclasses.replace(tiny_preset, seed=7))
    rng = np.random.default_rng(7)
    for rate in model.rates:
        for weights in (rate.earlier, rate.same):
            weights.assign(rng.normal(0.05, 0.1, weights.shape).astype(np.float32))
        rate.bias.assign(rng.normal(-0.5, 0.5, rate.bias.shape).astype(np.float32))
    return model


@pytest.fixture(scope="session")
def leads() -> list[Lead]:
    """Three simulated leads of seventy seconds, as a data set has them."""
    from dynamic_deep.synthetic import simulate_ecg
    from training.datasets import Lead

    found = []
    for seed in range(3):
        x = simulate_ecg(70.0, seed=seed).samples[:, 0].astype(np.float32)
        found.append(Lead(record=f"s{seed}", lead=0, x=x))
    return found


@pytest.fixture(scope="session")
def batch(leads: list[Lead]) -> np.ndarray:
    """Four normalised windows: float32, (4, 8960, 1)."""
    from training.datasets import all_windows

    windows: np.ndarray = all_windows(leads)[:4]
    return windows


def tiny_task(task: str) -> keras.Model:
    """Build a network of a task's form with a single convolution."""
    import keras

    inputs = keras.Input((None, 1))
    if task == "rhythm":
        answer = keras.layers.Conv1D(
            4, 256, strides=256, padding="same", activation="softmax"
        )
    else:
        answer = keras.layers.Conv1D(1, 9, padding="same", activation="sigmoid")
    return keras.Model(inputs, answer(inputs), name=task)


@pytest.fixture
def tiny_tasks() -> dict[str, keras.Model]:
    """A network for each task, always the same."""
    pytest.importorskip("tensorflow", reason="needs the extra `train`")
    import keras

    keras.utils.set_random_seed(9)
    return {task: tiny_task(task) for task in ("rhythm", "rpeaks")}


@pytest.fixture
def tiny_builders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every preset of a task train a tiny network."""
    from training.task_networks import BUILDERS

    for task in ("rhythm", "rpeaks"):
        monkeypatch.setitem(
            BUILDERS, (task, "compact"), functools.partial(tiny_task, task)
        )
