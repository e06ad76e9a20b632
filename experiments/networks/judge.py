# SPDX-License-Identifier: Apache-2.0
"""The second rhythm network: filter bank, logarithm, dilated convolutions.

It sees the power of 20 bands, without phase or polarity, where the bundles' own network
sees samples; the two have no layer, weight or seed in common.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from dynamic_deep.config import MODEL_FS, RHYTHM_CLASSES
from dynamic_deep.networks.tasks import Standardize

N_BANDS = 20
LOWEST_HZ, HIGHEST_HZ = 1.0, 40.0  # what a monitor's bandwidth holds
N_RADIANS = 2.0  # of a tone of the band in one deviation of its window
SHORTEST = 6.0  # deviation of the shortest window, samples: a QRS complex
KERNEL_LEN = 257  # samples
HOP = 8
FLOOR = 1e-3  # of the power of the window, below which all is alike
FRONT_FILTERS = 40
# Filters and dilation of each block, and whether it halves the length.
BLOCKS = (
    (40, 1, True),
    (56, 2, True),
    (80, 1, True),
    (96, 2, True),
    (96, 1, False),
    (96, 2, False),
    (96, 4, False),
)
DROPOUT = 0.25


def band_kernels() -> npt.NDArray[np.float32]:
    """Return the filter bank: float32 (257, 1, 40), even parts first, then odd.

    Each band is a Gaussian times a complex tone, geometrically spaced; a tone of its
    frequency and of deviation 1 has about power 1 in it.
    """
    hertz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, N_BANDS)
    t = np.arange(KERNEL_LEN)[:, None] - KERNEL_LEN // 2
    turn = 2.0 * np.pi * hertz / MODEL_FS
    deviation = np.maximum(N_RADIANS / turn, SHORTEST)
    envelope = np.exp(-0.5 * np.square(t / deviation)) * np.hanning(KERNEL_LEN)[:, None]
    envelope *= np.sqrt(2.0) / envelope.sum(axis=0)
    even = envelope * np.cos(turn * t)
    even -= envelope * (even.sum(axis=0) / envelope.sum(axis=0))  # deaf to an offset
    kernels = np.concatenate([even, envelope * np.sin(turn * t)], axis=1)
    return kernels[:, None, :].astype(np.float32)


class LogBands(layers.Layer):
    """The logarithm of the power in each band, every `HOP` samples."""

    def __init__(self, **options: object) -> None:
        super().__init__(trainable=False, **options)
        self._kernels = band_kernels()

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return (batch, n_samples / HOP, N_BANDS) of (batch, n_samples, 1)."""
        kernels = ops.convert_to_tensor(self._kernels)
        both = ops.square(ops.conv(inputs, kernels, strides=HOP, padding="same"))
        power = both[..., :N_BANDS] + both[..., N_BANDS:]
        return ops.log(power + FLOOR)


def _block(
    x: keras.KerasTensor, filters: int, dilation: int, halves: bool
) -> keras.KerasTensor:
    """Return a gated dilated convolution beside its shortcut."""
    h = layers.Conv1D(filters, 3, dilation_rate=dilation, padding="same")(x)
    h = layers.ReLU()(layers.BatchNormalization()(h))
    h = layers.Dropout(DROPOUT)(h)
    h = layers.Conv1D(filters, 3, dilation_rate=dilation, padding="same")(h)
    h = layers.BatchNormalization()(h)
    gate = layers.Dense(filters // 4, activation="relu")(
        layers.GlobalAveragePooling1D()(h)
    )
    gate = layers.Dense(filters, activation="sigmoid")(gate)
    h = layers.Multiply()([h, layers.Reshape((1, filters))(gate)])
    if x.shape[-1] != filters:
        x = layers.Conv1D(filters, 1)(x)
    x = layers.ReLU()(layers.Add()([x, h]))
    return layers.MaxPooling1D(2, padding="same")(x) if halves else x


def build_judge(
    blocks: Sequence[tuple[int, int, bool]] = BLOCKS,
) -> keras.Model:
    """Build it: (n_samples, 1), any unit -> (n_samples / 256, 4) probabilities.

    `n_samples` is a multiple of 256; the classes are `RHYTHM_CLASSES`, in this order.

    Args:
        blocks: filters, dilation, and whether it halves the length; four must.
    """
    inputs = keras.Input((None, 1), name="window")
    x = layers.BatchNormalization()(LogBands()(Standardize()(inputs)))
    x = layers.Conv1D(FRONT_FILTERS, 5, strides=2, padding="same")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for filters, dilation, halves in blocks:
        x = _block(x, filters, dilation, halves)
    logits = layers.Dense(len(RHYTHM_CLASSES))(layers.Dropout(DROPOUT)(x))
    return keras.Model(inputs, layers.Softmax()(logits), name="judge_rhythm")
