# SPDX-License-Identifier: Apache-2.0
"""The trainable codec of a bundle, so that training can go on from a bundle.

    python -m training aware edge --from-bundle edge --task-bundle monitor --run RUN

A bundle holds networks as LiteRT runs them: a latent's quantiser step is part of its
convolution. The models here compute the same; what only training needs (optimiser,
weight of the rate) begins anew.
"""

from __future__ import annotations

import dataclasses
import re

import keras
import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.latent import WEIGHT_UNIT
from dynamic_deep.networks import LevelAffine, NetworkConfig
from training.lite import BODY, TASK_BODY
from training.lite_read import Graph, read_graph
from training.lite_weights import (
    check_count,
    convolutions_of,
    layers_of,
    set_conv,
    set_numbered,
)
from training.model import CodecModel, LossSettings, ramped_lmbda
from training.presets import find_preset
from training.task_aware_presets import find_task_aware_preset

FloatArray = npt.NDArray[np.float32]


def networks_of(
    bundle: Bundle, names: tuple[str, ...] | None = None, *, body: str = BODY
) -> NetworkConfig:
    """Return the shapes of a bundle's networks.

    Args:
        bundle: made by a preset.
        names: of the levels, of those that the body decodes; all of them if None.
        body: which of the decoder's.

    Raises:
        ConfigError: If it has no such level, or was not made by a preset.
    """
    trained = bundle.config.get("trained", {})
    if not bundle.latents or "preset" not in trained:
        raise ConfigError(
            f"a bundle to train on must be made by a preset, {bundle.name} is not; "
            "begin from a run instead"
        )
    has_tasks = "tasks" in trained
    networks = _trained_networks(str(trained["preset"]), has_tasks, body)
    held = {
        name: shape
        for name, shape in bundle.latents.items()
        if shape.body == body and (names is None or name in names)
    }
    if set(names or held) != set(held):
        raise ConfigError(
            f"levels to keep must be of bundle {bundle.name}, which has "
            f"{', '.join(bundle.latents)}; got {', '.join(names or ())}"
        )
    kept = tuple(v for v in networks.latents if v.name in held)
    if [v.n_channels for v in kept] != [v.n_channels for v in held.values()]:
        raise ConfigError(
            f"the levels of bundle {bundle.name} must be those of its preset, "
            f"got {', '.join(held)}; begin from a run instead"
        )
    return dataclasses.replace(networks, latents=kept)


def _trained_networks(name: str, has_tasks: bool, body: str) -> NetworkConfig:
    if has_tasks:
        preset = find_task_aware_preset(name)
        if not preset.kept or body == TASK_BODY:
            return preset.networks
        name = preset.phase_1
    return find_preset(name).networks


def restore_codec(
    bundle: Bundle,
    *,
    names: tuple[str, ...] | None = None,
    body: str = BODY,
    loss: LossSettings | None = None,
) -> CodecModel:
    """Return the codec of a bundle, every weight built; not compiled.

    Args:
        bundle: made by a preset.
        names: of the levels, of those that the body decodes; all of them if None.
        body: which of the decoder's: that of the levels for tasks counts these alone.
        loss: settings; those of phase 1 if None.

    Raises:
        ConfigError: If its networks are not those of a preset.
        ModelError: If a network is damaged.
    """
    config = networks_of(bundle, names, body=body)
    model = CodecModel(config, loss=loss)
    model(np.zeros((len(config.latents), WINDOW_LEN, 1), np.float32))
    shapes = [bundle.latents[latent.name] for latent in config.latents]
    encoder = read_graph(bundle.networks["encoder"])
    _restore_trunk(model.trunk, encoder)
    for i, (latent, shape) in enumerate(zip(config.latents, shapes, strict=True)):
        conv = encoder.source(encoder.outputs[shape.level_idx], "CONV_2D")
        set_conv(convolutions_of(model.tails[i])[0], conv)
        model.tails[i].layers[-1].log_gain.assign(np.zeros(latent.n_channels))
        entry = read_graph(bundle.networks[f"entry_{latent.name}"])
        set_numbered(model.entries[i], entry)
        context = bundle.context_weights(latent.name)
        parts = (context.earlier, context.same, context.bias)
        model.rates[i].set_weights([part / WEIGHT_UNIT for part in parts])
    graph = read_graph(bundle.networks[body])
    set_numbered(model.body, graph)
    first = 0 if body == BODY else min(shape.level_idx for shape in shapes)
    rows = [shape.level_idx - first for shape in shapes]
    _restore_affine(model.body, graph, rows=rows)
    _restore_last_bias(model.body, graph)
    lmbda = [ramped_lmbda(latent.nominal_gain) for latent in config.latents]
    model.log_lmbda.assign(np.log(lmbda))
    return model


def _restore_trunk(trunk: keras.Model, encoder: Graph) -> None:
    found = {}
    for op in encoder.of_kind("CONV_2D", "DEPTHWISE_CONV_2D"):
        name = re.search(r"(trunk_\d+(?:_depth|_point)?)_\d+/", op.name)
        if name:
            found[name[1]] = op
    expected = [layer for layer in trunk.layers if layer.weights]
    check_count(len(expected), len(found), "trunk layer")
    for layer in expected:
        set_conv(layer, found[layer.name])


def _restore_affine(body: keras.Model, graph: Graph, *, rows: list[int]) -> None:
    tables: dict[int, list[FloatArray]] = {}
    for op in graph.of_kind("GATHER"):
        number = op.number("level_affine")
        if number is not None:
            tables.setdefault(number, []).append(op.constants[0])
    expected = layers_of(body, LevelAffine)
    check_count(len(expected), len(tables), "affine map")
    for layer, number in zip(expected, sorted(tables), strict=True):
        layer.set_weights([table[rows] for table in tables[number]])


def _restore_last_bias(body: keras.Model, graph: Graph) -> None:
    """A convolution to one channel may have its bias in an addition after it."""
    last = convolutions_of(body)[-1]
    for op in graph.of_kind("ADD"):
        if set(op.outputs) & set(graph.outputs) and op.constants:
            last.bias.assign(last.bias + op.constants[0].ravel())
