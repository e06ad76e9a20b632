# SPDX-License-Identifier: Apache-2.0
"""The paper's rhythm network: 34 layers, of Rajpurkar et al. and Hannun et al.

Source: arXiv 1707.01836 and doi 10.1038/s41591-018-0268-3; 33 convolutions of 16 and
one dense layer, 10,473,892 parameters. Departure: a window is standardised by its own
mean and deviation, not by those of the training set.
"""

from __future__ import annotations

import keras
from keras import layers, ops

from dynamic_deep.networks.rhythm import CLASSES
from dynamic_deep.networks.tasks import Standardize, batch_norm_relu

KERNEL = 16
STEM_FILTERS = 32
N_BLOCKS = 16  # each second one halves the length
WIDEN_EVERY = 4  # blocks, then the filters double
DROPOUT = 0.2


class ZeroChannels(layers.Layer):
    """Double the channels with zeros: a shortcut without parameters."""

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return (batch, n_steps, 2 * n_channels)."""
        return ops.concatenate([inputs, ops.zeros_like(inputs)], axis=-1)


def _conv(x: keras.KerasTensor, filters: int, stride: int = 1) -> keras.KerasTensor:
    return layers.Conv1D(
        filters,
        KERNEL,
        strides=stride,
        padding="same",
        kernel_initializer="he_normal",
    )(x)


def _block(x: keras.KerasTensor, number: int) -> keras.KerasTensor:
    filters = STEM_FILTERS * 2 ** (number // WIDEN_EVERY)
    stride = 1 + number % 2
    # The stem has just normalised what enters the first block.
    h = batch_norm_relu(x) if number else x
    h = batch_norm_relu(_conv(h, filters, stride))
    h = _conv(layers.Dropout(DROPOUT)(h), filters)
    shortcut = x
    if stride > 1:
        shortcut = layers.MaxPooling1D(stride, padding="same")(shortcut)
    if x.shape[-1] != filters:
        shortcut = ZeroChannels()(shortcut)
    return layers.Add()([shortcut, h])


def build_rhythm_paper() -> keras.Model:
    """Build it: (n_samples, 1), any unit -> (n_samples / 256, 4) probabilities.

    `n_samples` is a multiple of 256; the classes are those of `CLASSES`, in this order.
    The weights of a row of the layer table have its name first in their path: stem,
    block_0 to block_15, answer.
    """
    inputs = keras.Input((None, 1), name="window")
    x = Standardize()(inputs)
    with keras.name_scope("stem"):
        x = batch_norm_relu(_conv(x, STEM_FILTERS))
    for number in range(N_BLOCKS):
        with keras.name_scope(f"block_{number}"):
            x = _block(x, number)
    with keras.name_scope("answer"):
        logits = layers.Dense(len(CLASSES))(batch_norm_relu(x))
    return keras.Model(inputs, layers.Softmax()(logits), name="rhythm_paper")
