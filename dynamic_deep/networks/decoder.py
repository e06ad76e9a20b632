# SPDX-License-Identifier: Apache-2.0
"""The cloud's part: one entry a level, and the shared body."""

from __future__ import annotations

import keras
from keras import layers, ops

from dynamic_deep.networks.encoder import RELU_INIT
from dynamic_deep.networks.shapes import TRUNK_STRIDE, LatentConfig, NetworkConfig


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
