# SPDX-License-Identifier: Apache-2.0
"""From a trained run to a bundle: integer tables, thresholds, LiteRT networks.

python -m training export standard --run runs/standard --out BUNDLE
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import LatentShape, Level
from dynamic_deep.config import SEGMENT_LEN, WINDOW_LEN
from dynamic_deep.entropy import normalize_counts
from dynamic_deep.errors import ConfigError
from dynamic_deep.latent import (
    FIRST_TABLE_AT,
    N_TABLES,
    TABLE_STEP,
    WEIGHT_UNIT,
    ContextWeights,
    LatentCoder,
)
from dynamic_deep.networks import LatentConfig
from dynamic_deep.quantizer import quantize, symbol_counts
from training.classical import classical_tables, write_bundle
from training.datasets import all_windows, load_leads
from training.lite import export_networks
from training.model import CodecModel
from training.presets import Preset
from training.rate_model import RateModel
from training.tables import Tables
from training.trainer import build_model, load_checkpoint
from training.worth import MIN_ADVANTAGE, advantage, wavelet_curve

FIRST_NEURAL_ID = 16
LIMIT = 15  # of the alphabet; larger values are escaped
PRIOR_WEIGHT = 40.0  # symbols' worth of the logistic shape in each table
THRESHOLDS = (0.5, 0.54, 0.58, 0.62, 0.66)
N_VALIDATION_WINDOWS = 200
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


def prior_tables() -> npt.NDArray[np.float64]:
    """Return the logistic distribution at the middle of each table's scales."""
    middles = (FIRST_TABLE_AT + TABLE_STEP * (np.arange(N_TABLES) + 0.5)) / WEIGHT_UNIT
    return np.stack([logistic_columns(float(v)) for v in middles])


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


def _choose_threshold(
    model: CodecModel, level_idx: int, latents: FloatArray, windows: FloatArray
) -> tuple[float, dict[str, float]]:
    """Return the threshold of the least PRDN + lambda * rate, and its figures."""
    context = context_weights(model.rates[level_idx])
    lmbda = float(np.exp(keras.ops.convert_to_numpy(model.log_lmbda)[level_idx]))
    best: tuple[float, float, dict[str, float]] | None = None
    for threshold in THRESHOLDS:
        y_hat = quantize(latents, threshold)
        coder = LatentCoder(context, fit_tables(context, y_hat))
        rate = float(np.mean([coder.n_bits(y) for y in y_hat])) / WINDOW_LEN
        error = decode_latents(model, y_hat, level_idx) - windows[..., 0]
        prdn = float(np.mean(np.linalg.norm(error, axis=1)) / np.sqrt(WINDOW_LEN))
        figures = {"bits_per_sample": round(rate, 4), "prdn": round(100 * prdn, 2)}
        cost = prdn + lmbda * rate
        if best is None or cost < best[0]:
            best = (cost, threshold, figures)
    if best is None:
        raise ConfigError(f"thresholds must be some, got {THRESHOLDS}")
    return best[1], best[2]


def _validation_windows() -> FloatArray:
    """Return CinC validation windows and, as MIT-BIH has no such split, train ones."""
    rng = np.random.default_rng(5)
    parts = []
    for data_set, split in (("cinc2017", "validation"), ("mitdb", "train")):
        windows = all_windows(load_leads(data_set, split))
        chosen = rng.permutation(len(windows))[: N_VALIDATION_WINDOWS // 2]
        parts.append(windows[chosen])
    return np.concatenate(parts)


def level_tables(
    model: CodecModel,
    training: list[FloatArray],
    validation: FloatArray,
    *,
    classical: Tables,
) -> tuple[Tables, dict[str, LatentShape], dict[str, dict[str, float]]]:
    """Return tables, latent shapes and validation figures of the neural levels.

    Figures are of every level; a level that is not clearly above the wavelet at its
    PRDN has no tables and no shape.
    """
    curve = wavelet_curve(classical, validation[..., 0])
    tables: Tables = {}
    shapes: dict[str, LatentShape] = {}
    figures: dict[str, dict[str, float]] = {}
    fitted = encode_windows(model, np.stack(training)[..., None])
    checked = encode_windows(model, validation)
    for i, latent in enumerate(model.config.latents):
        threshold, figures[latent.name] = _choose_threshold(
            model, i, checked[i], validation
        )
        reached = figures[latent.name]
        reached["advantage"] = round(
            advantage(curve, prdn=reached["prdn"], rate=reached["bits_per_sample"]),
            3,
        )
        if reached["advantage"] < MIN_ADVANTAGE:
            continue
        context = context_weights(model.rates[i])
        counts = fit_tables(context, quantize(fitted[i], threshold))
        tables |= {
            f"{latent.name}/earlier": context.earlier,
            f"{latent.name}/same": context.same,
            f"{latent.name}/bias": context.bias,
            f"{latent.name}/n_groups": np.asarray(context.n_groups),
            f"{latent.name}/counts": counts,
        }
        shapes[latent.name] = _shape(i, latent, threshold)
    return tables, shapes, figures


def _shape(level_idx: int, latent: LatentConfig, threshold: float) -> LatentShape:
    return LatentShape(
        level_idx=level_idx,
        n_channels=latent.n_channels,
        stride=latent.stride,
        threshold=threshold,
    )


def export_bundle(preset: Preset, run: Path, folder: Path) -> dict[str, Any]:
    """Write the bundle of a run; return what it was trained on and reached."""
    begun = time.monotonic()
    model = build_model(preset)
    step = load_checkpoint(run / "checkpoint.npz", model)
    normalized, tables = classical_tables()
    more, latents, figures = level_tables(
        model, normalized, _validation_windows(), classical=tables
    )
    levels = [
        Level(
            id=FIRST_NEURAL_ID + i,
            name=latent.name,
            kind="neural",
            nominal_gain=float(latent.nominal_gain),
        )
        for i, latent in enumerate(preset.networks.latents)
        if latent.name in latents
    ]
    networks = {
        name: content
        for name, content in export_networks(model).items()
        if name.removeprefix("entry_") in {*latents, "encoder", "body"}
    }
    trained: dict[str, object] = {
        "preset": preset.networks.name,
        "data": "MIT-BIH train, CinC 2017 train",
        "n_steps": step,
        "seed": preset.seed,
        "validation": figures,
    }
    write_bundle(
        folder,
        name=preset.networks.name,
        tables=tables | more,
        neural_levels=levels,
        latents=latents,
        networks=networks,
        trained=trained,
    )
    seconds = round(time.monotonic() - begun)
    return trained | {"levels": [*latents], "seconds": seconds}
