# SPDX-License-Identifier: Apache-2.0
"""Fit the context network of one level, make it integer, and count its tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dynamic_deep.entropy import normalize_counts
from dynamic_deep.latent import N_TABLES
from dynamic_deep.latent_context import N_SIGNS, ContextNet
from dynamic_deep.latent_net import NetCoder
from training.averaged import compile_averaged, cosine
from training.context_model import ContextModel, magnitude_priors, sign_priors
from training.latent_tables import LIMIT, PRIOR_WEIGHT

IntArray = npt.NDArray[np.integer]
Log = Callable[[str], None]
N_WARMUP_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class ContextPreset:
    """How context networks are fitted.

    Attributes:
        n_taps: steps from which a symbol is heard.
        n_hidden: width of the hidden map.
        n_sizes: classes of magnitudes that are told apart.
        cap: magnitudes from here on are as likely as at first; smaller ones by counts.
        n_groups: groups of channels; 0 where the latent has its own.
        n_steps: of training, for each level.
        batch_size: windows a step.
    """

    n_taps: int = 9
    n_hidden: int = 48
    n_sizes: int = 2
    cap: int = 6
    n_groups: int = 8
    n_steps: int = 3000
    batch_size: int = 32
    learning_rate: float = 4e-3
    seed: int = 7


# A microcontroller's flash holds the tables of all levels; and it spends more on coding
# wavelets so than its radio saves.
CONTEXT_PRESETS: dict[tuple[str, str], ContextPreset | None] = {
    ("edge", "neural"): ContextPreset(n_hidden=24, n_groups=6),
    ("edge", "wavelet"): None,
}
WAVELET_CONTEXTS = ContextPreset(
    n_taps=5, n_hidden=24, n_sizes=3, cap=16, n_groups=0, n_steps=1500, batch_size=16
)


def preset_of(name: str, kind: str) -> ContextPreset | None:
    """Return how the context networks of a bundle of this name are fitted, if at all.

    Args:
        name: of the bundle.
        kind: wavelet or neural, of the levels.
    """
    default = WAVELET_CONTEXTS if kind == "wavelet" else ContextPreset()
    return CONTEXT_PRESETS.get((name, kind), default)


def fit_context(
    y: IntArray, bounds: Sequence[int], preset: ContextPreset, *, log: Log
) -> ContextModel:
    """Fit the context network of latents (n_windows, n_steps, n_channels).

    Args:
        y: the latents.
        bounds: where each group of channels begins, and the number of channels.
        preset: how.
        log: gets a line now and then.
    """
    keras.utils.set_random_seed(preset.seed)
    model = ContextModel(
        y,
        n_taps=preset.n_taps,
        n_hidden=preset.n_hidden,
        bounds=bounds,
        n_sizes=preset.n_sizes,
        cap=preset.cap,
    )
    compile_averaged(
        model,
        y[:2].astype(np.float32),
        learning_rate=preset.learning_rate,
        weight_decay=0.003,
        ema_momentum=0.99,
    )
    losses: list[float] = []
    for step in range(preset.n_steps):
        rng = np.random.default_rng((preset.seed, step))
        batch = y[rng.integers(len(y), size=preset.batch_size)].astype(np.float32)
        share = min(1.0, (step + 1) / N_WARMUP_STEPS) * cosine(step / preset.n_steps)
        model.optimizer.learning_rate = preset.learning_rate * share
        loss = model.train_on_batch(batch, batch[:, 0, 0])
        losses.append(8.0 * float(np.ravel(loss)[0]))
        if (step + 1) % 500 == 0:
            log(f"{step + 1}/{preset.n_steps}: {np.mean(losses):.2f} bytes a window")
            losses.clear()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def net_tables(
    model: ContextModel, latents: IntArray, *, limit: int = LIMIT
) -> dict[str, npt.NDArray[Any]]:
    """Return the integers of a fitted network and its tables, counted over latents.

    Args:
        model: the network.
        latents: (n_windows, n_steps, n_channels).
        limit: the largest magnitude with a column of its own.
    """
    net = model.whole()
    sizes, signs = _counts(net, latents, limit)
    priors = _trained_priors(model, limit)
    return {
        **vars(net),
        "magnitudes": normalize_counts(sizes + PRIOR_WEIGHT * priors),
        "signs": normalize_counts(signs + PRIOR_WEIGHT * sign_priors()),
    }


def _counts(
    net: ContextNet, latents: IntArray, limit: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Count magnitudes and signs by table over latents."""
    sizes, signs = np.zeros((N_TABLES, limit + 2)), np.zeros((N_SIGNS, 2))
    coder = NetCoder(net, normalize_counts(sizes), normalize_counts(signs))
    for window in latents:
        y = window.astype(np.int32)
        tables, sign_idx = coder.indices(y)
        size = np.minimum(np.abs(y), limit + 1)
        np.add.at(sizes, (tables, size), 1.0)
        signed = (size > 0) & (size <= limit)
        np.add.at(signs, (sign_idx[signed], (y[signed] > 0).astype(int)), 1.0)
    return sizes, signs


def _trained_priors(model: ContextModel, limit: int) -> npt.NDArray[np.float64]:
    """Return the trained tables, what is beyond the cap shared out as at first."""
    trained = keras.ops.convert_to_numpy(keras.ops.softmax(model.tables))
    cap, rows = min(model.cap, limit + 1), magnitude_priors(limit)
    beyond = rows[:, cap:] / rows[:, cap:].sum(axis=1, keepdims=True)
    left = trained[:, cap:].sum(axis=1, keepdims=True)
    return np.concatenate([trained[:, :cap], left * beyond], axis=1)
