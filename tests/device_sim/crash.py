# SPDX-License-Identifier: Apache-2.0
"""Run work in a process that is killed before its n-th step on a database."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import traceback
import warnings
from collections.abc import Callable


class KillSwitch:
    """Counts the SQL statements of databases; at the n-th the process dies.

    A statement is counted before it takes effect: so the process dies between any two
    of them, before and after every commit.
    """

    def __init__(self, kill_at: int | None) -> None:
        self._left = kill_at

    def arm(self, db: sqlite3.Connection) -> None:
        db.set_trace_callback(lambda _: self.step())

    def step(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                os.kill(os.getpid(), signal.SIGKILL)


def survives(work: Callable[[KillSwitch], None], kill_at: int | None) -> bool:
    """Do the work in a child; return False if it was killed on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads
        child = os.fork()
    if child == 0:
        code = 1
        try:
            work(KillSwitch(kill_at))
            code = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the child failed, see its traceback"
    return True
