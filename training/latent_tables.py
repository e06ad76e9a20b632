# SPDX-License-Identifier: Apache-2.0
"""Integer tables of a trained codec's latents, and latents there and back."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.entropy import normalize_counts
from dynamic_deep.latent import (
    FIRST_TABLE_AT,
    N_TABLES,
    TABLE_STEP,
    WEIGHT_UNIT,
    ContextWeights,
    LatentCoder,
)
from dynamic_deep.quantizer import symbol_counts
from training.model import CodecModel
from training.rate_model import RateModel

LIMIT = 15  # of the alphabet; larger values are escaped
PRIOR_WEIGHT = 40.0  # symbols' worth of the logistic shape in each table
BATCH = 50

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]


def context_weights(rate: RateModel) -> ContextWeights:
    """Round the weights of a rate model to the codec's integers."""

    def whole(weights: keras.Variable, mask: float | np.ndarray) -> np.ndarray:
        scaled = keras.ops.convert_to_numpy(weights) * mask * WEIGHT_UNIT
        return np.clip(np.rint(scaled), -(2**14), 2**14).astype(np.int16)

    return ContextWeights(
        earlier=whole(rate.earlier, rate.earlier_mask),
        same=whole(rate.same, rate.same_mask),
        bias=whole(rate.bias, 1.0),
        n_groups=rate.n_groups,
    )


def logistic_columns(log_scale: float) -> npt.NDArray[np.float64]:
    """Return the logistic distribution of a scale over the alphabet and the escape."""
    edges = (np.arange(-LIMIT, LIMIT + 2) - 0.5) / np.exp(log_scale)
    below = 1.0 / (1.0 + np.exp(-np.clip(edges, -60.0, 60.0)))
    share = np.diff(below)
    return np.append(share, 2.0 * below[0])


def table_middles() -> npt.NDArray[np.float64]:
    """Return the logarithm of the scale in the middle of each table's, (N_TABLES,)."""
    numbers = np.arange(N_TABLES) + 0.5
    return np.asarray((FIRST_TABLE_AT + TABLE_STEP * numbers) / WEIGHT_UNIT)


def prior_tables() -> npt.NDArray[np.float64]:
    """Return the logistic distribution at the middle of each table's scales."""
    return np.stack([logistic_columns(float(v)) for v in table_middles()])


def encode_windows(model: CodecModel, windows: FloatArray) -> list[FloatArray]:
    """Return the latent of every level: (n_windows, n_steps, n_channels)."""
    features = np.concatenate(
        [
            keras.ops.convert_to_numpy(
                model.trunk(windows[i : i + BATCH].reshape(-1, SEGMENT_LEN, 1))
            )
            for i in range(0, len(windows), BATCH)
        ]
    )
    return [
        keras.ops.convert_to_numpy(tail(features)).reshape(
            len(windows), -1, latent.n_channels
        )
        for tail, latent in zip(model.tails, model.config.latents, strict=True)
    ]


def decode_latents(model: CodecModel, y_hat: IntArray, level_idx: int) -> FloatArray:
    """Return the reconstruction of quantised latents: (n_windows, n_samples)."""
    parts = []
    for i in range(0, len(y_hat), BATCH):
        features = model.entries[level_idx](y_hat[i : i + BATCH].astype(np.float32))
        levels = keras.ops.full((len(features),), level_idx, dtype="int32")
        x_hat = model.body([features, levels])
        parts.append(keras.ops.convert_to_numpy(x_hat)[..., 0])
    return np.concatenate(parts)


def fit_tables(context: ContextWeights, latents: IntArray) -> npt.NDArray[np.uint32]:
    """Count symbols by table over latents (n_windows, n_steps, n_channels)."""
    prior = prior_tables()
    coder = LatentCoder(context, normalize_counts(prior))
    counts = np.zeros(prior.shape)
    for y in latents:
        counts += symbol_counts(y, coder.table_idx(y), n_tables=N_TABLES, limit=LIMIT)
    counts[:, :-1] = (counts[:, :-1] + counts[:, -2::-1]) / 2
    return normalize_counts(counts + PRIOR_WEIGHT * prior)
