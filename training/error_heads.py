# SPDX-License-Identifier: Apache-2.0
"""Phase 3: train the error heads, with everything else frozen.

First the features and the summary learn what the tasks make of raw windows (`guess`).
Then, on windows that were tried at every level, the forecast learns the errors, as is
done here. Each window has its own target (the published code took the batch's mean for
all of them). An error is foretold as a logistic around a median of its logarithm; the
loss is the cross entropy of "is it over b" for a row of bounds b, so that what is no
error at all needs no logarithm, and what a user may ask is what is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from dynamic_deep.networks import build_forecast
from dynamic_deep.trials import Trials
from training.head_presets import HeadPreset
from training.head_steps import compile_head, set_rate
from training.head_targets import bound_grid, over_targets

FloatArray = npt.NDArray[np.float32]
Log = Callable[[str], None]


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
    compile_head(forecast, preset, [part[:2] for part in inputs])
    targets = over_targets(trials)
    watched = np.zeros(len(trials), bool) if held_out is None else held_out
    pool, losses = np.flatnonzero(~watched), []
    for step in range(preset.n_forecast_steps):
        rng = np.random.default_rng((preset.seed, step))
        at = rng.choice(pool, size=preset.forecast_batch)
        set_rate(forecast, preset, step=step, n_steps=preset.n_forecast_steps)
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
