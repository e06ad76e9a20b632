# SPDX-License-Identifier: Apache-2.0
"""Everything from records to a bundle, phase after phase.

    python -m training pipeline standard --runs runs --out BUNDLE

    phase 1   runs/PHASE_1       every level for reconstruction and rate
    tasks     runs/rhythm, runs/rpeaks, on raw windows and those of phase 1
    phase 2   runs/PRESET_aware  every level with the frozen tasks behind it
    phase 2b  runs/PRESET_rhythm, runs/PRESET_rpeaks: the tasks, with the codec frozen
    contexts  runs/PRESET_aware/contexts, networks that foretell the levels' symbols
    phase 3   runs/PRESET_aware/targets, then error heads and calibrations, in BUNDLE

The same command again goes on where the last one stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from dynamic_deep.bundle import load_bundle
from dynamic_deep.calibration import calibration_names
from training.adapt_presets import find_adapt_preset
from training.aware_export import (
    calibrate_shipped,
    export_codec,
    put_tasks,
    train_heads,
)
from training.contexts import fit_contexts
from training.export import export_bundle
from training.head_presets import head_preset_of
from training.presets import find_preset
from training.task_adapt import adapted_task, fit_adapted
from training.task_aware import fit_task_aware, from_run
from training.task_aware_presets import find_task_aware_preset
from training.task_presets import find_task_preset
from training.task_trainer import fit_task, trained_tasks
from training.trainer import fit

TASK_SIZE = "compact"
Progress = Callable[[int], Callable[[dict[str, Any]], None]]
Note = Callable[[str], None]


def run_pipeline(
    name: str, runs: Path, folder: Path, *, progress: Progress, note: Note
) -> None:
    """Make the bundle of a preset of phase 2.

    Args:
        name: of the preset.
        runs: where the run folders are.
        folder: of the bundle.
        progress: given the steps of a training, returns what gets its rows of metrics.
        note: gets a line now and then.
    """
    preset = find_task_aware_preset(name)
    phase_1 = find_preset(preset.phase_1)
    note(f"phase 1, {preset.phase_1}")
    fit(phase_1, runs / preset.phase_1, log=progress(phase_1.n_steps))
    first = runs / f"{preset.phase_1}_bundle"
    if not (first / "config.json").exists():
        export_bundle(phase_1, runs / preset.phase_1, first)
    bundle = load_bundle(first)
    for task in preset.tasks:
        chosen = find_task_preset(f"{task}_{TASK_SIZE}")
        note(f"task {task}")
        fit_task(chosen, bundle, runs / task, log=progress(chosen.n_steps))
    tasks = trained_tasks(preset.tasks, runs, size=TASK_SIZE)
    run = runs / f"{name}_aware"
    note(f"phase 2, {name}")
    log = progress(preset.n_steps)
    begin = from_run(phase_1, runs / preset.phase_1)
    fit_task_aware(preset, begin, run, tasks=tasks, log=log)
    if not (folder / "config.json").exists():
        export_codec(preset, run, folder, tasks=tasks, base=bundle)
    for task in preset.tasks:
        note(f"phase 2b, {task}")
        chosen_2b = find_adapt_preset(task)
        fit_adapted(
            chosen_2b,
            tasks[task],
            [load_bundle(folder)],
            runs / f"{name}_{task}",
            log=progress(chosen_2b.n_steps),
        )
    finish_bundle(name, run, folder, tasks=adapted_tasks(name, runs), note=note)


def adapted_tasks(name: str, runs: Path) -> dict[str, keras.Model]:
    """Return the task networks of phase 2b by name.

    Args:
        name: of a preset of phase 2.
        runs: a folder that holds a run folder PRESET_TASK of each of its tasks.

    Raises:
        ConfigError: If there is no such preset, or no run of a task.
    """
    return {
        task: adapted_task(find_adapt_preset(task), runs / f"{name}_{task}")
        for task in find_task_aware_preset(name).tasks
    }


def finish_bundle(
    name: str,
    run: Path,
    folder: Path,
    *,
    tasks: dict[str, keras.Model],
    note: Note,
) -> None:
    """Do what is left for an exported codec: contexts, heads and calibrations.

    What is in the bundle already is not done again; delete its folder to begin anew.

    Args:
        name: of the preset.
        run: folder of phase 2.
        folder: of the bundle that `export_codec` wrote.
        tasks: those that the bundle will ship, adapted or not.
        note: gets a line now and then.
    """
    preset = find_task_aware_preset(name)
    bundle = load_bundle(folder)
    if not all(bundle.has_context_net(level) for level in bundle.latents):
        note("contexts")
        fit_contexts(folder, run / "contexts", folder, log=note)
    if not (folder / "heads.tflite").exists():
        note("phase 3, error heads")
        put_tasks(folder, tasks)
        train_heads(
            preset,
            run,
            folder,
            tasks=tasks,
            head_preset=head_preset_of(name),
            log=note,
        )
    if not calibration_names(folder):
        calibrate_shipped(folder, log=note)
