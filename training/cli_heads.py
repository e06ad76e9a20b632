# SPDX-License-Identifier: Apache-2.0
"""Commands of phase 3, and of all phases in one."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.cli_backend import add_task_options, show_progress, start_backend


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add `heads`, `calibrate` and `pipeline`."""
    heads = commands.add_parser(
        "heads", help="phase 3: a bundle with error heads and calibrations"
    )
    heads.add_argument("preset", help="of phase 2")
    heads.add_argument("--run", type=Path, required=True, help="run folder of phase 2")
    add_task_options(heads)
    heads.add_argument(
        "--from-bundle",
        metavar="BUNDLE",
        help="whose levels stay, where the preset keeps some",
    )
    heads.add_argument(
        "--adapted",
        type=Path,
        metavar="RUNS",
        help="folder with a run folder PRESET_TASK of each task, of phase 2b "
        "(default: the tasks are as phase 2 had them)",
    )
    _add_common(heads)
    heads.set_defaults(do=_heads)
    calibrate = commands.add_parser(
        "calibrate", help="make the calibrations that a bundle ships"
    )
    calibrate.add_argument("bundle", type=Path, help="its folder")
    calibrate.set_defaults(do=_calibrate)
    pipeline = commands.add_parser("pipeline", help="all phases, records to bundle")
    pipeline.add_argument("preset", help="of phase 2")
    pipeline.add_argument(
        "--runs", type=Path, required=True, help="folder of all run folders"
    )
    _add_common(pipeline)
    pipeline.set_defaults(do=_pipeline)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    parser.add_argument(
        "--threads", type=int, default=1, help="of the CPU (default: 1)"
    )


def _note(line: str) -> None:
    print(line, flush=True)


def _heads(options: argparse.Namespace) -> None:
    start_backend(options.threads)
    from dynamic_deep.bundle import load_bundle
    from training.aware_export import export_codec
    from training.pipeline import adapted_tasks, finish_bundle
    from training.task_aware_presets import find_task_aware_preset
    from training.task_source import named_tasks

    preset = find_task_aware_preset(options.preset)
    tasks = named_tasks(preset.tasks, options)
    if not (options.out / "config.json").exists():
        base = load_bundle(options.from_bundle) if options.from_bundle else None
        export_codec(preset, options.run, options.out, tasks=tasks, base=base)
    if options.adapted:
        tasks = adapted_tasks(options.preset, options.adapted)
    finish_bundle(options.preset, options.run, options.out, tasks=tasks, note=_note)


def _calibrate(options: argparse.Namespace) -> None:
    from training.aware_export import calibrate_shipped

    calibrate_shipped(options.bundle, log=_note)


def _pipeline(options: argparse.Namespace) -> None:
    start_backend(options.threads)
    from training.pipeline import run_pipeline

    run_pipeline(
        options.preset, options.runs, options.out, progress=show_progress, note=_note
    )
