# SPDX-License-Identifier: Apache-2.0
"""The error heads: what each level would do to each task, foretold on the device.

              trunk's map of a segment (70, n_features)
                |
              head features          convolutions, then mean and maximum over time
                |
            (n_head_features,)       one row a segment, four a window
                |
              mean, max              over the window's segments
                |  + rates           of the neural levels: known before anything is sent
              dense, dense
                |
      center, spread                 of the logarithm of the error, a level and a task

The paper's head foretells one number by a ReLU, which can die at "no error at all". The
logistic around a median says how sure the head is, and so answers for any bound.
"""

from __future__ import annotations

import keras
from keras import layers

from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.networks.encoder import RELU_INIT
from dynamic_deep.networks.shapes import TRUNK_STRIDE, NetworkConfig

WIDTH = 64
DROPOUT = 0.25
LEAST_SPREAD = 0.15
FIRST_CENTER = -3.0  # of the logarithm of an error, about 0.05


def build_head_features(config: NetworkConfig, n_features: int) -> keras.Model:
    """Build the part that sees a segment: trunk's map -> (n_head_features,)."""
    x = inputs = keras.Input((SEGMENT_LEN // TRUNK_STRIDE, n_features))
    for spec in config.head:
        h = layers.Conv1D(
            spec.filters,
            spec.kernel,
            strides=spec.stride,
            padding="same",
            activation="relu",
            kernel_initializer=RELU_INIT,
        )(x)
        x = layers.Add()([x, h]) if spec.residual else h
    pooled = [layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)]
    return keras.Model(inputs, layers.Concatenate()(pooled), name="head_features")


def build_error_heads(
    n_head_features: int, n_neural: int, n_rows: int, n_channels: int
) -> keras.Model:
    """Build the part that sees a window.

    Args:
        n_head_features: of a segment.
        n_neural: how many levels' rates it is given.
        n_rows: levels it foretells for, and the raw window.
        n_channels: kinds of error.

    Returns:
        Model of (n_segments, n_head_features) and (n_neural,) log rates, to center,
        spread and hidden features; center and spread flat, (n_rows * n_channels,).
    """
    segments = keras.Input((None, n_head_features), name="segments")
    rates = keras.Input((n_neural,), name="log_rates")
    pooled = layers.Concatenate()(
        [
            layers.GlobalAveragePooling1D()(segments),
            layers.GlobalMaxPooling1D()(segments),
            rates,
        ]
    )
    h = layers.BatchNormalization()(pooled)
    h = layers.Dropout(DROPOUT)(layers.Dense(WIDTH, activation="relu")(h))
    h = layers.Dropout(DROPOUT)(layers.Dense(WIDTH, activation="relu")(h))
    n_out = n_rows * n_channels
    center = layers.Dense(
        n_out, bias_initializer=keras.initializers.Constant(FIRST_CENTER)
    )(h)
    spread = layers.Dense(n_out, activation="softplus")(h) + LEAST_SPREAD
    return keras.Model([segments, rates], [center, spread, h], name="error_heads")
