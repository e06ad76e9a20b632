# SPDX-License-Identifier: Apache-2.0
"""Bytes that are fetched by ranges, as a file that can be sought in.

A jump fetches one block; reading on from there fetches ever larger pieces. So finding
one window costs little, and reading all of it few requests.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable

BLOCK_LEN = 1 << 15  # bytes of the first piece after a jump
MAX_PIECE_LEN = 1 << 20
_MAX_PIECES = 4  # header, end mark, index, frame


class RangeFile(io.BufferedIOBase):
    """A file that can be read and sought in.

    Args:
        fetch: returns the bytes from an offset on, of a length that lies within size.
        size: bytes of the file.
        release: called once when the file is closed.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        size: int,
        release: Callable[[], None] | None = None,
    ) -> None:
        self._fetch = fetch
        self._size = size
        self._release = release
        self._pos = 0
        self._pieces: list[tuple[int, bytes]] = []  # start and bytes, latest last

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._pos

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move; a position behind the end reads as the end."""
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._pos, os.SEEK_END: self._size}
        pos = bases[whence] + offset
        if pos < 0:
            raise ValueError(f"a position must be 0 or more, got {pos}")
        self._pos = pos
        return pos

    def read1(self, size: int = -1, /) -> bytes:
        """Return what one piece holds, at most `size`; nothing at the end."""
        self._require_open()
        if self._pos >= self._size or size == 0:
            return b""
        start, data = self._piece()
        at = self._pos - start
        part = data[at:] if size is None or size < 0 else data[at : at + size]
        self._pos += len(part)
        return part

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` bytes, all that are left if negative."""
        self._require_open()
        left = max(0, self._size - self._pos)
        wanted = left if size is None or size < 0 else min(size, left)
        parts = []
        while wanted > 0:
            part = self.read1(wanted)
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Let go of the bytes."""
        if not self.closed:
            self._pieces.clear()
            super().close()
            if self._release is not None:
                self._release()

    def _require_open(self) -> None:
        if self.closed:
            raise ValueError("a file must be open to be read, got a closed one")

    def _piece(self) -> tuple[int, bytes]:
        """Return a piece that holds the position."""
        for piece in self._pieces:
            if piece[0] <= self._pos < piece[0] + len(piece[1]):
                return piece
        start, length = self._pos, BLOCK_LEN
        before = [len(data) for at, data in self._pieces if at + len(data) == start]
        if before:
            length = min(2 * max(before), MAX_PIECE_LEN)
        elif self._size - start < BLOCK_LEN:
            start = max(0, self._size - BLOCK_LEN)  # the end mark stands before the end
        length = min(length, self._size - start)
        data = self._fetch(start, length)
        if len(data) != length:
            raise OSError(f"a range of {length} bytes must be whole, got {len(data)}")
        self._pieces = [*self._pieces[1 - _MAX_PIECES :], (start, data)]
        return start, data
