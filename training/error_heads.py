# SPDX-License-Identifier: Apache-2.0
"""Phase 3: train the error heads, with everything else frozen.

Each window has its own target (the published code took the batch's mean for all of
them). An error is foretold as a logistic around a median of its logarithm; the loss is
the cross entropy of "is it over b" for a row of bounds b, so that what is no error at
all needs no logarithm, and what a user may ask is what is trained.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from dynamic_deep.bound import LEAST_ERROR
from dynamic_deep.config import SEGMENT_LEN, SEGMENTS_PER_WINDOW, WINDOW_LEN
from dynamic_deep.networks import build_error_heads, build_head_features
from dynamic_deep.trials import Trials
from training.model import CodecModel

FloatArray = npt.NDArray[np.float32]

BOUNDS = {
    "rhythm:raw": (0.01, 0.03, 0.06, 0.1, 0.15, 0.25, 0.5, 1.0),
    "rhythm:label": (0.1, 0.25, 0.5, 0.65, 0.75, 0.9, 1.2, 2.0),
    "rpeaks:raw": (LEAST_ERROR, 0.02, 0.04, 0.07, 0.1, 0.15, 0.25, 0.5),
}
N_BOUNDS = 8
TEACHER_WEIGHT = 0.2  # of telling the task's own answer on the raw window
N_CLASSES = 4


@dataclass(frozen=True, kw_only=True)
class HeadPreset:
    """A training run of phase 3."""

    n_steps: int = 6000
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    seed: int = 20262


def bound_grid(channels: tuple[str, ...]) -> FloatArray:
    """Return the logarithms of the bounds that are trained, (n_channels, N_BOUNDS)."""
    return np.log([BOUNDS[channel] for channel in channels]).astype(np.float32)


def over_targets(trials: Trials) -> tuple[FloatArray, FloatArray]:
    """Return whether each error is over each bound, and where that is known.

    Returns:
        Two arrays (n, 1 + L, C, N_BOUNDS): 0 or 1; and the weight 0 or 1.
    """
    errors = np.concatenate([trials.raw_errors[:, None], trials.errors], axis=1)
    bounds = np.exp(bound_grid(trials.channels))
    known = np.isfinite(errors)
    # Against its own answer the raw window has no error; that need not be learned.
    for column, channel in enumerate(trials.channels):
        known[:, 0, column] &= not channel.endswith(":raw")
    over = (np.nan_to_num(errors)[..., None] > bounds).astype(np.float32)
    weight = np.repeat(known[..., None], N_BOUNDS, axis=-1).astype(np.float32)
    return over, weight


class ErrorHeads(keras.Model):
    """Head features of the segments, and the heads of the window."""

    def __init__(
        self, codec: CodecModel, channels: tuple[str, ...], n_rows: int
    ) -> None:
        """Build the trainable parts; the codec stays as it is."""
        super().__init__(name="heads")
        n_features = codec.trunk.output_shape[-1]
        self.features = build_head_features(codec.config, n_features)
        self.heads = build_error_heads(
            self.features.output_shape[-1],
            len(codec.config.latents),
            n_rows,
            len(channels),
        )
        self.teacher = keras.layers.Dense(N_CLASSES, activation="softmax")
        self.grid = bound_grid(channels)
        self.shape = n_rows, len(channels)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the odds of each bound being broken, and the task's answer."""
        maps, rates = inputs
        steps, width = maps.shape[-2:]
        features = self.features(ops.reshape(maps, (-1, steps, width)))
        segments = ops.reshape(features, (-1, SEGMENTS_PER_WINDOW, features.shape[-1]))
        center, spread, hidden = self.heads([segments, rates], training=training)
        center = ops.reshape(center, (-1, *self.shape, 1))
        spread = ops.reshape(spread, (-1, *self.shape, 1))
        return (center - self.grid[None, None]) / spread, self.teacher(hidden)


def _loss(heads: ErrorHeads, batch: tuple[Any, ...], training: bool) -> Any:
    maps, rates, over, weight, answer = batch
    logits, told = heads((maps, rates), training=training)
    cross = (
        ops.maximum(logits, 0.0) - logits * over + ops.log1p(ops.exp(-ops.abs(logits)))
    )
    main = ops.sum(cross * weight) / ops.maximum(ops.sum(weight), 1.0)
    teach = -ops.mean(ops.sum(answer * ops.log(ops.maximum(told, 1e-6)), axis=-1))
    return main + TEACHER_WEIGHT * teach


class _Trainer(keras.Model):
    """Wraps the heads so that Keras takes the gradient on any backend."""

    def __init__(self, heads: ErrorHeads) -> None:
        super().__init__(name="trainer")
        self.heads = heads

    def call(self, inputs: Any, training: bool = False) -> Any:
        return _loss(self.heads, inputs, training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        return y_pred


def trunk_maps(codec: CodecModel, windows: FloatArray) -> npt.NDArray[np.float16]:
    """Return the frozen trunk's map of each segment: (n, 4, n_steps, n_features)."""
    parts = []
    for i in range(0, len(windows), 32):
        segments = windows[i : i + 32].reshape(-1, SEGMENT_LEN, 1)
        found = keras.ops.convert_to_numpy(codec.trunk(segments))
        parts.append(
            found.reshape(-1, SEGMENTS_PER_WINDOW, *found.shape[1:]).astype(np.float16)
        )
    return np.concatenate(parts)


def mean_answers(task: keras.Model, windows: FloatArray) -> FloatArray:
    """Return a task's mean answer on raw windows, (n, n_classes)."""
    parts = [
        keras.ops.convert_to_numpy(
            task(windows[i : i + 32].reshape(-1, WINDOW_LEN, 1), training=False)
        ).mean(axis=1)
        for i in range(0, len(windows), 32)
    ]
    return np.concatenate(parts)


def fit_error_heads(
    codec: CodecModel,
    trials: Trials,
    inputs: tuple[npt.NDArray[np.float16], FloatArray, FloatArray],
    preset: HeadPreset,
    *,
    log: Callable[[str], None],
    held_out: npt.NDArray[np.bool_] | None = None,
) -> ErrorHeads:
    """Train the heads.

    Args:
        codec: the trained codec; not changed.
        trials: the targets.
        inputs: trunk maps, log rates and the task's answers of the same windows.
        preset: how.
        log: gets a line now and then.
        held_out: windows to watch and not to train on, (n,).
    """
    keras.utils.set_random_seed(preset.seed)
    heads = ErrorHeads(codec, trials.channels, 1 + len(trials.levels))
    trainer = _Trainer(heads)
    arrays = (*inputs[:2], *over_targets(trials), inputs[2])
    watched = np.zeros(len(trials), bool) if held_out is None else held_out
    pool = np.flatnonzero(~watched)
    optimizer = keras.optimizers.AdamW(
        preset.learning_rate,
        weight_decay=preset.weight_decay,
        clipnorm=1.0,
        use_ema=True,
        ema_momentum=0.998,
    )
    trainer.compile(optimizer=optimizer, jit_compile=False)
    losses = []
    for step in range(preset.n_steps):
        rng = np.random.default_rng((preset.seed, step))
        at = rng.choice(pool, size=preset.batch_size)
        cosine = 0.5 * (1.0 + math.cos(math.pi * step / preset.n_steps))
        warm = min(1.0, (step + 1) / 200)
        batch = tuple(_row(a, at) for a in arrays)
        if step == 0:
            trainer(batch)
            optimizer.build(trainer.trainable_variables)
        optimizer.learning_rate = preset.learning_rate * warm * cosine
        losses.append(float(np.ravel(trainer.train_on_batch(batch))[0]))
        if (step + 1) % 500 == 0:
            note = _watch(trainer, arrays, np.flatnonzero(watched))
            log(f"{step + 1}/{preset.n_steps}: loss {np.mean(losses):.4f}{note}")
            losses.clear()
    optimizer.finalize_variable_values(trainer.trainable_variables)
    log("averaged weights" + _watch(trainer, arrays, np.flatnonzero(watched)))
    return heads


def _row(array: Any, at: npt.NDArray[np.integer]) -> FloatArray:
    return np.asarray(array[at], np.float32)


def _watch(
    trainer: keras.Model, arrays: tuple[Any, ...], at: npt.NDArray[np.integer]
) -> str:
    if not len(at):
        return ""
    parts = [
        float(trainer(tuple(_row(a, at[i : i + 128]) for a in arrays), training=False))
        for i in range(0, len(at), 128)
    ]
    return f", held out {np.mean(parts):.4f}"
