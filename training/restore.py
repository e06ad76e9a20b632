# SPDX-License-Identifier: Apache-2.0
"""Trainable models of a bundle's networks, so that training can go on from a bundle.

    python -m training aware edge --from-bundle edge --task-bundle monitor --run RUN

A bundle holds networks as LiteRT runs them: a latent's quantiser step is part of its
convolution, and a normalisation is part of the convolution before it, or a plain scale
and shift. The models here compute the same; what only training needs (optimiser, weight
of the rate) begins anew.
"""

from __future__ import annotations

import dataclasses
import re

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.latent import WEIGHT_UNIT
from dynamic_deep.networks import LevelAffine, NetworkConfig
from training.lite_read import Graph, Operation, read_graph
from training.model import CodecModel, LossSettings, ramped_lmbda
from training.presets import find_preset
from training.task_aware_presets import find_task_aware_preset
from training.task_networks import build_task_network

FloatArray = npt.NDArray[np.float32]
SIZE = "compact"  # of the task networks; the paper's have layers of other kinds


def networks_of(bundle: Bundle, names: tuple[str, ...] | None = None) -> NetworkConfig:
    """Return the shapes of a bundle's networks.

    Args:
        bundle: made by a preset.
        names: of the levels, of those that its `body` decodes; all of them if None.

    Raises:
        ConfigError: If it has no such level, or was not made by a preset.
    """
    trained = bundle.config.get("trained", {})
    if not bundle.latents or "preset" not in trained:
        raise ConfigError(
            f"a bundle to train on must be made by a preset, {bundle.name} is not; "
            "begin from a run instead"
        )
    networks = _trained_networks(str(trained["preset"]), "tasks" in trained)
    held = {
        name: shape
        for name, shape in bundle.latents.items()
        if shape.body == "body" and (names is None or name in names)
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


def _trained_networks(name: str, has_tasks: bool) -> NetworkConfig:
    if has_tasks:
        preset = find_task_aware_preset(name)
        if not preset.kept:
            return preset.networks
        name = preset.phase_1
    return find_preset(name).networks


def restore_codec(
    bundle: Bundle,
    *,
    names: tuple[str, ...] | None = None,
    loss: LossSettings | None = None,
) -> CodecModel:
    """Return the codec of a bundle, every weight built; not compiled.

    Args:
        bundle: made by a preset.
        names: of the levels, of those that its `body` decodes; all of them if None.
        loss: settings; those of phase 1 if None.

    Raises:
        ConfigError: If its networks are not those of a preset.
        ModelError: If a network is damaged.
    """
    config = networks_of(bundle, names)
    model = CodecModel(config, loss=loss)
    model(np.zeros((len(config.latents), WINDOW_LEN, 1), np.float32))
    shapes = [bundle.latents[latent.name] for latent in config.latents]
    encoder = read_graph(bundle.networks["encoder"])
    _restore_trunk(model.trunk, encoder)
    for i, (latent, shape) in enumerate(zip(config.latents, shapes, strict=True)):
        conv = encoder.source(encoder.outputs[shape.level_idx], "CONV_2D")
        _set_conv(_convolutions(model.tails[i])[0], conv)
        model.tails[i].layers[-1].log_gain.assign(np.zeros(latent.n_channels))
        entry = read_graph(bundle.networks[f"entry_{latent.name}"])
        _set_numbered(model.entries[i], entry)
        context = bundle.latent_coder(latent.name).context
        parts = (context.earlier, context.same, context.bias)
        model.rates[i].set_weights([part / WEIGHT_UNIT for part in parts])
    body = read_graph(bundle.networks["body"])
    _set_numbered(model.body, body)
    _restore_affine(model.body, body, rows=[shape.level_idx for shape in shapes])
    _restore_last_bias(model.body, body)
    lmbda = [ramped_lmbda(latent.nominal_gain) for latent in config.latents]
    model.log_lmbda.assign(np.log(lmbda))
    return model


def restore_task(
    bundle: Bundle, task: str, *, examples: FloatArray | None = None
) -> keras.Model:
    """Return a task network of a bundle.

    Args:
        bundle: one that holds the task.
        task: rhythm or rpeaks, of the compact size.
        examples: windows, (n, WINDOW_LEN, 1), by which each normalisation finds the
            mean and deviation it is to count from, as it must to be trained on. The
            network computes the same with and without.

    Raises:
        ConfigError: If the bundle holds no such task.
        ModelError: If the network is damaged, or not of that size.
    """
    if f"task_{task}" not in bundle.networks:
        raise ConfigError(
            f"bundle {bundle.name} must hold the task {task}, which it does not; name "
            "a bundle with tasks, as monitor"
        )
    graph = read_graph(bundle.networks[f"task_{task}"])
    model = build_task_network(task, SIZE)
    _set_numbered(model, graph)
    _restore_norms(model, graph)
    _restore_dense(model, graph)
    if examples is not None:
        settle_norms(model, examples)
    return model


def settle_norms(model: keras.Model, examples: FloatArray) -> None:
    """Give each normalisation the mean and variance of what it gets.

    Its scale and shift change with them, so that it computes the same as before.
    """
    for norm in _layers(model, layers.BatchNormalization):
        before = keras.Model(model.input, norm.input)
        x = keras.ops.convert_to_numpy(before(examples, training=False))
        mean, variance = x.mean(axis=(0, 1)), x.var(axis=(0, 1))
        gamma, beta, old_mean, old_variance = norm.get_weights()
        scale = gamma / np.sqrt(old_variance + norm.epsilon)
        shift = beta - scale * old_mean
        gamma = scale * np.sqrt(variance + norm.epsilon)
        norm.set_weights([gamma, shift + scale * mean, mean, variance])


def _layers(model: keras.Model, kind: type[keras.Layer]) -> list[keras.Layer]:
    """Return the layers of a kind in the order they were made in."""

    def number(layer: keras.Layer) -> int:
        found = re.search(r"_(\d+)$", layer.name)
        return int(found[1]) if found else 0

    return sorted((v for v in model.layers if isinstance(v, kind)), key=number)


def _convolutions(model: keras.Model) -> list[keras.Layer]:
    return _layers(model, layers.Conv1D)


def _numbered(operations: list[Operation], layer: str) -> list[Operation]:
    """Return the operations of layers of a kind, in the order these were made in."""
    found = {op.number(layer): op for op in operations if op.number(layer) is not None}
    return [found[number] for number in sorted(found, key=int)]  # type: ignore[arg-type]


def _check_count(expected: int, found: int, what: str) -> None:
    if expected != found:
        raise ModelError(
            f"a network must have {expected} {what}s to be trained on as this preset, "
            f"got {found}; use the version that made the bundle"
        )


def _set_numbered(model: keras.Model, graph: Graph) -> None:
    expected = _convolutions(model)
    found = _numbered(graph.of_kind("CONV_2D"), "conv1d")
    _check_count(len(expected), len(found), "convolution")
    for layer, op in zip(expected, found, strict=True):
        _set_conv(layer, op)


def _set_conv(layer: keras.Layer, op: Operation) -> None:
    kernel, bias = op.constants
    if op.kind == "DEPTHWISE_CONV_2D":
        weights = [kernel[0, 0, :, :, None], bias]
    else:
        weights = [kernel[:, 0].transpose(1, 2, 0), bias]
    expected = [weight.shape for weight in layer.get_weights()]
    if [part.shape for part in weights[: len(expected)]] != expected:
        raise ModelError(
            f"layer {layer.name} must have weights of the shapes {expected}, got "
            f"{[part.shape for part in weights]}; use the version that made the bundle"
        )
    layer.set_weights(weights[: len(expected)])


def _restore_trunk(trunk: keras.Model, encoder: Graph) -> None:
    found = {}
    for op in encoder.of_kind("CONV_2D", "DEPTHWISE_CONV_2D"):
        name = re.search(r"(trunk_\d+(?:_depth|_point)?)_\d+/", op.name)
        if name:
            found[name[1]] = op
    expected = [layer for layer in trunk.layers if layer.weights]
    _check_count(len(expected), len(found), "trunk layer")
    for layer in expected:
        _set_conv(layer, found[layer.name])


def _restore_affine(body: keras.Model, graph: Graph, *, rows: list[int]) -> None:
    tables: dict[int, list[FloatArray]] = {}
    for op in graph.of_kind("GATHER"):
        number = op.number("level_affine")
        if number is not None:
            tables.setdefault(number, []).append(op.constants[0])
    expected = _layers(body, LevelAffine)
    _check_count(len(expected), len(tables), "affine map")
    for layer, number in zip(expected, sorted(tables), strict=True):
        layer.set_weights([table[rows] for table in tables[number]])


def _restore_last_bias(body: keras.Model, graph: Graph) -> None:
    """A convolution to one channel may have its bias in an addition after it."""
    last = _convolutions(body)[-1]
    for op in graph.of_kind("ADD"):
        if set(op.outputs) & set(graph.outputs) and op.constants:
            last.bias.assign(last.bias + op.constants[0].ravel())


def _restore_norms(model: keras.Model, graph: Graph) -> None:
    """Make each normalisation a scale and a shift, counted from mean 0, variance 1."""
    scales: dict[int, FloatArray] = {}
    shifts: dict[int, FloatArray] = {}
    for op in graph.of_kind("CONV_2D", "MUL", "ADD"):
        number = op.number("batch_normalization")
        if number is None or not op.constants:
            continue
        (scales if op.kind == "MUL" else shifts)[number] = op.constants[-1]
    expected = _layers(model, layers.BatchNormalization)
    _check_count(len(expected), len(shifts), "normalisation")
    for layer, number in zip(expected, sorted(shifts), strict=True):
        shift = shifts[number]
        scale = scales.get(number, np.ones_like(shift))
        gamma = scale * np.sqrt(1.0 + layer.epsilon)
        layer.set_weights([gamma, shift, np.zeros_like(shift), np.ones_like(shift)])


def _restore_dense(model: keras.Model, graph: Graph) -> None:
    expected = _layers(model, layers.Dense)
    products = _numbered(graph.of_kind("FULLY_CONNECTED"), "dense")
    sums = {op.number("dense"): op for op in graph.of_kind("ADD")}
    _check_count(len(expected), len(products), "dense layer")
    for layer, op in zip(expected, products, strict=True):
        # A layer on a whole sequence adds its bias apart.
        biased = op if len(op.constants) > 1 else sums[op.number("dense")]
        layer.set_weights([op.constants[0].T, biased.constants[-1]])
