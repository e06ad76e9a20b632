# SPDX-License-Identifier: Apache-2.0
"""Disk space held back, so that a full disk leaves room to delete.

A database needs space to delete: without this, a device whose disk is full could not
let go of what has arrived, and would be stuck for ever.
"""

from __future__ import annotations

import os
from pathlib import Path


class DiskReserve:
    """A file that stands for free space.

    Args:
        path: the file.
        n_bytes: how much space.
    """

    def __init__(self, path: Path, n_bytes: int) -> None:
        self._path = path
        self._n_bytes = n_bytes

    def hold(self) -> bool:
        """Take the space unless it is taken; return whether it is there now."""
        try:
            if self._path.stat().st_size == self._n_bytes:
                return True
        except OSError:
            pass  # taken below
        try:
            with self._path.open("wb") as stream:
                os.posix_fallocate(stream.fileno(), 0, self._n_bytes)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the space back."""
        self._path.unlink(missing_ok=True)
