# SPDX-License-Identifier: Apache-2.0
"""Keras builders of the encoder and the decoder. Imported for training only.

            x (2240, 1)          one segment, mean removed, divided by the window's scale
                |
              trunk              strided convolutions, shared by all levels
                |
            (70, n_features)
        /       |        \\
     tail_32  tail_64 ... tail_256        one a level; ends in the latent y
        |       |        |
     (35, C) (35, C)  (35, C)             quantised by rounding, range-coded
        |       |        |
     entry_32 entry_64 ... entry_256      one a level, to a common (70, width) map
        \\       |        /
              body                        shared, told the level by a learned affine map
                |
            x_hat (4 * 2240, 1)           the decoder sees a whole window at once

Only public Keras 3 API is used, so that any backend trains it. The encoder holds
nothing but convolutions, additions and ReLU, which an 8-bit interpreter runs; the
decoder is for the cloud. Preset `paper` follows the layer table of Brosh et al.,
arXiv 2106.00606, convolution for convolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers, ops

from dynamic_deep.config import SEGMENT_LEN

TRUNK_STRIDE = 32  # samples a trunk step; 35 x 64 = 70 x 32 = 2240
# Latents of 32 samples a step cost a third more bytes at equal PRDN: at these gains most
# symbols are zeros, and fewer, richer symbols pay.
LATENT_STRIDE = 64
RELU_INIT = "he_normal"


@dataclass(frozen=True, kw_only=True)
class Conv:
    """One convolution of the trunk, ReLU after it.

    A `residual` one adds its input; a `separable` one is a depthwise convolution of
    `kernel` taps followed by a pointwise one.
    """

    filters: int
    kernel: int
    stride: int = 1
    residual: bool = False
    separable: bool = False


@dataclass(frozen=True, kw_only=True)
class LatentConfig:
    """The latent of one level: how many channels, and samples a step."""

    nominal_gain: int
    n_channels: int
    stride: int = LATENT_STRIDE
    n_groups: int = 4

    @property
    def name(self) -> str:
        """Name of the level."""
        return f"gain_{self.nominal_gain}"

    @property
    def steps_per_segment(self) -> int:
        """Length of the latent of one segment."""
        return SEGMENT_LEN // self.stride


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Everything that the shapes of a codec's networks depend on."""

    name: str
    trunk: tuple[Conv, ...]
    latents: tuple[LatentConfig, ...]
    decoder_width: int = 96
    n_decoder_blocks: int = 4


STANDARD = NetworkConfig(
    name="standard",
    trunk=(
        Conv(filters=16, kernel=9, stride=4),
        Conv(filters=32, kernel=5, stride=2),
        Conv(filters=40, kernel=5, stride=2),
        Conv(filters=64, kernel=5, stride=2),
        Conv(filters=64, kernel=3, residual=True),
        Conv(filters=64, kernel=3, residual=True),
    ),
    latents=(
        LatentConfig(nominal_gain=32, n_channels=40),
        LatentConfig(nominal_gain=64, n_channels=32),
        LatentConfig(nominal_gain=96, n_channels=32),
        LatentConfig(nominal_gain=128, n_channels=20),
        LatentConfig(nominal_gain=256, n_channels=16),
    ),
)

EDGE = NetworkConfig(
    name="edge",
    trunk=(
        Conv(filters=16, kernel=16, stride=8),
        Conv(filters=24, kernel=5, stride=2),
        Conv(filters=40, kernel=4, stride=2),
        Conv(filters=40, kernel=5, residual=True, separable=True),
    ),
    latents=(
        LatentConfig(nominal_gain=32, n_channels=22),
        LatentConfig(nominal_gain=64, n_channels=18),
        LatentConfig(nominal_gain=96, n_channels=18),
        LatentConfig(nominal_gain=128, n_channels=14),
        LatentConfig(nominal_gain=256, n_channels=12),
    ),
)


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
            initializer=keras.initializers.Constant(
                float(ops.log(self.initial_gain))
            ),
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


def build_entry(latent: LatentConfig, width: int) -> keras.Model:
    """Build the decoder's entry of one level: latent -> (n_steps at 32, width)."""
    inputs = keras.Input((None, latent.n_channels))
    up = latent.stride // TRUNK_STRIDE
    h = layers.Conv1D(width * up, 3, padding="same")(inputs)
    if up > 1:
        h = layers.Reshape((-1, width))(h)
    return keras.Model(inputs, h, name=f"entry_{latent.name}")


class LevelAffine(layers.Layer):
    """Scale and shift each channel by amounts learned for each level."""

    def __init__(self, n_levels: int, **kwargs: object) -> None:
        """Make an affine map for each of `n_levels` levels."""
        super().__init__(**kwargs)
        self.n_levels = n_levels

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights; it starts as the identity."""
        shape = (self.n_levels, input_shape[-1])
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale")
        self.shift = self.add_weight(shape=shape, initializer="zeros", name="shift")

    def call(
        self, inputs: keras.KerasTensor, level_idx: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Apply the map; `level_idx` is an integer array, shape (batch,)."""
        scale = ops.take(self.scale, level_idx, axis=0)[:, None, :]
        shift = ops.take(self.shift, level_idx, axis=0)[:, None, :]
        return inputs * scale + shift

    def get_config(self) -> dict[str, object]:
        """Return what the constructor needs."""
        return {**super().get_config(), "n_levels": self.n_levels}


def _upsample(h: keras.KerasTensor, factor: int, width: int) -> keras.KerasTensor:
    h = layers.Conv1D(width * factor, 3, padding="same", activation="relu")(h)
    return layers.Reshape((-1, width))(h)


def build_body(config: NetworkConfig) -> keras.Model:
    """Build the shared decoder body: (n_steps, width), level -> (32 n_steps, 1)."""
    width, n_levels = config.decoder_width, len(config.latents)
    h = inputs = keras.Input((None, width))
    level_idx = keras.Input((), dtype="int32", name="level_idx")
    for _ in range(config.n_decoder_blocks):
        r = LevelAffine(n_levels)(h, level_idx)
        r = layers.Conv1D(
            width, 3, padding="same", activation="relu", kernel_initializer=RELU_INIT
        )(r)
        # Starting at zero, each block begins as the identity.
        r = layers.Conv1D(width, 3, padding="same", kernel_initializer="zeros")(r)
        h = layers.Add()([h, r])
    h = LevelAffine(n_levels)(h, level_idx)
    h = _upsample(h, 2, 64)
    h = _residual(h, 5)
    h = _upsample(h, 4, 32)
    h = _residual(h, 5)
    h = _upsample(h, 4, 8)
    x_hat = layers.Conv1D(1, 9, padding="same")(h)
    return keras.Model([inputs, level_idx], x_hat, name="body")


def _residual(h: keras.KerasTensor, kernel: int) -> keras.KerasTensor:
    width = h.shape[-1]
    r = layers.Conv1D(width, kernel, padding="same", activation="relu")(h)
    return layers.Add()([h, r])
