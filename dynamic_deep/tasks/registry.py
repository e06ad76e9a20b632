# SPDX-License-Identifier: Apache-2.0
"""The tasks that a bundle brings, and those of a user, by name."""

from __future__ import annotations

from collections.abc import Callable

from dynamic_deep.bundle import Bundle
from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks.own import is_own_task, load_own_task
from dynamic_deep.tasks.protocol import Task
from dynamic_deep.tasks.rhythm import RhythmTask
from dynamic_deep.tasks.rpeaks import RPeaksTask

BUNDLED: dict[str, Callable[[bytes], Task]] = {
    "rhythm": RhythmTask,
    "rpeaks": RPeaksTask,
}
OWN_FORMS = ("FILE.py:FUNCTION", "FILE.tflite")


def task_names(bundle: Bundle) -> list[str]:
    """Return the names of the tasks that a bundle brings."""
    return [name for name in BUNDLED if f"task_{name}" in bundle.networks]


def load_task(bundle: Bundle, name: str) -> Task:
    """Load a task.

    Args:
        bundle: whose networks to use.
        name: of a task of the bundle; or the user's own, as `FILE.py:FUNCTION` or
            `FILE.tflite`, see docs/tasks.md.

    Raises:
        ConfigError: If there is no such task.
        ModelError: If LiteRT can't read its network.
    """
    if is_own_task(name):
        task = load_own_task(name)
        if task.name in BUNDLED:
            raise ConfigError(
                "a task of your own must have another name than those of bundles "
                f"({', '.join(BUNDLED)}), got {task.name!r} from {name}; rename it"
            )
        return task
    names = task_names(bundle)
    if name not in names:
        raise ConfigError(
            f"a task of bundle {bundle.name} must be one of "
            f"{', '.join((*names, *OWN_FORMS))}; got {name!r}"
        )
    return BUNDLED[name](bundle.networks[f"task_{name}"])
