# SPDX-License-Identifier: Apache-2.0
"""Look ahead in a stream of bytes that may be a pipe, with bounded memory.

Knows nothing of formats.
"""

from __future__ import annotations

from typing import BinaryIO

_CHUNK_LEN = 1 << 16


class ByteSource:
    """A stream of which some bytes are kept: from the last `release` to what was asked.

    Args:
        stream: binary stream.
        start: offset of the first byte that will be asked for.
        base: position in a seekable stream that has the offset 0; then several sources
            may share the stream. None: a pipe, read from where it stands.
    """

    def __init__(
        self, stream: BinaryIO, start: int = 0, *, base: int | None = None
    ) -> None:
        """Read nothing yet."""
        self._stream = stream
        self._base = base
        # A pipe gives what it has at once; plain `read` waits for a full piece.
        self._read = getattr(stream, "read1", stream.read)
        self._data = b""
        self._start = start
        self._ended = False

    def locate(self, offset: int, n_bytes: int) -> tuple[bytes, int]:
        """Return kept bytes and the position of `offset` among them.

        As many as `n_bytes` stand there if the stream has them. No copy is made.
        """
        pos = offset - self._start
        missing = pos + n_bytes - len(self._data)
        if missing > 0 and not self._ended:
            self._fill(missing)
        return self._data, pos

    def peek(self, offset: int, n_bytes: int) -> bytes:
        """Return the bytes at `offset`: `n_bytes`, or fewer if the stream ends."""
        data, pos = self.locate(offset, n_bytes)
        return data[pos : pos + n_bytes]

    def has(self, offset: int, n_bytes: int = 1) -> bool:
        """Tell whether the stream holds `n_bytes` at `offset`."""
        data, pos = self.locate(offset, n_bytes)
        return len(data) >= pos + n_bytes

    def count_rest(self, offset: int) -> int:
        """Return how many bytes stand from `offset` on, and let go of them."""
        while not self._ended:
            self._start += len(self._data)
            self._data = b""
            self._fill(1)
        return self._start + len(self._data) - offset

    def release(self, offset: int) -> None:
        """Let go of the bytes before `offset`, some time."""
        n_dead = offset - self._start
        # Half and more: so that each byte is moved about once.
        if n_dead >= max(_CHUNK_LEN, len(self._data) // 2):
            self._data = self._data[n_dead:]
            self._start = offset

    def _fill(self, n_bytes: int) -> None:
        # Small pieces: memory follows the bytes that come, not those that are claimed.
        pieces = [self._data]
        if self._base is not None:
            self._stream.seek(self._base + self._start + len(self._data))
        while n_bytes > 0:
            piece = self._read(_CHUNK_LEN)
            if not piece:
                self._ended = True
                break
            pieces.append(piece)
            n_bytes -= len(piece)
        self._data = b"".join(pieces)
