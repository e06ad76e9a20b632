# SPDX-License-Identifier: Apache-2.0
"""Commands of the task networks and of phases 2 and 2b."""

from __future__ import annotations

import argparse
import dataclasses
import shutil
from pathlib import Path

from training.cli_backend import (
    add_run_options,
    add_task_options,
    show_progress,
    start_backend,
)


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
    beginning = aware.add_mutually_exclusive_group(required=True)
    beginning.add_argument(
        "--phase-1", type=Path, metavar="RUN", help="run to begin from"
    )
    beginning.add_argument(
        "--from-bundle", metavar="BUNDLE", help="or bundle, name or folder"
    )
    add_task_options(aware)
    aware.add_argument(
        "--size", default="compact", help="of the tasks' networks (default: compact)"
    )
    add_run_options(aware)
    aware.add_argument(
        "--out", type=Path, help="then make a bundle, without error heads yet"
    )
    aware.set_defaults(do=_aware)
    adapt = commands.add_parser("adapt", help="phase 2b: train a task with its codec")
    adapt.add_argument("preset", help="rhythm, rpeaks, or one of them again")
    adapt.add_argument(
        "--codec",
        required=True,
        nargs="+",
        metavar="BUNDLE",
        help="one or more of phase 2, name or folder",
    )
    add_task_options(adapt)
    add_run_options(adapt)
    adapt.add_argument(
        "--mean-with",
        nargs=2,
        action="append",
        default=[],
        metavar=("PRESET", "RUN"),
        help="take the mean of its weights with those of this finished run",
    )
    adapt.add_argument(
        "--out",
        type=Path,
        help="then put the task in this bundle; a copy of the first codec's if new",
    )
    adapt.set_defaults(do=_adapt)


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
    from dynamic_deep.bundle import load_bundle
    from training.aware_export import export_codec
    from training.presets import find_preset
    from training.task_aware import fit_task_aware, from_bundle, from_run
    from training.task_aware_presets import find_task_aware_preset
    from training.task_source import named_tasks

    preset = find_task_aware_preset(options.preset)
    if options.steps:
        preset = dataclasses.replace(preset, n_steps=options.steps)
    tasks = named_tasks(preset.tasks, options, size=options.size)
    base = load_bundle(options.from_bundle) if options.from_bundle else None
    if base:
        begin = from_bundle(base)
    else:
        begin = from_run(find_preset(preset.phase_1), options.phase_1)
    fit_task_aware(
        preset,
        begin,
        options.run,
        tasks=tasks,
        log=show_progress(preset.n_steps),
    )
    if options.out:
        export_codec(preset, options.run, options.out, tasks=tasks, base=base)


def _adapt(options: argparse.Namespace) -> None:
    start_backend(options.threads)
    from dynamic_deep.bundle import bundle_folder, load_bundle
    from training.adapt_presets import find_adapt_preset
    from training.averaged import mean_weights
    from training.aware_export import put_tasks
    from training.task_adapt import adapted_task, fit_adapted
    from training.task_source import named_tasks

    preset = find_adapt_preset(options.preset)
    if options.steps:
        preset = dataclasses.replace(preset, n_steps=options.steps)
    bundles = [load_bundle(name) for name in options.codec]
    name = preset.task.task
    adapted = fit_adapted(
        preset,
        named_tasks([name], options)[name],
        bundles,
        options.run,
        log=show_progress(preset.n_steps),
    )
    others = [
        adapted_task(find_adapt_preset(other), Path(run))
        for other, run in options.mean_with
    ]
    adapted = mean_weights([adapted, *others]) if others else adapted
    if options.out:
        if not options.out.exists():
            shutil.copytree(bundle_folder(options.codec[0]), options.out)
        put_tasks(options.out, {name: adapted})
