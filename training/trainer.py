# SPDX-License-Identifier: Apache-2.0
"""Phase 1: train every level of a preset, with checkpoints, and resume.

    python -m training fit standard --run runs/standard

A run folder holds config.json, metrics.jsonl and checkpoint.npz; the same command
again goes on where the last checkpoint stands.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from dynamic_deep.errors import ConfigError
from training.datasets import RandomWindows, load_leads
from training.model import CodecModel
from training.presets import Preset

LOG_EVERY = 200
SAVE_EVERY = 500
Log = Callable[[dict[str, Any]], None]
MAY_CHANGE = ("n_steps",)  # of a run that goes on: it may be made longer


class Schedule(Protocol):
    """What a learning rate hangs on."""

    @property
    def n_steps(self) -> int:
        """Steps in all."""

    @property
    def learning_rate(self) -> float:
        """The highest."""

    @property
    def n_warmup_steps(self) -> int:
        """Steps until then."""

    @property
    def decay_share(self) -> float:
        """Of the steps, at the end."""


def learning_rate_at(step: int, preset: Schedule) -> float:
    """Return the learning rate of a step: warm up, hold, fall linearly to zero."""
    warm = min(1.0, (step + 1) / preset.n_warmup_steps)
    left = (preset.n_steps - step) / (preset.decay_share * preset.n_steps)
    return preset.learning_rate * warm * min(1.0, max(left, 0.0))


def build_model(preset: Preset) -> CodecModel:
    """Return the model of a preset, compiled, with every weight and slot built."""
    keras.utils.set_random_seed(preset.seed)
    model = CodecModel(preset.networks, seed=preset.seed)
    model.compile(
        optimizer=keras.optimizers.Adam(preset.learning_rate, clipnorm=1.0),
        jit_compile=False,
    )
    n_levels = len(preset.networks.latents)
    model(np.zeros((n_levels, 8960, 1), np.float32))
    model.optimizer.build(model.trainable_variables)
    return model


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


def save_checkpoint(path: Path, model: keras.Model, step: int) -> None:
    """Write weights, optimiser and step beside `path`, then rename."""
    arrays = {
        f"v{i}": keras.ops.convert_to_numpy(variable)
        for i, variable in enumerate(_variables(model))
    }
    beside = path.with_suffix(".part.npz")
    np.savez(beside, step=step, **arrays)
    os.replace(beside, path)


def load_checkpoint(path: Path, model: keras.Model) -> int:
    """Read what `save_checkpoint` wrote into `model`; return the step.

    Raises:
        ConfigError: If there is no such file.
    """
    if not path.is_file():
        raise ConfigError(
            f"a run folder must hold {path.name}, got {str(path.parent)!r} without; "
            "train it first, or name another"
        )
    with np.load(path, allow_pickle=False) as stored:
        for i, variable in enumerate(_variables(model)):
            variable.assign(stored[f"v{i}"])
        return int(stored["step"])


def fit(preset: Preset, run: Path, *, log: Log) -> CodecModel:
    """Train a preset to its last step and return the model; see `fit_model`."""
    return fit_model(build_model(preset), preset, run, log=log)


def fit_model(model: CodecModel, preset: Any, run: Path, *, log: Log) -> CodecModel:
    """Train a model that was built to the last step of its preset, and return it.

    Args:
        model: of the preset, compiled.
        preset: a `Preset`, or what has the same fields.
        run: the run folder; made if it isn't there, resumed if it is.
        log: gets a row of metrics now and then.
    """
    run.mkdir(parents=True, exist_ok=True)
    keep_settings(run / "config.json", preset)
    windows = RandomWindows(
        load_leads("cinc2017", "train"), load_leads("mitdb", "train"), seed=preset.seed
    )
    size = preset.windows_per_level * len(preset.networks.latents)

    def train_step(step: int) -> Any:
        model.optimizer.learning_rate = learning_rate_at(step, preset)
        return model.train_on_batch(windows.batch(step, size))

    run_steps(model, run, train_step, n_steps=preset.n_steps, log=log)
    return model


def run_steps(
    model: keras.Model,
    run: Path,
    train_step: Callable[[int], Any],
    *,
    n_steps: int,
    log: Log,
) -> None:
    """Take the steps that a run has not taken yet, with metrics and checkpoints.

    Args:
        model: as it is before the first step; a checkpoint of the run replaces it.
        run: the run folder.
        train_step: takes the step of a number, and returns the loss.
        n_steps: in all.
        log: gets a row of metrics now and then, each the mean since the row before.
    """
    checkpoint = run / "checkpoint.npz"
    start = load_checkpoint(checkpoint, model) if checkpoint.exists() else 0
    begun, means = time.monotonic(), _Means()
    for step in range(start, n_steps):
        means.add({"loss": float(np.ravel(train_step(step))[0])} | _figures(model))
        done = step + 1
        if done % LOG_EVERY == 0 or done == n_steps:
            seconds = round(time.monotonic() - begun, 1)
            row = {"step": done, "n_new": done - start, "seconds": seconds}
            row |= means.take() | _rate_weights(model)
            with (run / "metrics.jsonl").open("a") as lines:
                lines.write(json.dumps(row) + "\n")
            log(row)
        if done % SAVE_EVERY == 0 or done == n_steps:
            save_checkpoint(checkpoint, model, done)


class _Means:
    """Means of figures over the steps since they were last taken.

    Keras forgets its own at every `train_on_batch`.
    """

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def add(self, figures: dict[str, float]) -> None:
        """Count the figures of a step in."""
        for name, value in figures.items():
            self.values.setdefault(name, []).append(value)

    def take(self) -> dict[str, Any]:
        """Return the means and begin anew."""
        means = {n: round(float(np.mean(v)), 5) for n, v in self.values.items()}
        self.values.clear()
        return means


def _figures(model: keras.Model) -> dict[str, float]:
    """Return the figures of the last batch; those that none was asked for are out."""
    if not isinstance(model, CodecModel):
        return {}
    trackers = [*model.rate_means, *model.prdn_means]
    trackers += [mean for means in model.task_means.values() for mean in means]
    figures = {}
    for tracker in trackers:
        total, count = (
            float(keras.ops.convert_to_numpy(v)) for v in (tracker.total, tracker.count)
        )
        if count:
            figures[tracker.name] = total / count
    return figures


def _rate_weights(model: keras.Model) -> dict[str, Any]:
    if not isinstance(model, CodecModel):
        return {}
    lmbda = np.exp(keras.ops.convert_to_numpy(model.log_lmbda))
    return {"lmbda": [round(float(v), 3) for v in lmbda]}


def keep_settings(path: Path, preset: Any) -> None:
    """Write the settings of a run; those of a run that goes on must be the same.

    What may differ is in `MAY_CHANGE`. A setting that the run was begun without counts
    as what it is by default.

    Args:
        path: the run's config.json.
        preset: a dataclass.

    Raises:
        ConfigError: If anything else differs.
    """
    settings = json.loads(json.dumps(dataclasses.asdict(preset)))
    if path.exists():
        before = _completed(json.loads(path.read_text()), preset)
        changed = {key for key in settings if settings[key] != before.get(key)}
        if changed - set(MAY_CHANGE):
            raise ConfigError(
                f"a run goes on with the settings it began with, got another "
                f"{', '.join(sorted(changed))} than in {path}; name a new run folder"
            )
    path.write_text(json.dumps(settings, indent=1) + "\n")


def _completed(stored: dict[str, Any], preset: Any) -> dict[str, Any]:
    """Return stored settings, with the defaults of those that came after them."""
    completed = dict(stored)
    for field in dataclasses.fields(preset):
        if field.name not in stored and field.default is not dataclasses.MISSING:
            completed[field.name] = json.loads(json.dumps(field.default))
        elif dataclasses.is_dataclass(part := getattr(preset, field.name)):
            completed[field.name] = _completed(stored.get(field.name, {}), part)
    return completed
