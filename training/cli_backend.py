# SPDX-License-Identifier: Apache-2.0
"""What every command that trains does first, and how it says where it stands."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def add_run_options(command: argparse.ArgumentParser) -> None:
    """Add what every training has: where it lives, how long it is, how many threads."""
    command.add_argument("--run", type=Path, required=True, help="the run folder")
    command.add_argument(
        "--steps", type=int, help="steps in all (default: the preset's)"
    )
    command.add_argument(
        "--threads", type=int, default=1, help="of the CPU (default: 1)"
    )


def add_task_options(command: argparse.ArgumentParser) -> None:
    """Add where the task networks are."""
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--tasks",
        type=Path,
        metavar="RUNS",
        help="folder with a run folder of the name of each task",
    )
    source.add_argument(
        "--task-bundle",
        metavar="BUNDLE",
        help="or bundle that has them, name or folder",
    )


def start_backend(n_threads: int = 1) -> None:
    """Import the backend with so many threads; before anything else that imports it."""
    # Both must be set before the import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OMP_NUM_THREADS", str(n_threads))
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        tf.config.threading.set_inter_op_parallelism_threads(n_threads)


def show_progress(n_steps: int) -> Callable[[dict[str, Any]], None]:
    """Return what prints a row of metrics as a person reads it."""

    def show(row: dict[str, Any]) -> None:
        seconds_a_step = row["seconds"] / max(row["n_new"], 1)
        minutes_left = (n_steps - row["step"]) * seconds_a_step / 60
        figures = ", ".join(_levels(row)) or f"loss {row['loss']:.4f}"
        left = f"{minutes_left:.0f} min left"
        print(f"{row['step']}/{n_steps}, {left}: {figures}", flush=True)

    return show


def _levels(row: dict[str, Any]) -> list[str]:
    names = [key.removeprefix("prdn_") for key in row if key.startswith("prdn_")]
    return [f"{n} {row[f'prdn_{n}']:.1f}% {row[f'bps_{n}']:.3f}b" for n in names]
