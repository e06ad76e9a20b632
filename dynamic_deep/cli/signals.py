# SPDX-License-Identifier: Apache-2.0
"""What a command does when it is told to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_TERMINATED = 128 + signal.SIGTERM


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that what must not stay goes as on Ctrl-C."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(EXIT_TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
