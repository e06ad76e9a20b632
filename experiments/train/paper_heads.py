# SPDX-License-Identifier: Apache-2.0
"""Phase 3: the error heads, with everything else frozen.

A head reads the latents of a window's segments, each by the same small network, and
foretells one error. Each window is trained toward its own error, and the last layer is
a softplus, which cannot die at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from experiments.networks.paper import FORECAST_SEGMENTS, LEVELS, N_ELEMENTS, REFERENCES
from experiments.networks.paper_segments import FloatArray
from training.averaged import cosine

# filters and stride of a segment's convolutions, all of 3 taps
_CONVS = ((4, 1), (8, 1), (8, 2), (4, 1), (8, 1), (8, 2), (1, 1))
_WIDTH = 16
DROPOUT = 0.2


@dataclass(frozen=True, kw_only=True)
class HeadPhase:
    """A training run of the heads.

    Attributes:
        n_windows: of CinC's train split, whose errors are measured.
        n_steps: of Adam, whose rate falls by a cosine to zero.
        batch: windows a step.
        most_error: nats; a larger error counts as this much.
    """

    n_windows: int = 1500
    n_steps: int = 1500
    batch: int = 64
    learning_rate: float = 2e-3
    most_error: float = 4.0
    seed: int = 20268


def build_segment_head(level: int) -> keras.Model:
    """Build what reads a segment's latent: 1,038 parameters at level 32, 910 at 64."""
    inputs = keras.Input((N_ELEMENTS[level], 1))
    x = inputs
    for filters, stride in _CONVS:
        x = layers.Conv1D(
            filters, 3, strides=stride, padding="same", activation="swish"
        )(x)
    x = layers.Dropout(DROPOUT)(layers.Flatten()(x))
    x = layers.Dense(_WIDTH, activation="swish")(x)
    return keras.Model(inputs, layers.Dense(1)(x))


def build_head(level: int) -> keras.Model:
    """Build a head: latents (FORECAST_SEGMENTS, n_elements) -> (1,) nats."""
    inputs = keras.Input((FORECAST_SEGMENTS, N_ELEMENTS[level]))
    one = build_segment_head(level)
    flat = ops.reshape(inputs, (-1, N_ELEMENTS[level], 1))
    joined = ops.reshape(one(flat), (-1, FORECAST_SEGMENTS))
    return keras.Model(inputs, layers.Dense(1, activation="softplus")(joined))


def fit_head(
    level: int,
    latents: FloatArray,
    errors: FloatArray,
    phase: HeadPhase,
    *,
    log: Callable[[str], None] = print,
) -> keras.Model:
    """Train one head.

    Args:
        level: whose latents these are.
        latents: float32 (n, FORECAST_SEGMENTS, n_elements).
        errors: float32 (n,), nats, of each window.
        phase: how.
        log: gets a line now and then.
    """
    keras.utils.set_random_seed(phase.seed)
    head = build_head(level)
    optimizer = keras.optimizers.Adam(phase.learning_rate, clipnorm=1.0)
    head.compile(optimizer=optimizer, loss="mse", jit_compile=False)
    targets = np.minimum(errors, phase.most_error)[:, None]
    losses = []
    for step in range(phase.n_steps):
        rng = np.random.default_rng((phase.seed, step))
        at = rng.integers(len(latents), size=phase.batch)
        optimizer.learning_rate = phase.learning_rate * cosine(step / phase.n_steps)
        losses.append(float(np.ravel(head.train_on_batch(latents[at], targets[at]))[0]))
        if (step + 1) % 500 == 0:
            log(f"head {level} {step + 1}: {np.mean(losses):.4f}")
            losses.clear()
    return head


def fit_heads(
    latents: dict[int, FloatArray], errors: FloatArray, phase: HeadPhase
) -> dict[tuple[int, str], keras.Model]:
    """Train a head a level and reference.

    Args:
        latents: of each level, as `fit_head` takes them.
        errors: float32 (n, n_levels, n_references), nats.
        phase: how.
    """
    return {
        (level, reference): fit_head(level, latents[level], errors[:, i, j], phase)
        for i, level in enumerate(LEVELS)
        for j, reference in enumerate(REFERENCES)
    }


def joined_heads(heads: dict[tuple[int, str], keras.Model]) -> Callable[..., Any]:
    """Return all heads as one function of both levels' latents."""

    def foretell(*latents: Any) -> Any:
        found = [
            heads[level, reference](y, training=False)
            for level, y in zip(LEVELS, latents, strict=True)
            for reference in REFERENCES
        ]
        return ops.concatenate(found, axis=-1)

    return foretell
