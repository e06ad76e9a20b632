# SPDX-License-Identifier: Apache-2.0
"""From where on a latent's value is not rounded to 0, by the loss it trained for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.latent import LatentCoder
from dynamic_deep.quantizer import quantize
from training.distortion import distortion
from training.latent_tables import context_weights, decode_latents, fit_tables
from training.model import CodecModel
from training.task_weight import share_of_weight

THRESHOLDS = (0.5, 0.55, 0.6, 0.65)
BATCH = 40

FloatArray = npt.NDArray[np.float32]


def choose_threshold(
    model: CodecModel, level_idx: int, latents: FloatArray, windows: FloatArray
) -> tuple[float, dict[str, float]]:
    """Return the threshold of the least loss with real rates, and its figures.

    Args:
        model: the codec, with the settings of its loss.
        level_idx: of the level.
        latents: unquantised, (n_windows, n_steps, n_channels).
        windows: normalised, (n_windows, WINDOW_LEN, 1).
    """
    context = context_weights(model.rates[level_idx])
    lmbda = float(np.exp(keras.ops.convert_to_numpy(model.log_lmbda)[level_idx]))
    tried = []
    for threshold in THRESHOLDS:
        y_hat = quantize(latents, threshold)
        coder = LatentCoder(context, fit_tables(context, y_hat))
        rate = float(np.mean([coder.n_bits(y) for y in y_hat])) / WINDOW_LEN
        x_hat = decode_latents(model, y_hat, level_idx)
        loss, figures = _loss(model, level_idx, windows, x_hat[..., None])
        figures = {"bits_per_sample": round(rate, 4), **figures}
        tried.append((loss + lmbda * rate, threshold, figures))
    _, best, figures = min(tried, key=lambda row: row[0])
    return best, figures


def _loss(
    model: CodecModel, level_idx: int, windows: FloatArray, x_hat: FloatArray
) -> tuple[float, dict[str, float]]:
    """Return distortion and task's part of the loss, and the figures it is made of."""
    settings = model.settings
    values = _values(lambda x, y: distortion(settings.distortion, x, y), windows, x_hat)
    loss = settings.w0 * float(values.mean())
    prdn = _values(lambda x, y: distortion("prdn", x, y), windows, x_hat)
    figures = {"prdn": round(100.0 * float(prdn.mean()), 2)}
    terms = settings.terms
    if terms is None or terms.weights.reference == "label":  # no labels are at hand
        return loss, figures
    gain = model.config.latents[level_idx].nominal_gain
    power = terms.weights.power
    for task, weight in terms.weights.tasks.items():
        error = _values(functools.partial(terms.error, task), windows, x_hat)
        cost = keras.ops.convert_to_numpy(terms.cost(task, error))
        loss += weight * share_of_weight(gain, power) * float(cost.mean())
        figures[task] = round(float(error.mean()), 5)
    return loss, figures


def _values(
    of: Callable[[FloatArray, FloatArray], Any], windows: FloatArray, x_hat: FloatArray
) -> FloatArray:
    """Return a measure of each window."""
    parts = [
        keras.ops.convert_to_numpy(of(windows[i : i + BATCH], x_hat[i : i + BATCH]))
        for i in range(0, len(windows), BATCH)
    ]
    return np.concatenate(parts)
