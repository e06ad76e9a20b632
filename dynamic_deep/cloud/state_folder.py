# SPDX-License-Identifier: Apache-2.0
"""The folder in which a receiver keeps what is not in the store yet."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from dynamic_deep.cloud.inbox import InboxError

INBOX_FILE = "inbox.sqlite"
BOOK_FILE = "published.sqlite"


class StateFolder:
    """A folder that one process uses at a time.

    Args:
        path: the folder; made if it is not there.

    Attributes:
        inbox: file of the inbox.
        book: file of what has been published.

    Raises:
        InboxError: If another process uses it.
        OSError: If it can't be made.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.inbox = path / INBOX_FILE
        self.book = path / BOOK_FILE
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._lock = os.open(path / "lock", flags, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise InboxError(
                f"one receiver must have its state folder to itself, got {path}, which "
                "another one uses; stop that one, or give this one its own"
            ) from None

    def close(self) -> None:
        """Let others use it."""
        os.close(self._lock)
