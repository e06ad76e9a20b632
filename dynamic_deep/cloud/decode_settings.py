# SPDX-License-Identifier: Apache-2.0
"""What a decode job makes of each session, and a name for it that tells jobs apart."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from dynamic_deep.bundle import bundle_folder, content_hash
from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks.own import is_own_task

ROWS_VERSION = 1  # raised when the same session gives other rows
DEFAULT_TASK_BUNDLE = "monitor"  # the shipped bundle that brings tasks


@dataclass(frozen=True, kw_only=True)
class DecodeSettings:
    """What to do with each session.

    Attributes:
        tasks: names of tasks of a bundle, or of the user's own, as `load_task` takes
            them.
        task_bundle: bundle, by name or folder, whose networks run; None: the one that
            a session was written with where it brings the task, else
            `DEFAULT_TASK_BUNDLE`.
        bundles: folders of bundles that are not shipped, to decode with.
        wfdb: whether to write each session as a WFDB record too.

    Raises:
        ConfigError: If a task is named twice.
    """

    tasks: tuple[str, ...] = ()
    task_bundle: str | None = None
    bundles: tuple[str, ...] = ()
    wfdb: bool = False

    def __post_init__(self) -> None:
        """Check the tasks' names."""
        if len(set(self.tasks)) != len(self.tasks):
            raise ConfigError(
                f"a task must be named once, got {', '.join(self.tasks)}; leave the "
                "second one out"
            )

    def digest(self) -> str:
        """Return a hash of all that decides the rows, files of own tasks included.

        Raises:
            ConfigError: If a task's file is not there.
            ModelError: If the task bundle is not there.
        """
        task_bundle = content_hash(
            bundle_folder(self.task_bundle or DEFAULT_TASK_BUNDLE)
        )
        parts = {
            "version": ROWS_VERSION,
            "tasks": [_with_content(name) for name in self.tasks],
            "task_bundle": task_bundle.hex(),
            "own_first": self.task_bundle is None,
            "wfdb": self.wfdb,
        }
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def _with_content(name: str) -> str:
    """Return a task's name; for one of the user's own with the hash of its file."""
    if not is_own_task(name):
        return name
    path = Path(name if name.endswith(".tflite") else name.rpartition(":")[0])
    if not path.is_file():
        raise ConfigError(
            f"a task's file must exist, got {str(path)!r}; check the path"
        )
    return f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
