# SPDX-License-Identifier: Apache-2.0
"""Where processor time goes: named parts of a program, each without those inside it."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Place = tuple[Any, str]  # a class or a module, and the name of a function in it


class Stopwatch:
    """Adds up the processor time of this thread that named parts take.

    Attributes:
        seconds: by part, s.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since_s = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what runs in the block to a part, until a part inside it begins."""
        self._book()
        self._open.append(name)
        try:
            yield
        finally:
            self._book()
            self._open.pop()

    @contextmanager
    def watching(self, places: Mapping[Place, str]) -> Iterator[None]:
        """Count the calls of functions to parts as long as the block runs.

        Args:
            places: where the functions stand -> the part that they are.
        """
        kept = {(owner, name): owner.__dict__[name] for owner, name in places}
        try:
            for (owner, name), part in places.items():
                setattr(owner, name, self._wrapped(kept[owner, name], part))
            yield
        finally:
            for (owner, name), function in kept.items():
                setattr(owner, name, function)

    def _wrapped(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **options: Any) -> Any:
            with self.part(part):
                return function(*args, **options)

        return timed

    def _book(self) -> None:
        """Give the time since the last call to the part that is open."""
        now_s = time.thread_time()
        if self._open:
            name = self._open[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now_s - self._since_s
        self._since_s = time.thread_time()


def cpu_times(
    runs: Mapping[str, Callable[[], object]], n_repeats: int
) -> dict[str, float]:
    """Return the least processor time of several runs of each function, s.

    They take turns, so that a spell in which the machine is slow meets them all.
    """
    for run in runs.values():
        run()  # loads networks
    least = dict.fromkeys(runs, math.inf)
    for _ in range(n_repeats):
        for name, run in runs.items():
            start = time.thread_time()
            run()
            least[name] = min(least[name], time.thread_time() - start)
    return least


def cpu_time(run: Callable[[], object], n_repeats: int) -> float:
    """Return the least processor time of several runs of this thread, s."""
    return cpu_times({"": run}, n_repeats)[""]
