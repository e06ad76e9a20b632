# SPDX-License-Identifier: Apache-2.0
"""The task networks that a command names: of runs, or of a bundle."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

import keras

from dynamic_deep.bundle import load_bundle
from training.datasets import all_windows, load_leads
from training.restore_task import restore_task
from training.task_trainer import trained_tasks

N_EXAMPLES = 64  # windows that place the normalisations of a restored network


def named_tasks(
    names: Iterable[str], options: argparse.Namespace, *, size: str = "compact"
) -> dict[str, keras.Model]:
    """Return the trained networks of some tasks by name.

    Args:
        names: of the tasks.
        options: with `tasks`, a folder of runs, or `task_bundle`.
        size: of the networks of runs: compact or paper.

    Raises:
        ConfigError: If the bundle has no such task, or there is no run of it.
    """
    if not options.task_bundle:
        return trained_tasks(names, options.tasks, size=size)
    bundle = load_bundle(options.task_bundle)
    leads = load_leads("cinc2017", "train", limit=N_EXAMPLES)
    examples = all_windows(leads)[:N_EXAMPLES]
    return {name: restore_task(bundle, name, examples=examples) for name in names}
