# SPDX-License-Identifier: Apache-2.0
"""Run the project's own commands as processes, and see what they needed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dynamic_deep.errors import DynamicDeepError
from dynamic_deep.peak_memory import peak_memory_bytes

_LOOK_S = 0.05  # between looks at the memory; at its end a process has none


class StepError(DynamicDeepError):
    """A step of an experiment did not end well."""


@dataclass(frozen=True, kw_only=True)
class StepCost:
    """What a process needed.

    Attributes:
        wall_s: from start to end.
        cpu_s: processor time, its children's included.
        peak_memory_mb: the largest resident set of the process or one of those it
            started, 10^6 bytes, as seen until just before its end.
        status: exit status.
    """

    wall_s: float
    cpu_s: float
    peak_memory_mb: float
    status: int


class Step:
    """A command in a process of its own.

    Args:
        words: of the command, without the interpreter.
        log: gets standard error; what came on standard output lies beside it.
    """

    def __init__(self, words: Sequence[str], log: Path) -> None:
        self.words = list(words)
        self.log = log
        self.output = log.with_suffix(".out")
        self._began_s = time.monotonic()
        with log.open("wb") as errors, self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *self.words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )
        self._peak_bytes = 0
        self._has_ended = threading.Event()
        self._watch = threading.Thread(target=self._watch_memory, daemon=True)
        self._watch.start()

    def _watch_memory(self) -> None:
        while not self._has_ended.is_set():
            seen = map(peak_memory_bytes, _family_of(self._process.pid))
            self._peak_bytes = max(self._peak_bytes, *seen)
            self._has_ended.wait(_LOOK_S)

    def end(self, signal_number: int | None = None) -> StepCost:
        """Wait for its end, after a signal if one is given; call it once."""
        if signal_number is not None:
            os.kill(self._process.pid, signal_number)  # not waited for: the id is its
        # The watch ends before the process is waited for, since then its id is free.
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        self._has_ended.set()
        self._watch.join()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return StepCost(
            wall_s=round(time.monotonic() - self._began_s, 2),
            cpu_s=round(usage.ru_utime + usage.ru_stime, 2),
            peak_memory_mb=round(self._peak_bytes / 1e6, 1),
            status=self._process.returncode,
        )

    def check(self, cost: StepCost) -> StepCost:
        """Return the cost of a step that ended well.

        Raises:
            StepError: If it did not.
        """
        if cost.status:
            said = self.log.read_text(errors="replace").strip().splitlines()
            last = said[-1] if said else "nothing on standard error"
            raise StepError(
                f"a step must end with status 0, {' '.join(self.words[:4])} ended with "
                f"{cost.status}: {last}; see {self.log}"
            )
        return cost


def _family_of(process_id: int) -> Iterator[int]:
    """Yield a process and those it started that still run, and theirs."""
    yield process_id
    for thread in Path(f"/proc/{process_id}/task").glob("*/children"):
        try:
            children = thread.read_text().split()
        except OSError:  # it may end at any moment
            continue
        for child in children:
            yield from _family_of(int(child))


def run_step(words: Sequence[str], log: Path) -> tuple[str, StepCost]:
    """Run a command to its end; return its standard output and what it needed.

    Raises:
        StepError: If it does not end with status 0.
    """
    step = Step(words, log)
    cost = step.check(step.end())
    return step.output.read_text(), cost
