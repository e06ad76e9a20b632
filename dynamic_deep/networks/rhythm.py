# SPDX-License-Identifier: Apache-2.0
"""The compact rhythm network: a window -> class probabilities every 256 samples.

A pre-activation residual network like that of Rajpurkar et al. (2017,
arXiv 1707.01836), a twentieth of its size: it narrows in time from its first layer on,
and what is common to the whole window reaches every output by a global mean.
"""

from __future__ import annotations

import keras
from keras import layers, ops

from dynamic_deep.config import RHYTHM_CLASSES, RHYTHM_STEP_LEN
from dynamic_deep.networks.tasks import Standardize, batch_norm_relu

CLASSES = RHYTHM_CLASSES
STEP_LEN = RHYTHM_STEP_LEN
STEM_FILTERS = 24
# Filters and kernel of each block; each halves the length, the stem divides it by 4.
BLOCKS = ((32, 7), (48, 7), (64, 7), (96, 7), (128, 5), (128, 5))
CONTEXT_WIDTH = 64
DROPOUT = 0.2


def _block(x: keras.KerasTensor, filters: int, kernel: int) -> keras.KerasTensor:
    h = batch_norm_relu(x)
    h = layers.Conv1D(filters, kernel, strides=2, padding="same", use_bias=False)(h)
    h = batch_norm_relu(h)
    h = layers.Dropout(DROPOUT)(h)
    h = layers.Conv1D(filters, kernel, padding="same", use_bias=False)(h)
    shortcut = layers.AveragePooling1D(2, padding="same")(x)
    if shortcut.shape[-1] != filters:
        shortcut = layers.Conv1D(filters, 1, use_bias=False)(shortcut)
    return layers.Add()([shortcut, h])


class WithContext(layers.Layer):
    """Append to every step what the whole window has in common."""

    def call(
        self, steps: keras.KerasTensor, context: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Return (batch, n_steps, n_features + n_context)."""
        spread = ops.zeros_like(steps[:, :, :1]) + context[:, None, :]
        return ops.concatenate([steps, spread], axis=-1)


def build_rhythm() -> keras.Model:
    """Build it: (n_samples, 1), any unit -> (n_samples / 256, 4) probabilities.

    The classes are those of `CLASSES`, in this order.
    """
    inputs = keras.Input((None, 1), name="window")
    x = Standardize()(inputs)
    x = layers.Conv1D(STEM_FILTERS, 16, strides=4, padding="same", use_bias=False)(x)
    for filters, kernel in BLOCKS:
        x = _block(x, filters, kernel)
    steps = batch_norm_relu(x)
    context = layers.GlobalAveragePooling1D()(steps)
    context = layers.Dense(CONTEXT_WIDTH, activation="relu")(context)
    steps = layers.Dropout(DROPOUT)(WithContext()(steps, context))
    logits = layers.Dense(len(CLASSES))(steps)
    return keras.Model(inputs, layers.Softmax()(logits), name="rhythm")
