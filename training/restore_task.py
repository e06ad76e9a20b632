# SPDX-License-Identifier: Apache-2.0
"""Trainable task networks of a bundle, so that training can go on from a bundle.

A bundle holds a normalisation as part of the convolution before it, or as a plain scale
and shift. The models here compute the same; see also `restore`.
"""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from dynamic_deep.bundle import Bundle
from dynamic_deep.errors import ConfigError
from training.lite_read import Graph, read_graph
from training.lite_weights import check_count, layers_of, numbered, set_numbered
from training.task_networks import build_task_network

FloatArray = npt.NDArray[np.float32]
SIZE = "compact"  # of the networks; the paper's have layers of other kinds


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
    set_numbered(model, graph)
    _restore_norms(model, graph)
    _restore_dense(model, graph)
    if examples is not None:
        settle_norms(model, examples)
    return model


def settle_norms(model: keras.Model, examples: FloatArray) -> None:
    """Give each normalisation the mean and variance of what it gets.

    Its scale and shift change with them, so that it computes the same as before.
    """
    for norm in layers_of(model, layers.BatchNormalization):
        before = keras.Model(model.input, norm.input)
        x = keras.ops.convert_to_numpy(before(examples, training=False))
        mean, variance = x.mean(axis=(0, 1)), x.var(axis=(0, 1))
        gamma, beta, old_mean, old_variance = norm.get_weights()
        scale = gamma / np.sqrt(old_variance + norm.epsilon)
        shift = beta - scale * old_mean
        gamma = scale * np.sqrt(variance + norm.epsilon)
        norm.set_weights([gamma, shift + scale * mean, mean, variance])


def _restore_norms(model: keras.Model, graph: Graph) -> None:
    """Make each normalisation a scale and a shift, counted from mean 0, variance 1."""
    scales: dict[int, FloatArray] = {}
    shifts: dict[int, FloatArray] = {}
    for op in graph.of_kind("CONV_2D", "MUL", "ADD"):
        number = op.number("batch_normalization")
        if number is None or not op.constants:
            continue
        (scales if op.kind == "MUL" else shifts)[number] = op.constants[-1]
    expected = layers_of(model, layers.BatchNormalization)
    check_count(len(expected), len(shifts), "normalisation")
    for layer, number in zip(expected, sorted(shifts), strict=True):
        shift = shifts[number]
        scale = scales.get(number, np.ones_like(shift))
        gamma = scale * np.sqrt(1.0 + layer.epsilon)
        layer.set_weights([gamma, shift, np.zeros_like(shift), np.ones_like(shift)])


def _restore_dense(model: keras.Model, graph: Graph) -> None:
    expected = layers_of(model, layers.Dense)
    products = numbered(graph.of_kind("FULLY_CONNECTED"), "dense")
    sums = {op.number("dense"): op for op in graph.of_kind("ADD")}
    check_count(len(expected), len(products), "dense layer")
    for layer, op in zip(expected, products, strict=True):
        # A layer on a whole sequence adds its bias apart.
        biased = op if len(op.constants) > 1 else sums[op.number("dense")]
        layer.set_weights([op.constants[0].T, biased.constants[-1]])
