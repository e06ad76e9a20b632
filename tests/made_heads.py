# SPDX-License-Identifier: Apache-2.0
"""Error heads of the form that training gives them, untrained. Needs TensorFlow."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from dynamic_deep.networks import build_forecast, build_summary, join_heads
from training.lite import export_heads

N_FEATURES = 3  # as the bundle `aware` has


def make_heads(n_rates: int) -> bytes:
    """Return the `.tflite` of heads that read so many levels' rates."""
    keras.utils.set_random_seed(2)
    forecast = build_forecast(n_rates, 1 + n_rates, 3)
    summary = build_summary(N_FEATURES)
    for layer in (*summary.layers, *forecast.layers):
        if isinstance(layer, layers.Dense):  # a bias of zeros would not be exported
            layer.bias.assign(np.linspace(-1.0, 1.0, layer.units))
    heads = join_heads(summary, forecast)
    return export_heads(heads, N_FEATURES, n_rates)
