# SPDX-License-Identifier: Apache-2.0
"""The device's part: trunk and tails."""

from __future__ import annotations

import math

import keras
from keras import layers, ops

from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.networks.shapes import (
    TRUNK_STRIDE,
    Conv,
    LatentConfig,
    NetworkConfig,
)

RELU_INIT = "he_normal"


def _conv(spec: Conv, index: int) -> list[keras.Layer]:
    name = f"trunk_{index}"
    if spec.separable:
        return [
            layers.DepthwiseConv1D(
                spec.kernel, strides=spec.stride, padding="same", name=f"{name}_depth"
            ),
            layers.Conv1D(
                spec.filters, 1, kernel_initializer=RELU_INIT, name=f"{name}_point"
            ),
        ]
    return [
        layers.Conv1D(
            spec.filters,
            spec.kernel,
            strides=spec.stride,
            padding="same",
            kernel_initializer=RELU_INIT,
            name=name,
        )
    ]


def build_trunk(config: NetworkConfig) -> keras.Model:
    """Build the shared trunk: (SEGMENT_LEN, 1) -> (70, n_features)."""
    x = inputs = keras.Input((SEGMENT_LEN, 1), name="segment")
    for index, spec in enumerate(config.trunk):
        h = x
        for layer in _conv(spec, index):
            h = layer(h)
        h = layers.ReLU()(h)
        x = layers.Add()([x, h]) if spec.residual else h
    return keras.Model(inputs, x, name="trunk")


class LearnedStep(layers.Layer):
    """Multiply each latent channel by the inverse of its learned quantiser step.

    The step is kept as a logarithm, so that it stays positive and moves by ratios.
    """

    def __init__(self, initial_gain: float = 2.0, **kwargs: object) -> None:
        """Start with `initial_gain` quantiser steps a unit of the latent."""
        super().__init__(**kwargs)
        self.initial_gain = initial_gain

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make one gain a channel."""
        self.log_gain = self.add_weight(
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(float(ops.log(self.initial_gain))),
            name="log_gain",
        )

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the latent in quantiser steps."""
        return inputs * ops.exp(self.log_gain)

    def get_config(self) -> dict[str, object]:
        """Return what the constructor needs."""
        return {**super().get_config(), "initial_gain": self.initial_gain}


def build_tail(latent: LatentConfig, n_features: int) -> keras.Model:
    """Build the tail of one level: trunk features -> latent in quantiser steps."""
    inputs = keras.Input((SEGMENT_LEN // TRUNK_STRIDE, n_features))
    stride = latent.stride // TRUNK_STRIDE
    y = layers.Conv1D(
        latent.n_channels,
        1 if stride == 1 else stride,
        strides=stride,
        padding="same",
    )(inputs)
    y = LearnedStep()(y)
    return keras.Model(inputs, y, name=f"tail_{latent.name}")


def count_macs(model: keras.Model) -> int:
    """Return the multiply-accumulates of a model's convolutions and dense layers."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, layers.Conv1D | layers.DepthwiseConv1D):
            total += int(layer.output.shape[1]) * math.prod(layer.kernel.shape)
        elif isinstance(layer, layers.Dense):
            total += math.prod(layer.kernel.shape)
    return total
