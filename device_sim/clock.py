# SPDX-License-Identifier: Apache-2.0
"""Simulated time: what happens next, in order, and nothing between.

No decision of a simulated device reads a clock of the machine, so a run repeats to the
byte, however busy the machine is.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import NamedTuple

from dynamic_deep.errors import ConfigError

Action = Callable[[], object]


class _Event(NamedTuple):
    time_s: float
    order: int
    action: Action


class SimClock:
    """A queue of actions, each at its time; those of one time in the order they came.

    Args:
        now_s: when to begin.

    Attributes:
        now_s: seconds since the simulation began.

    Example:
        >>> clock, seen = SimClock(), []
        >>> clock.at(2.0, lambda: seen.append("b"))
        >>> clock.at(1.0, lambda: seen.append("a"))
        >>> while clock.step(until_s=10.0):
        ...     pass
        >>> seen, clock.now_s
        (['a', 'b'], 2.0)
    """

    def __init__(self, now_s: float = 0.0) -> None:
        """Begin with nothing planned."""
        self.now_s = now_s
        self._events: list[_Event] = []
        self._n_planned = 0

    def at(self, time_s: float, action: Action) -> None:
        """Plan an action; one that is due already comes next.

        Args:
            time_s: when, in seconds since the simulation began.
            action: called without arguments.

        Raises:
            ConfigError: If the time is no finite number.
        """
        if not math.isfinite(time_s):
            raise ConfigError(
                f"an event must have a finite time, got {time_s}; leave out what never "
                "happens"
            )
        due = max(time_s, self.now_s)
        heapq.heappush(self._events, _Event(due, self._n_planned, action))
        self._n_planned += 1

    @property
    def next_s(self) -> float:
        """When the next action is due; infinite if none is."""
        return self._events[0].time_s if self._events else math.inf

    def step(self, *, until_s: float = math.inf) -> bool:
        """Do the next action; tell whether there was one before or at `until_s`."""
        if not self._events or self._events[0].time_s > until_s:
            return False
        event = heapq.heappop(self._events)
        self.now_s = event.time_s
        event.action()
        return True
