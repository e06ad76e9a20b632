# SPDX-License-Identifier: Apache-2.0
"""Keras layers and the operations of a `.tflite` file that were made of them."""

from __future__ import annotations

import re

import keras
from keras import layers

from dynamic_deep.errors import ModelError
from training.lite_read import Graph, Operation


def layers_of(model: keras.Model, kind: type[keras.Layer]) -> list[keras.Layer]:
    """Return the layers of a kind in the order they were made in."""

    def number(layer: keras.Layer) -> int:
        found = re.search(r"_(\d+)$", layer.name)
        return int(found[1]) if found else 0

    return sorted((v for v in model.layers if isinstance(v, kind)), key=number)


def convolutions_of(model: keras.Model) -> list[keras.Layer]:
    """Return the convolutions of a network in the order they were made in."""
    return layers_of(model, layers.Conv1D)


def numbered(operations: list[Operation], layer: str) -> list[Operation]:
    """Return the operations of layers of a kind, in the order these were made in."""
    found = {op.number(layer): op for op in operations if op.number(layer) is not None}
    return [found[number] for number in sorted(found, key=int)]  # type: ignore[arg-type]


def check_count(expected: int, found: int, what: str) -> None:
    """Check that a network has as many parts of a kind as its preset.

    Raises:
        ModelError: If not.
    """
    if expected != found:
        raise ModelError(
            f"a network must have {expected} {what}s to be trained on as this preset, "
            f"got {found}; use the version that made the bundle"
        )


def set_numbered(model: keras.Model, graph: Graph) -> None:
    """Give every convolution of a network the weights of its operation.

    Raises:
        ModelError: If there are not as many, or of other shapes.
    """
    expected = convolutions_of(model)
    found = numbered(graph.of_kind("CONV_2D"), "conv1d")
    check_count(len(expected), len(found), "convolution")
    for layer, op in zip(expected, found, strict=True):
        set_conv(layer, op)


def set_conv(layer: keras.Layer, op: Operation) -> None:
    """Give a convolution the weights of an operation, without bias if it has none.

    Raises:
        ModelError: If they are of other shapes.
    """
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
