# SPDX-License-Identifier: Apache-2.0
"""The compact R-peak network: a window -> distance of each sample to its R peak.

A U-Net of Inception-residual blocks on a distance map, after RPnet (Vijayarangan et
al. 2020, arXiv 2004.08103), with a thousandth of its parameters. The map ends at
`RPEAKS_REACH` samples: further away nothing can be known of a peak, and a bounded map
is the same for slow and fast hearts.
"""

from __future__ import annotations

import keras
from keras import layers

from dynamic_deep.networks.tasks import CropLike, Standardize, batch_norm_relu

WIDTHS = (24, 32, 48)  # at 75, 37.5 and 18.75 Hz
KERNELS = (3, 7, 11)
STRIDE = 16  # the length of a window must be a multiple of it


def _inception(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """Four branches of a quarter of the filters, and a residual."""
    quarter = filters // 4
    branches = [layers.Conv1D(quarter, 1, use_bias=False)(x)]
    for kernel in KERNELS:
        h = batch_norm_relu(layers.Conv1D(quarter, 1, use_bias=False)(x))
        h = layers.Conv1D(quarter, kernel, padding="same", use_bias=False)(h)
        branches.append(h)
    residual = layers.Conv1D(filters, 1, use_bias=False)(x)
    joined = layers.BatchNormalization()(layers.Concatenate()(branches))
    return layers.ReLU()(layers.Add()([joined, residual]))


def build_rpeaks() -> keras.Model:
    """Build it: (n_samples, 1), any unit -> (n_samples, 1), 0 at a peak, 1 far away."""
    inputs = keras.Input((None, 1), name="window")
    x = Standardize()(inputs)
    x = layers.Conv1D(WIDTHS[0], 16, strides=4, padding="same", use_bias=False)(x)
    x = _inception(batch_norm_relu(x), WIDTHS[0])
    skips = []
    for width in WIDTHS[1:]:
        skips.append(x)
        x = layers.Conv1D(width, 4, strides=2, padding="same", use_bias=False)(x)
        x = _inception(batch_norm_relu(x), width)
    for width, skip in zip(WIDTHS[-2::-1], skips[::-1], strict=True):
        x = layers.Conv1D(2 * width, 3, padding="same", use_bias=False)(x)
        x = layers.Reshape((-1, width))(batch_norm_relu(x))
        x = layers.Concatenate()([CropLike()(x, skip), skip])
        x = _inception(x, width)
    x = layers.Conv1D(4, 3, padding="same", activation="sigmoid")(x)
    return keras.Model(inputs, layers.Reshape((-1, 1))(x), name="rpeaks")
