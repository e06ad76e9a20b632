# SPDX-License-Identifier: Apache-2.0
r"""The error heads: what each level would do to each task, foretold on the device.

              trunk's map of a segment (70, n_features)
                |
              head features          convolutions that see ever more beats at once, then
                |                mean and maximum over time of the finest and coarsest
                |
            (n_head_features,)       one row a segment, four a window
                |
              summary                mean and maximum over the segments, a dense layer
              /     \
          answer     |               the task's mean answer on the raw window, guessed
              \     /
                |  + rates           of the levels: known before anything is sent
              dense
                |
      center, spread                 of the logarithm of the error, a level and a task

How sure the task is of a window says most of what compression may do to its answer; so
the features are first trained to guess that answer, and how sure the beats are, which
any signal can teach.

The paper's head foretells one number by a ReLU, which can die at "no error at all". The
logistic around a median says how sure the head is, and so answers for any bound.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers, ops

from dynamic_deep.config import RHYTHM_CLASSES, SEGMENT_LEN
from dynamic_deep.networks.encoder import RELU_INIT
from dynamic_deep.networks.shapes import TRUNK_STRIDE, NetworkConfig

SUMMARY_WIDTH = 32
WIDTH = 48
DROPOUT = 0.2
N_CLASSES = len(RHYTHM_CLASSES)
LEAST_SPREAD = 0.15
FIRST_CENTER = -3.0  # of the logarithm of an error, about 0.05


def build_head_features(config: NetworkConfig, n_features: int) -> keras.Model:
    """Build the part that sees a segment: trunk's map -> (n_head_features,)."""
    x = inputs = keras.Input((SEGMENT_LEN // TRUNK_STRIDE, n_features))
    maps = []
    for spec in config.head:
        h = x
        if spec.separable:
            h = layers.DepthwiseConv1D(
                spec.kernel, strides=spec.stride, padding="same"
            )(h)
        h = layers.Conv1D(
            spec.filters,
            1 if spec.separable else spec.kernel,
            strides=1 if spec.separable else spec.stride,
            padding="same",
            activation="relu",
            kernel_initializer=RELU_INIT,
        )(h)
        x = layers.Add()([x, h]) if spec.residual else h
        if spec.pooled:
            maps.append(x)
    if not maps or maps[-1] is not x:
        maps.append(x)
    kinds = layers.GlobalAveragePooling1D, layers.GlobalMaxPooling1D
    pooled = [pool()(x) for x in maps for pool in kinds]
    return keras.Model(inputs, layers.Concatenate()(pooled), name="head_features")


def build_summary(n_head_features: int) -> keras.Model:
    """Build what a window is summed up to: (n_segments, n_head_features) -> (width,).

    The last `N_CLASSES` of it are the logarithms of the task's answer, as guessed.
    """
    segments = keras.Input((None, n_head_features), name="segments")
    pooled = layers.Concatenate()(
        [
            layers.GlobalAveragePooling1D()(segments),
            layers.GlobalMaxPooling1D()(segments),
        ]
    )
    h = layers.Dropout(DROPOUT)(layers.BatchNormalization()(pooled))
    h = layers.Dense(SUMMARY_WIDTH, activation="relu")(h)
    answer = ops.log_softmax(layers.Dense(N_CLASSES, name="answer")(h))
    return keras.Model(segments, layers.Concatenate()([h, answer]), name="summary")


def build_forecast(n_rates: int, n_rows: int, n_channels: int) -> keras.Model:
    """Build what foretells: a summary and log rates -> center and spread.

    Args:
        n_rates: how many levels' rates it is given.
        n_rows: levels it foretells for, and the raw window.
        n_channels: kinds of error.

    Returns:
        Model with two flat outputs, (n_rows * n_channels,) each.
    """
    summary = keras.Input((SUMMARY_WIDTH + N_CLASSES,), name="summary")
    rates = keras.Input((n_rates,), name="log_rates")
    joined = layers.Concatenate()([summary, rates])
    h = layers.BatchNormalization(name="norm")(joined)
    h = layers.Dense(WIDTH, activation="relu", name="hidden")(h)
    h = layers.Dropout(DROPOUT)(h)
    n_out = n_rows * n_channels
    center = layers.Dense(
        n_out,
        bias_initializer=keras.initializers.Constant(FIRST_CENTER),
        name="center",
    )(h)
    spread = layers.Dense(n_out, activation="softplus", name="spread")(h) + LEAST_SPREAD
    return keras.Model([summary, rates], [center, spread], name="forecast")


def merge_forecasts(forecasts: Sequence[keras.Model]) -> keras.Model:
    """Return one forecast that computes the mean of several.

    Of the centers, and of the spreads before their softplus. The hidden layers stand
    side by side in one, so a device computes it as it does one of them.

    Args:
        forecasts: of `build_forecast`, for the same rows and channels.
    """
    parts = [_dense_of(forecast) for forecast in forecasts]
    kernel, bias = (np.concatenate(same, axis=-1) for same in zip(*parts, strict=True))
    first = forecasts[0]
    inputs = [keras.Input(part.shape[1:], name=part.name) for part in first.inputs]
    h = layers.Dense(len(bias), activation="relu", name="hidden")
    center, spread = (
        layers.Dense(first.output_shape[0][-1], activation=kind, name=name)
        for name, kind in (("center", None), ("spread", "softplus"))
    )
    hidden = h(layers.Concatenate()(inputs))
    outputs = [center(hidden), spread(hidden) + LEAST_SPREAD]
    h.set_weights([kernel, bias])
    for layer in (center, spread):
        of_each = [one.get_layer(layer.name).get_weights() for one in forecasts]
        kernels, biases = zip(*of_each, strict=True)
        layer.set_weights(
            [np.concatenate(kernels) / len(forecasts), np.mean(biases, axis=0)]
        )
    return keras.Model(inputs, outputs, name="forecast")


def _dense_of(forecast: keras.Model) -> list[np.ndarray]:
    """Return kernel and bias of the hidden layer, with the norm before it in them."""
    norm, hidden = forecast.get_layer("norm"), forecast.get_layer("hidden")
    gamma, beta, mean, variance = norm.get_weights()
    kernel, bias = hidden.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return [scale[:, None] * kernel, bias + (beta - mean * scale) @ kernel]


def join_heads(summary: keras.Model, forecast: keras.Model) -> keras.Model:
    """Return the network of a window: features of segments, log rates -> forecast."""
    segments = keras.Input(summary.input_shape[1:], name="segments")
    rates = keras.Input(forecast.input_shape[1][1:], name="log_rates")
    center, spread = forecast([summary(segments), rates])
    return keras.Model([segments, rates], [center, spread], name="error_heads")
