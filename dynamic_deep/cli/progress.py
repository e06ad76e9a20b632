# SPDX-License-Identifier: Apache-2.0
"""A progress bar on standard error, for a person who waits and for nobody else."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SHOW_AFTER_S = 1.0  # shorter work needs no bar


class ProgressBar:
    """Show how far a long piece of work is; call it with (done, total).

    It stays silent when standard error is not a terminal, when `quiet` is set and
    during the first second.

    Args:
        label: What is being done, such as "encoding 100.hea".
        quiet: Whether to show nothing at all.
    """

    def __init__(self, label: str, *, quiet: bool = False) -> None:
        self._label = label
        self._enabled = not quiet and sys.stderr.isatty()
        self._started_s = time.monotonic()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __call__(self, done: float, total: float) -> None:
        """Take note that `done` of `total` units are done; a total of 0 is unknown."""
        if not self._enabled:
            return
        if self._progress is None:
            if time.monotonic() - self._started_s < SHOW_AFTER_S:
                return
            self._open(total)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, total=total or None)

    def relabel(self, label: str) -> None:
        """Say something else beside the bar."""
        self._label = label
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=label)

    def __enter__(self) -> ProgressBar:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _open(self, total: float) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(self._label, total=total or None)
        self._progress.start()
