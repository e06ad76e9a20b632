# SPDX-License-Identifier: Apache-2.0
"""From a run of phase 2 to a bundle with tasks, error heads and calibrations.

    python -m training heads standard --run RUN --tasks RUNS --out BUNDLE

With `--adapted RUNS` the bundle's tasks are those of phase 2b. The codec is exported as
it is; every level is tried on windows of train and validation; the heads are trained on
what came out; and the levels are tried again, with the heads' forecasts, on the windows
that the calibrations hold.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dynamic_deep.bundle import Bundle, load_bundle
from dynamic_deep.calibration import Calibration, save_calibration
from dynamic_deep.engine import Network
from dynamic_deep.errors import ConfigError
from dynamic_deep.networks import join_heads, merge_forecasts
from training.datasets import RandomWindows, load_leads
from training.error_heads import fit_forecast
from training.export import write_codec
from training.guess import fit_guess, summaries
from training.head_presets import HeadPreset
from training.head_targets import lessons_of
from training.kept import kept_levels
from training.lite import export_encoder, export_heads, export_task
from training.targets import first_of_each, level_trier, split_subjects, try_resumably
from training.task_aware import build_task_aware
from training.task_aware_presets import TaskAwarePreset
from training.trainer import load_checkpoint

Log = Callable[[str], None]


def export_codec(
    preset: TaskAwarePreset,
    run: Path,
    folder: Path,
    *,
    tasks: dict[str, keras.Model],
    base: Bundle | None = None,
) -> dict[str, Any]:
    """Write the bundle of a run of phase 2, still without error heads.

    Args:
        preset: of phase 2.
        run: its folder.
        folder: of the bundle.
        tasks: the task networks by name.
        base: the bundle whose levels stay, where the preset keeps some.

    Raises:
        ConfigError: If the preset keeps levels and there is no such bundle.
    """
    if preset.kept and base is None:
        raise ConfigError(
            f"preset {preset.networks.name} keeps {', '.join(preset.kept)} of a "
            "bundle, got none; name it by --from-bundle"
        )
    kept = kept_levels(base, preset.kept) if base and preset.kept else None
    model = build_task_aware(preset, tasks)
    step = load_checkpoint(run / "checkpoint.npz", model)
    networks = {f"task_{name}": export_task(task) for name, task in tasks.items()}
    trained: dict[str, object] = {
        "preset": preset.networks.name,
        "data": "MIT-BIH train, CinC 2017 train",
        "n_steps": step,
        "seed": preset.seed,
        "tasks": preset.tasks,
        "reference": preset.reference,
    }
    return write_codec(
        model,
        folder,
        trained=trained,
        more_networks=networks,
        head_channels=_channels(tasks),
        bound_levels=preset.bound_levels,
        min_advantage=0.0,  # a level for tasks need not have the better PRDN
        kept=kept,
    )


def _channels(tasks: dict[str, keras.Model]) -> list[str]:
    channels = {"rhythm": ["rhythm:raw", "rhythm:label"], "rpeaks": ["rpeaks:raw"]}
    return [channel for name in channels if name in tasks for channel in channels[name]]


def put_tasks(folder: Path, tasks: dict[str, keras.Model]) -> None:
    """Put task networks, by name, in a bundle in place of those that it has."""
    networks = {f"task_{name}": export_task(task) for name, task in tasks.items()}
    known = load_bundle(folder).config["trained"].get("adapted_tasks", [])
    _put(folder, networks, {"adapted_tasks": list(dict.fromkeys([*known, *tasks]))})


def train_heads(
    preset: TaskAwarePreset,
    run: Path,
    folder: Path,
    *,
    tasks: dict[str, keras.Model],
    head_preset: HeadPreset,
    log: Log,
) -> None:
    """Train the error heads of an exported codec, and put them in its bundle.

    Args:
        preset: of phase 2.
        run: its folder, where the tried windows are kept.
        folder: of the bundle, with the tasks that it will ship.
        tasks: the same task networks by name.
        head_preset: how.
        log: gets lines.
    """
    model = build_task_aware(preset, tasks)
    load_checkpoint(run / "checkpoint.npz", model)
    windows = RandomWindows(
        load_leads("cinc2017", "train"),
        load_leads("mitdb", "train"),
        seed=head_preset.seed,
        disturbed_share=head_preset.disturbed_share,
    )
    bundle = load_bundle(folder)
    networks = {name: Network(bundle.networks[f"task_{name}"], name) for name in tasks}
    guess = fit_guess(model, lessons_of(networks), windows, head_preset, log=log)
    trier = level_trier(bundle, for_targets=True)
    subjects = itertools.chain(
        split_subjects("cinc2017", "validation"),
        split_subjects("cinc2017", "train", every_record=head_preset.cinc_every),
        split_subjects("mitdb", "train", every=head_preset.mitdb_every),
    )
    trials, x, rates = try_resumably(trier, subjects, run / "targets", log=log)
    inputs = summaries(guess, model, x), rates
    # Every tenth window is watched; of whole records they needn't be, since nothing is
    # chosen by them.
    held_out = np.arange(len(trials)) % 10 == 0
    forecasts = [
        fit_forecast(
            trials,
            inputs,
            dataclasses.replace(head_preset, seed=head_preset.seed + i),
            log=log,
            held_out=held_out,
        )
        for i in range(head_preset.n_forecasts)
    ]
    kept = kept_levels(bundle, preset.kept).codec if preset.kept else None
    forecast = merge_forecasts([member.network for member in forecasts])
    joined = join_heads(guess.summary, forecast)
    n_features = guess.features.output_shape[-1]
    exported = {
        "encoder": export_encoder(model, guess.features, kept=kept),
        "heads": export_heads(joined, n_features, len(trials.levels)),
    }
    _put(folder, exported, {"heads": dataclasses.asdict(head_preset)})


def _put(folder: Path, networks: dict[str, bytes], trained: dict[str, Any]) -> None:
    """Write a bundle again with other networks, and rename.

    Calibrations are void then, and so is an integer encoder of another encoder.
    """
    beside = folder.with_name(f".{folder.name}-new")
    shutil.rmtree(beside, ignore_errors=True)
    void = ["calibration_*", *(f"{name}_int8.tflite" for name in networks)]
    shutil.copytree(folder, beside, ignore=shutil.ignore_patterns(*void))
    for name, content in networks.items():
        (beside / f"{name}.tflite").write_bytes(content)
    config = json.loads((beside / "config.json").read_text())
    config["trained"] |= trained
    (beside / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    shutil.rmtree(folder)
    os.replace(beside, folder)


def calibrate_shipped(folder: Path, *, log: Log) -> None:
    """Make the calibrations that a bundle ships.

    `cinc2017`: a window of each record of the calibration split, which nothing has
    seen. `mitdb`: lead 0 of the train split, the only one there is beside test; the
    networks have seen its signals.
    """
    bundle = load_bundle(folder)
    trier = level_trier(bundle)
    subjects = {
        "cinc2017": first_of_each(split_subjects("cinc2017", "calibration")),
        "mitdb": split_subjects("mitdb", "train", leads=(0,)),
    }
    for name, found in subjects.items():
        trials = trier.run(found)
        calibration = Calibration(name=name, model_id=bundle.model_id, trials=trials)
        save_calibration(folder / f"calibration_{name}.npz", calibration)
        log(f"calibration {name}: {len(trials)} windows")
