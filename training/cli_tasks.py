# SPDX-License-Identifier: Apache-2.0
"""Commands of the task networks and of phases 2 and 2b."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from training.cli_backend import add_run_options, show_progress, start_backend


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add `task`, `aware` and `adapt`."""
    task = commands.add_parser("task", help="train a task network, or go on with it")
    task.add_argument("preset")
    task.add_argument(
        "--codec", required=True, metavar="BUNDLE", help="of phase 1, name or folder"
    )
    add_run_options(task)
    task.set_defaults(do=_task)
    aware = commands.add_parser("aware", help="phase 2: train a codec with its tasks")
    aware.add_argument("preset")
    aware.add_argument(
        "--phase-1", type=Path, required=True, metavar="RUN", help="run to begin from"
    )
    _add_tasks(aware)
    aware.add_argument(
        "--size", default="compact", help="of the tasks' networks (default: compact)"
    )
    add_run_options(aware)
    aware.add_argument(
        "--out", type=Path, help="then make a bundle, without error heads yet"
    )
    aware.set_defaults(do=_aware)
    adapt = commands.add_parser("adapt", help="phase 2b: train a task with its codec")
    adapt.add_argument("task", help="rhythm or rpeaks")
    adapt.add_argument(
        "--codec", required=True, metavar="BUNDLE", help="of phase 2, name or folder"
    )
    _add_tasks(adapt)
    add_run_options(adapt)
    adapt.set_defaults(do=_adapt)


def _add_tasks(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--tasks",
        type=Path,
        required=True,
        metavar="RUNS",
        help="folder with a run folder of the name of each task",
    )


def _task(options: argparse.Namespace) -> None:
    start_backend(options.threads)
    from dynamic_deep.bundle import load_bundle
    from training.task_presets import find_task_preset
    from training.task_trainer import fit_task

    preset = find_task_preset(options.preset)
    if options.steps:
        preset = dataclasses.replace(preset, n_steps=options.steps)
    bundle = load_bundle(options.codec)
    fit_task(preset, bundle, options.run, log=show_progress(preset.n_steps))


def _aware(options: argparse.Namespace) -> None:
    start_backend(options.threads)
    from training.aware_export import export_codec
    from training.task_aware import fit_task_aware
    from training.task_aware_presets import find_task_aware_preset
    from training.task_trainer import trained_tasks

    preset = find_task_aware_preset(options.preset)
    if options.steps:
        preset = dataclasses.replace(preset, n_steps=options.steps)
    tasks = trained_tasks(preset.tasks, options.tasks, size=options.size)
    fit_task_aware(
        preset,
        options.phase_1,
        options.run,
        tasks=tasks,
        log=show_progress(preset.n_steps),
    )
    if options.out:
        export_codec(preset, options.run, options.out, tasks=tasks)


def _adapt(options: argparse.Namespace) -> None:
    start_backend(options.threads)
    from dynamic_deep.bundle import load_bundle
    from training.adapt_presets import find_adapt_preset
    from training.task_adapt import fit_adapted
    from training.task_trainer import trained_tasks

    preset = find_adapt_preset(options.task)
    if options.steps:
        preset = dataclasses.replace(preset, n_steps=options.steps)
    bundle = load_bundle(options.codec)
    trained = trained_tasks([options.task], options.tasks)
    fit_adapted(
        preset,
        trained[options.task],
        bundle,
        options.run,
        log=show_progress(preset.n_steps),
    )
