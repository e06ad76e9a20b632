# SPDX-License-Identifier: Apache-2.0
"""Phase 3: train the error heads, with everything else frozen.

First the features and the summary learn to guess the task's own answer on the raw
window, from random windows of all records. Then, on windows that were tried at every
level, the forecast learns the errors. Each window has its own target (the published
code took the batch's mean for all of them). An error is foretold as a logistic around a
median of its logarithm; the loss is the cross entropy of "is it over b" for a row of
bounds b, so that what is no error at all needs no logarithm, and what a user may ask is
what is trained.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from dynamic_deep.config import SEGMENT_LEN, SEGMENTS_PER_WINDOW
from dynamic_deep.networks import build_forecast, build_head_features, build_summary
from dynamic_deep.networks.error_heads import N_CLASSES
from dynamic_deep.trials import Trials
from training.averaged import compile_averaged, cosine
from training.datasets import RandomWindows
from training.head_targets import bound_grid, over_targets
from training.model import CodecModel

FloatArray = npt.NDArray[np.float32]
Log = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class HeadPreset:
    """A training run of phase 3.

    Attributes:
        n_guess_steps: of learning the task's answer.
        guess_batch: windows a step of it.
        guess_pool: batches that are drawn once and then seen again and again; if 0,
            each step has a new one.
        n_forecasts: how many learn the errors; their mean is shipped. One alone hangs
            on chance: of six the gain under a bound differed by a fifth.
        n_forecast_steps: of each.
        forecast_batch: windows a step of it.
        cinc_every: one record of so many of CinC's train split is tried.
        mitdb_every: one window of so many of each lead of MIT-BIH; there are fewer
            patients.
    """

    n_guess_steps: int = 3000
    guess_batch: int = 64
    guess_pool: int = 0
    n_forecasts: int = 5
    n_forecast_steps: int = 2500
    forecast_batch: int = 256
    cinc_every: int = 1
    mitdb_every: int = 2
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    ema_momentum: float = 0.995
    seed: int = 20262


class Guess(keras.Model):
    """Head features and summary, trained to guess a task's mean answer."""

    def __init__(self, codec: CodecModel) -> None:
        """Build the trainable parts; the codec stays as it is."""
        super().__init__(name="guess")
        n_features = codec.trunk.output_shape[-1]
        self.features = build_head_features(codec.config, n_features)
        self.summary = build_summary(self.features.output_shape[-1])

    def call(self, maps: Any, training: bool = False) -> Any:
        """Return the summaries of windows: (n, 4, n_steps, n_features) -> (n, w)."""
        flat = ops.reshape(maps, (-1, *maps.shape[-2:]))
        features = self.features(flat)
        segments = ops.reshape(features, (-1, SEGMENTS_PER_WINDOW, features.shape[-1]))
        return self.summary(segments, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the cross entropy of the guess with the task's answer."""
        return -ops.mean(ops.sum(y * y_pred[:, -N_CLASSES:], axis=-1))


class Forecast(keras.Model):
    """The forecast with its loss."""

    def __init__(self, channels: tuple[str, ...], n_rows: int) -> None:
        """Build it for levels and the raw window."""
        super().__init__(name="forecast")
        self.network = build_forecast(n_rows - 1, n_rows, len(channels))
        self.grid = bound_grid(channels)
        self.shape = n_rows, len(channels)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the logits of each bound being broken."""
        center, spread = self.network(list(inputs), training=training)
        center = ops.reshape(center, (-1, *self.shape, 1))
        spread = ops.reshape(spread, (-1, *self.shape, 1))
        return (center - self.grid[None, None]) / spread

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the cross entropy over what is known; `y` holds targets, weights."""
        over, weight = y
        cross = (
            ops.maximum(y_pred, 0.0)
            - y_pred * over
            + ops.log1p(ops.exp(-ops.abs(y_pred)))
        )
        return ops.sum(cross * weight) / ops.maximum(ops.sum(weight), 1.0)


def trunk_maps(codec: CodecModel, windows: FloatArray) -> FloatArray:
    """Return the frozen trunk's map of each segment: (n, 4, n_steps, n_features)."""
    found = keras.ops.convert_to_numpy(
        codec.trunk(windows.reshape(-1, SEGMENT_LEN, 1), training=False)
    )
    return np.asarray(found.reshape(-1, SEGMENTS_PER_WINDOW, *found.shape[1:]))


def _compiled(model: keras.Model, preset: HeadPreset, *inputs: Any) -> None:
    compile_averaged(
        model,
        *inputs,
        learning_rate=preset.learning_rate,
        weight_decay=preset.weight_decay,
        ema_momentum=preset.ema_momentum,
    )


def _set_rate(
    model: keras.Model, preset: HeadPreset, *, step: int, n_steps: int
) -> None:
    share = min(1.0, (step + 1) / 200) * cosine(step / n_steps)
    model.optimizer.learning_rate = preset.learning_rate * share


def fit_guess(
    codec: CodecModel,
    answer_of: Callable[[FloatArray], FloatArray],
    windows: RandomWindows,
    preset: HeadPreset,
    *,
    log: Log,
) -> Guess:
    """Train features and summary to guess what `answer_of` says of raw windows."""
    keras.utils.set_random_seed(preset.seed)
    guess = Guess(codec)
    size, losses = preset.guess_batch, []
    _compiled(guess, preset, trunk_maps(codec, windows.batch(0, 2)))

    @functools.lru_cache(maxsize=preset.guess_pool)
    def drawn(index: int) -> tuple[Any, FloatArray]:
        x = windows.batch(index, size)
        return trunk_maps(codec, x), answer_of(x)

    for step in range(preset.n_guess_steps):
        _set_rate(guess, preset, step=step, n_steps=preset.n_guess_steps)
        index = step % preset.guess_pool if preset.guess_pool else step
        loss = guess.train_on_batch(*drawn(index))
        losses.append(float(np.ravel(loss)[0]))
        if (step + 1) % 250 == 0:
            log(f"guess {step + 1}/{preset.n_guess_steps}: {np.mean(losses):.4f}")
            losses.clear()
    guess.optimizer.finalize_variable_values(guess.trainable_variables)
    return guess


def summaries(guess: Guess, codec: CodecModel, windows: FloatArray) -> FloatArray:
    """Return the summary of each window, (n, width)."""
    parts = [
        keras.ops.convert_to_numpy(guess(trunk_maps(codec, windows[i : i + 32])))
        for i in range(0, len(windows), 32)
    ]
    return np.concatenate(parts)


def fit_forecast(
    trials: Trials,
    inputs: tuple[FloatArray, FloatArray],
    preset: HeadPreset,
    *,
    log: Log,
    held_out: npt.NDArray[np.bool_] | None = None,
) -> Forecast:
    """Train the forecast.

    Args:
        trials: the targets.
        inputs: summaries and log rates of the same windows.
        preset: how.
        log: gets a line now and then.
        held_out: windows to watch and not to train on, (n,).
    """
    keras.utils.set_random_seed(preset.seed)
    forecast = Forecast(trials.channels, 1 + len(trials.levels))
    _compiled(forecast, preset, [part[:2] for part in inputs])
    targets = over_targets(trials)
    watched = np.zeros(len(trials), bool) if held_out is None else held_out
    pool, losses = np.flatnonzero(~watched), []
    for step in range(preset.n_forecast_steps):
        rng = np.random.default_rng((preset.seed, step))
        at = rng.choice(pool, size=preset.forecast_batch)
        _set_rate(forecast, preset, step=step, n_steps=preset.n_forecast_steps)
        loss = forecast.train_on_batch(
            [part[at] for part in inputs], [part[at] for part in targets]
        )
        losses.append(float(np.ravel(loss)[0]))
        if (step + 1) % 250 == 0:
            note = _watch(forecast, inputs, targets, np.flatnonzero(watched))
            log(f"forecast {step + 1}: {np.mean(losses):.4f}{note}")
            losses.clear()
    forecast.optimizer.finalize_variable_values(forecast.trainable_variables)
    log("averaged" + _watch(forecast, inputs, targets, np.flatnonzero(watched)))
    return forecast


def _watch(
    forecast: Forecast,
    inputs: tuple[FloatArray, FloatArray],
    targets: tuple[FloatArray, FloatArray],
    at: npt.NDArray[np.integer],
) -> str:
    if not len(at):
        return ""
    logits = forecast([part[at] for part in inputs], training=False)
    loss = forecast.compute_loss(y=[part[at] for part in targets], y_pred=logits)
    return f", held out {float(loss):.4f}"
