# SPDX-License-Identifier: Apache-2.0
"""Parts that task networks share."""

from __future__ import annotations

import keras
from keras import layers, ops


class Standardize(layers.Layer):
    """Bring each window to mean 0 and deviation 1, whatever its unit.

    It is part of the network, so that a task sees a decoded window as it sees a raw
    one: by its own mean and deviation, and without being told an ADC gain.
    """

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the standardised window; a flat one becomes zeros."""
        centred = inputs - ops.mean(inputs, axis=1, keepdims=True)
        power = ops.mean(ops.square(centred), axis=1, keepdims=True)
        return centred * ops.rsqrt(power + 1e-6)


class CropLike(layers.Layer):
    """Cut a map to the length of another.

    Halving rounds up, so that a map doubled again may be longer than the one it came
    from. LiteRT prepares a network for a single sample before it is told the length.
    """

    def call(self, x: keras.KerasTensor, like: keras.KerasTensor) -> keras.KerasTensor:
        """Return the first steps of `x`, as many as `like` has."""
        return x[:, : ops.shape(like)[1]]


def batch_norm_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    """Normalise over the batch, then ReLU."""
    return layers.ReLU()(layers.BatchNormalization()(x))
