# SPDX-License-Identifier: Apache-2.0
"""The autoencoder of 2018 in training: both forms, and their weights between runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dynamic_deep.errors import ConfigError
from experiments.networks.dense2018 import N_FEATURES, N_SAMPLES, unfold_filter
from experiments.networks.segments2018 import SEGMENT_LEN
from experiments.networks.yildirim2018 import build_autoencoder, build_convolutional
from experiments.train.cae_plan import CaeTraining

WEIGHTS = "weights.npz"  # of a run


def build_network(training: CaeTraining) -> tuple[keras.Model, keras.Model]:
    """Return the network of a training and its convolutional form.

    Raises:
        ConfigError: If the run it begins from has no weights.
    """
    keras.utils.set_random_seed(training.seed)
    model = build_autoencoder(training.level)
    convolutional = build_convolutional(model)
    if training.begin:
        take_weights(model, convolutional, Path(training.begin) / WEIGHTS)
    return model, convolutional


def take_weights(
    model: keras.Model, convolutional: keras.Model, path: Path
) -> list[str]:
    """Take over the weights that another run has, too, but for the dense layer's.

    Args:
        model: an autoencoder.
        convolutional: its convolutional form.
        path: what `save_weights` wrote.

    Returns:
        The names of the weights that were not there.

    Raises:
        ConfigError: If there is no such file.
    """
    if not path.is_file():
        raise ConfigError(
            f"a run to begin from must hold {path.name}, got {str(path.parent)!r}; "
            "let it end first"
        )
    missing = []
    with np.load(path, allow_pickle=False) as stored:
        for name, variable in named_weights(model, convolutional).items():
            if name not in stored:
                missing.append(name)
            elif not name.startswith("decoder/samples/"):
                variable.assign(stored[name])
    return missing


def named_weights(model: keras.Model, convolutional: keras.Model) -> dict[str, Any]:
    """Return all weights of both forms by the names of part, layer and weight."""
    parts = [
        (part.name, layer)
        for part in (model.get_layer("encoder"), model.get_layer("decoder"))
        for layer in part.layers
    ]
    parts.append(("convolutional", convolutional.get_layer("filter")))
    return {
        f"{part}/{layer.name}/{variable.name}": variable
        for part, layer in parts
        for variable in layer.weights
    }


def save_weights(path: Path, model: keras.Model, convolutional: keras.Model) -> None:
    """Write the weights by name beside `path`, then rename."""
    arrays = {
        name: variable.numpy()
        for name, variable in named_weights(model, convolutional).items()
    }
    beside = path.with_suffix(".part.npz")
    np.savez(beside, **arrays)  # type: ignore[arg-type]
    os.replace(beside, path)


def unfold(model: keras.Model, convolutional: keras.Model) -> None:
    """Make the dense layer do what the convolution in its place does."""
    kernel, bias = convolutional.get_layer("filter").get_weights()
    dense = model.get_layer("decoder").get_layer("samples")
    n_positions = dense.kernel.shape[0] // N_FEATURES
    samples = np.arange(SEGMENT_LEN) % N_SAMPLES
    dense.set_weights([unfold_filter(kernel, n_positions), bias[samples]])
