# SPDX-License-Identifier: Apache-2.0
"""Phase 2: go on training a codec with frozen tasks behind its decoder.

python -m training aware standard --phase-1 runs/standard --tasks runs --run RUN
python -m training aware edge --from-bundle edge --task-bundle monitor --run RUN
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.networks import LatentConfig
from training.datasets import RandomWindows, load_leads
from training.graft import graft, nearest_level
from training.lite import BODY, TASK_BODY
from training.model import CodecModel, LossSettings, ramped_lmbda
from training.presets import Preset
from training.restore import networks_of, restore_codec
from training.task_aware_presets import TaskAwarePreset
from training.task_terms import TaskTerms, TaskWeights
from training.task_windows import rhythm_labels
from training.trainer import (
    build_model,
    keep_settings,
    learning_rate_at,
    load_checkpoint,
    run_steps,
)


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What phase 2 begins from.

    Attributes:
        latents: the ladder that was trained.
        load: gives the trained codec; asked before the first step alone.
    """

    latents: tuple[LatentConfig, ...]
    load: Callable[[], CodecModel]


def from_run(phase_1: Preset, run: Path) -> Beginning:
    """Begin from a run of phase 1."""

    def load() -> CodecModel:
        model = build_model(phase_1)
        load_checkpoint(run / "checkpoint.npz", model)
        return model

    return Beginning(latents=phase_1.networks.latents, load=load)


def from_bundle(bundle: Bundle) -> Beginning:
    """Begin from a bundle that a preset made: from its levels for tasks, if it has any.

    Raises:
        ConfigError: If no preset made it.
    """
    body = TASK_BODY if TASK_BODY in bundle.networks else BODY
    latents = networks_of(bundle, body=body).latents
    return Beginning(latents=latents, load=lambda: restore_codec(bundle, body=body))


def _loss_settings(
    preset: TaskAwarePreset,
    tasks: dict[str, keras.Model],
    weights: dict[str, float],
) -> LossSettings:
    chosen = TaskWeights(
        tasks=weights, reference=preset.reference, power=preset.task_power
    )
    return LossSettings(
        distortion=preset.distortion,
        w0=preset.w0,
        fidelity_weight=preset.fidelity_weight,
        terms=TaskTerms(tasks, chosen),
        n_ramp_steps=preset.n_ramp_steps,
        steer_rate=preset.steer_rate,
    )


def _ramp(
    preset: TaskAwarePreset, trained: tuple[LatentConfig, ...]
) -> tuple[float, ...]:
    """Return how far the weight of each level's rate must rise, as a logarithm.

    From that of the level it begins as to what its own gain asks for. Steered there at
    once it would overshoot, and channels that fall silent then stay so.
    """
    return tuple(
        math.log(
            ramped_lmbda(latent.nominal_gain)
            / ramped_lmbda(trained[nearest_level(latent, trained)].nominal_gain)
        )
        for latent in preset.networks.latents
    )


def build_task_aware(
    preset: TaskAwarePreset, tasks: dict[str, keras.Model]
) -> CodecModel:
    """Return the model of a preset, compiled, every weight and slot built.

    Args:
        preset: what to train.
        tasks: the trained task networks by name; frozen here.
    """
    keras.utils.set_random_seed(preset.seed)
    settings = _loss_settings(preset, tasks, preset.tasks)
    model = CodecModel(preset.networks, seed=preset.seed, loss=settings)
    model.trunk.trainable = not preset.kept
    model.compile(
        optimizer=keras.optimizers.Adam(preset.learning_rate, clipnorm=1.0),
        jit_compile=False,
    )
    n_levels = len(preset.networks.latents)
    model(np.zeros((n_levels, WINDOW_LEN, 1), np.float32))
    model.optimizer.build(model.trainable_variables)
    return model


def fit_task_aware(
    preset: TaskAwarePreset,
    begin: Beginning,
    run: Path,
    *,
    tasks: dict[str, keras.Model],
    log: Callable[[dict[str, Any]], None],
) -> CodecModel:
    """Train phase 2 to its last step and return the model.

    Args:
        preset: what to train.
        begin: the codec to begin from.
        run: the run folder; made if it isn't there, resumed if it is.
        tasks: the trained task networks by name.
        log: gets a row of metrics now and then.

    Raises:
        ConfigError: If a level fits none of the source's, the records are missing, or
            the run was begun with other settings.
    """
    run.mkdir(parents=True, exist_ok=True)
    keep_settings(run / "config.json", preset)
    model = build_task_aware(preset, tasks)
    if not (run / "checkpoint.npz").exists():
        graft(begin.load(), model)
    windows = RandomWindows(
        load_leads("cinc2017", "train"),
        load_leads("mitdb", "train"),
        seed=preset.seed,
        classes=rhythm_labels(),
    )
    size = preset.windows_per_level * len(preset.networks.latents)
    model.settings = dataclasses.replace(
        model.settings, ramp=_ramp(preset, begin.latents)
    )

    def train_step(step: int) -> Any:
        _set_tasks(model, preset, tasks, step)
        model.optimizer.learning_rate = learning_rate_at(step, preset)
        return model.train_on_batch(*windows.batch_with_classes(step, size))

    run_steps(model, run, train_step, n_steps=preset.n_steps, log=log)
    return model


def _set_tasks(
    model: CodecModel,
    preset: TaskAwarePreset,
    tasks: dict[str, keras.Model],
    step: int,
) -> None:
    """Put the tasks of the step's stage in the loss, if others are in it."""
    weights = preset.tasks_at(step)
    terms = model.settings.terms
    if terms is None or terms.weights.tasks != weights:
        settings = _loss_settings(preset, tasks, weights)
        model.settings = dataclasses.replace(settings, ramp=model.settings.ramp)
        model.make_train_function(force=True)
