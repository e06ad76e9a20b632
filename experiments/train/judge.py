# SPDX-License-Identifier: Apache-2.0
"""Train the second rhythm network on raw windows of CinC 2017 alone.

    python -m experiments train judge --run runs/judge

It never sees a decoded window, so that it can say what a task makes of one that no
codec was trained with. Nothing is chosen during training: the averaged weights after
the last step are what is kept, and the scores on validation say how good they are.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynamic_deep.tasks.rhythm import RhythmTask
from dynamic_deep.tasks.scores import rhythm_scores
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import at_rate_of_model
from experiments.weights_folder import WEIGHTS
from training.task_presets import TaskPreset

if TYPE_CHECKING:
    import keras

    from training.task_windows import RhythmWindows

NAME = "judge_rhythm"
PRESET = TaskPreset(
    task="rhythm",
    size="judge",
    n_steps=2_400,
    batch_size=32,
    learning_rate=4e-3,
    weight_decay=0.05,
    ema_momentum=0.995,
    n_warmup_steps=200,
    seed=2718,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the run lives, and where its network goes."""
    parser.add_argument("--run", type=Path, required=True, help="the run folder")
    parser.add_argument(
        "--steps", type=int, default=PRESET.n_steps, help="default: %(default)s"
    )
    parser.add_argument(
        "--weights", type=Path, default=WEIGHTS, help="folder (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> None:
    """Train, or go on, to the last step; write the network and what is known of it.

    Beside the network a JSON file holds command, preset and validation scores.

    Raises:
        ConfigError: If the records are missing, or the run has other settings.
    """
    import dataclasses

    from training.cli_backend import show_progress, start_backend

    start_backend()
    import keras

    from experiments.networks.judge import build_judge
    from training.lite import export_task
    from training.targets import split_subjects

    preset = dataclasses.replace(PRESET, n_steps=options.steps)
    log = show_progress(preset.n_steps)
    keras.utils.set_random_seed(preset.seed)
    model = build_judge()
    fit_judge(model, preset, options.run, windows=raw_windows(preset), log=log)
    content = export_task(model)
    scores = score(RhythmTask(content), split_subjects("cinc2017", "validation"))
    about = {
        "command": "python -m experiments train judge --run RUN "
        f"--steps {options.steps}",
        "network": "experiments.networks.judge.build_judge",
        "preset": dataclasses.asdict(preset),
        "n_parameters": model.count_params(),
        "n_bytes": len(content),
        "trained_on": "cinc2017 train, raw windows",
        "validation": scores,
    }
    options.weights.mkdir(parents=True, exist_ok=True)
    _replace(options.weights / f"{NAME}.tflite", content)
    text = json.dumps(about, indent=1) + "\n"
    _replace(options.weights / f"{NAME}.json", text.encode())
    print(json.dumps(scores))


def fit_judge(
    model: keras.Model,
    preset: TaskPreset,
    run: Path,
    *,
    windows: RhythmWindows,
    log: Any,
) -> None:
    """Train a network to the last step; it ends with its averaged weights.

    Args:
        model: as built, from the seed of the preset.
        preset: the training.
        windows: to train on.
        run: the run folder; made if it isn't there, resumed if it is.
        log: gets a row of metrics now and then.
    """
    import numpy as np

    from dynamic_deep.config import WINDOW_LEN
    from training.averaged import compile_averaged
    from training.task_trainer import cosine_rate, masked_cross_entropy
    from training.trainer import keep_settings, run_steps

    run.mkdir(parents=True, exist_ok=True)
    keep_settings(run / "config.json", preset)
    compile_averaged(
        model,
        np.zeros((1, WINDOW_LEN, 1), np.float32),
        learning_rate=preset.learning_rate,
        weight_decay=preset.weight_decay,
        ema_momentum=preset.ema_momentum,
        loss=masked_cross_entropy,
    )

    def train_step(step: int) -> Any:
        model.optimizer.learning_rate = cosine_rate(step, preset)
        return model.train_on_batch(*windows.batch(step, preset.batch_size))

    run_steps(model, run, train_step, n_steps=preset.n_steps, log=log)
    model.optimizer.finalize_variable_values(model.trainable_variables)


def raw_windows(preset: TaskPreset, *, limit: int | None = None) -> RhythmWindows:
    """Return labelled windows of the train split, none of them decoded.

    Args:
        preset: the training.
        limit: take so many records alone; all if None.
    """
    from training.datasets import load_leads
    from training.task_windows import RhythmWindows, rhythm_labels

    leads = load_leads("cinc2017", "train", limit=limit)
    labels = rhythm_labels()
    classes = [labels[lead.record] for lead in leads]
    return RhythmWindows([[lead.x] for lead in leads], classes, preset)


def score(task: RhythmTask, subjects: Iterable[Subject]) -> dict[str, float]:
    """Return the scores of a judge on the raw windows.

    Raises:
        ConfigError: If there are no windows.
    """
    true, decided = [], []
    for subject in subjects:
        true.append(str(subject.label))
        signal = at_rate_of_model(subject.x, subject.place)
        decided.append(task.decide(task.answer(signal)))
    scores = rhythm_scores(true, decided)
    figures = {f"f1_{name}": value for name, value in scores.f1.items()}
    figures |= {"weighted_f1": scores.weighted_f1, "mean_nao": scores.mean_nao}
    return {name: round(value, 4) for name, value in figures.items()} | {
        "n_windows": scores.n_windows
    }


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    os.replace(beside, path)
