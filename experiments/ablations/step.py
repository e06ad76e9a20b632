# SPDX-License-Identifier: Apache-2.0
"""A codec that was trained without a rate is made as coarse as one that was with it.

Its latent is as fine as reconstruction wanted. A coarser quantiser step for each level
is looked for on validation windows until the level needs as many bits as that of the
other codec. For every step tried the context model is fitted anew to train windows,
which a training with the bits in its loss does on the way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from training.model import CodecModel

FloatArray = npt.NDArray[np.float32]

MAX_STEP = 1024.0
N_TRIES = 10
CLOSE_ENOUGH = 0.01  # of the rate
N_FIT_STEPS = 150
FIT_BATCH = 64
FIT_RATE = 0.02  # of learning


def meet_rates(
    model: CodecModel,
    against: CodecModel,
    windows: list[npt.NDArray[Any]],
    *,
    validation: FloatArray,
) -> dict[str, float]:
    """Set the quantiser step of every level of a model; return them by level.

    Args:
        model: trained without the rate; changed.
        against: the same levels, trained with it. Its weight of the rate decides the
            rounding of both.
        windows: normalised, of train, to fit context models to.
        validation: normalised windows, (n_windows, WINDOW_LEN, 1), to count bits on.
    """
    from training.latent_tables import encode_windows
    from training.thresholds import choose_threshold

    stacked = np.stack(windows)[:: max(1, len(windows) // 600), :, None]
    own = encode_windows(model, stacked.astype(np.float32))
    checked = encode_windows(model, validation)
    wanted = encode_windows(against, validation)
    model.log_lmbda.assign(against.log_lmbda)
    steps = {}
    for i, latent in enumerate(model.config.latents):
        _, figures = choose_threshold(against, i, wanted[i], validation)
        steps[latent.name] = _meet(
            model, i, figures["bits_per_sample"], own[i], (checked[i], validation)
        )
    return steps


def _meet(
    model: CodecModel,
    level_idx: int,
    wanted: float,
    own: FloatArray,
    checked: tuple[FloatArray, FloatArray],
) -> float:
    """Return the step at which a level has the wanted bits a sample; it is set."""
    from training.thresholds import choose_threshold

    latents, windows = checked
    low, high, step, now = 1.0, MAX_STEP, 1.0, 1.0
    for _ in range(N_TRIES):
        step = math.sqrt(low * high)
        coarsen(model, level_idx, step / now)
        now = step
        fit_context(model.rates[level_idx], own / step)
        _, figures = choose_threshold(model, level_idx, latents / step, windows)
        ratio = figures["bits_per_sample"] / wanted
        if abs(ratio - 1.0) < CLOSE_ENOUGH:
            break
        low, high = (step, high) if ratio > 1.0 else (low, step)
    return step


def coarsen(model: CodecModel, level_idx: int, factor: float) -> None:
    """Make the quantiser step of a level coarser; but for rounding nothing changes."""
    from keras import layers

    step = model.tails[level_idx].layers[-1]
    step.log_gain.assign_sub(np.full(step.log_gain.shape, math.log(factor)))
    entry = model.entries[level_idx]
    conv = next(v for v in entry.layers if isinstance(v, layers.Conv1D))
    conv.kernel.assign(conv.kernel * factor)


def fit_context(rate: Any, latents: FloatArray) -> float:
    """Fit a rate model to latents that don't change; return the last bits a symbol.

    Args:
        rate: a `training.rate_model.RateModel`; it goes on from where it is.
        latents: (n_windows, n_steps, n_channels), in quantiser steps.
    """
    import keras
    from keras import ops

    inputs = [keras.Input((None, latents.shape[-1])) for _ in range(2)]
    model = keras.Model(inputs, rate(*inputs))
    model.compile(
        optimizer=keras.optimizers.Adam(FIT_RATE),
        loss=lambda _, n_bits: ops.mean(n_bits),
    )
    rng = np.random.default_rng(0)
    bits = float("nan")
    for _ in range(N_FIT_STEPS):
        y = latents[rng.integers(len(latents), size=FIT_BATCH)]
        noisy = (y + rng.uniform(-0.5, 0.5, y.shape)).astype(np.float32)
        bits = float(np.ravel(model.train_on_batch([noisy, np.rint(y)], y))[0])
    return bits
