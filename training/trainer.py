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
from typing import Any

import keras
import numpy as np

from dynamic_deep.errors import ConfigError
from training.datasets import RandomWindows, load_leads
from training.model import CodecModel
from training.presets import Preset

LOG_EVERY = 200
SAVE_EVERY = 1000


def learning_rate_at(step: int, preset: Preset) -> float:
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


def _variables(model: CodecModel) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


def save_checkpoint(path: Path, model: CodecModel, step: int) -> None:
    """Write weights, optimiser and step beside `path`, then rename."""
    arrays = {
        f"v{i}": keras.ops.convert_to_numpy(variable)
        for i, variable in enumerate(_variables(model))
    }
    beside = path.with_suffix(".part.npz")
    np.savez(beside, step=step, **arrays)
    os.replace(beside, path)


def load_checkpoint(path: Path, model: CodecModel) -> int:
    """Read what `save_checkpoint` wrote into `model`; return the step."""
    with np.load(path, allow_pickle=False) as stored:
        for i, variable in enumerate(_variables(model)):
            variable.assign(stored[f"v{i}"])
        return int(stored["step"])


def fit(
    preset: Preset, run: Path, *, log: Callable[[dict[str, Any]], None]
) -> CodecModel:
    """Train a preset to its last step and return the model.

    Args:
        preset: what to train.
        run: the run folder; made if it isn't there, resumed if it is.
        log: gets a row of metrics now and then.
    """
    run.mkdir(parents=True, exist_ok=True)
    _keep_settings(run / "config.json", preset)
    model = build_model(preset)
    checkpoint = run / "checkpoint.npz"
    start = load_checkpoint(checkpoint, model) if checkpoint.exists() else 0
    windows = RandomWindows(
        load_leads("cinc2017", "train"), load_leads("mitdb", "train"), seed=preset.seed
    )
    size = preset.windows_per_level * len(preset.networks.latents)
    begun = time.monotonic()
    for step in range(start, preset.n_steps):
        model.optimizer.learning_rate = learning_rate_at(step, preset)
        loss = model.train_on_batch(windows.batch(step, size))
        done = step + 1
        if done % LOG_EVERY == 0 or done == preset.n_steps:
            seconds = round(time.monotonic() - begun, 1)
            row = {"step": done, "n_new": done - start, "seconds": seconds}
            row |= {"loss": float(np.ravel(loss)[0])} | _metrics(model)
            with (run / "metrics.jsonl").open("a") as lines:
                lines.write(json.dumps(row) + "\n")
            log(row)
            model.reset_metrics()
        if done % SAVE_EVERY == 0 or done == preset.n_steps:
            save_checkpoint(checkpoint, model, done)
    return model


def _keep_settings(path: Path, preset: Preset) -> None:
    """Write the settings of a run; those of a run that goes on must be the same."""
    settings = json.loads(json.dumps(dataclasses.asdict(preset)))
    if path.exists():
        before = json.loads(path.read_text())
        changed = [key for key in settings if settings[key] != before.get(key)]
        if set(changed) - {"n_steps"}:
            raise ConfigError(
                f"a run goes on with the settings it began with, got another "
                f"{', '.join(changed)} than in {path}; name a new run folder"
            )
    path.write_text(json.dumps(settings, indent=1) + "\n")


def _metrics(model: CodecModel) -> dict[str, Any]:
    trackers = [*model.rate_means, *model.prdn_means]
    row = {t.name: round(float(t.result()), 4) for t in trackers}
    lmbda = np.exp(keras.ops.convert_to_numpy(model.log_lmbda))
    return row | {"lmbda": [round(float(v), 3) for v in lmbda]}
