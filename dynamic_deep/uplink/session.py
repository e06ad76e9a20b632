# SPDX-License-Identifier: Apache-2.0
"""Cut what an encoder writes into sealed messages.

A `MessageSink` is the stream of a `ContainerWriter` or `StreamEncoder`: each write is
one whole item. It seals and hands on; where messages are kept is for others.
"""

from __future__ import annotations

import io
import secrets
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, cast

from dynamic_deep.bitstream import TAG_END, TAG_GAP
from dynamic_deep.byte_source import ByteSource
from dynamic_deep.container_marks import unpack_gap
from dynamic_deep.errors import ConfigError
from dynamic_deep.field_coding import unpack_varint
from dynamic_deep.header_envelope import OpenedHeader
from dynamic_deep.uplink.body import (
    SALT_LEN,
    open_header,
    pack_items,
    pack_open,
    table_of,
)
from dynamic_deep.uplink.message import Kind, Message
from dynamic_deep.uplink.sealed import SealedMessage, SessionStart
from dynamic_deep.uplink.sealing import seal

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = [
    "DEFAULT_MAX_BYTES",
    "DEFAULT_N_FRAMES",
    "MessageSink",
    "SealedMessage",
    "SessionStart",
]

DEFAULT_N_FRAMES = 10
DEFAULT_MAX_BYTES = 1 << 16


class MessageSink(io.RawIOBase):
    """Takes the items of one `.ddc` file and gives sealed messages.

    A message is cut between windows only, and the last window travels with the end
    mark: what comes before a crash are whole windows of full length, all leads of each.

    Args:
        start: device, session and key.
        store: keeps a message durably, or so that it is durable before it is sent, and
            returns True; or returns False if there is no room. It is asked again by
            `retry` and by the next write, until then messages wait in memory.
        n_frames: a message is cut at the first window at or above so many frames.
        max_bytes: a message holds at most so many bytes of items, unless a single
            window has more.

    Attributes:
        n_messages: messages sealed so far.
        n_sealed_bytes: bytes of these messages.

    Raises:
        ConfigError: If a limit is not positive.
    """

    def __init__(
        self,
        start: SessionStart,
        store: Callable[[SealedMessage], bool],
        *,
        n_frames: int = DEFAULT_N_FRAMES,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        if n_frames < 1 or max_bytes < 1:
            raise ConfigError(
                "a message must hold at least one frame and one byte, got n_frames="
                f"{n_frames}, max_bytes={max_bytes}"
            )
        super().__init__()
        self.n_messages = 0
        self.n_sealed_bytes = 0
        self._start, self._store = start, store
        self._n_frames, self._max_bytes = n_frames, max_bytes
        self._opened: OpenedHeader | None = None
        self._table = b""
        self._items = bytearray()  # whole windows that others follow
        self._n_in_items = 0
        self._window = bytearray()  # of the window that is being written
        self._n_in_window = 0
        self._first = 0  # sequence number due where `_items` begins
        self._window_first = 0
        self._due = 0
        self._n_samples = 0
        self._waiting: deque[SealedMessage] = deque()
        self._is_over = False

    @property
    def stream(self) -> BinaryIO:
        """The sink, as the type that writers ask for."""
        return cast("BinaryIO", self)

    @property
    def is_blocked(self) -> bool:
        """Whether messages wait for room: feed the encoder nothing until they don't."""
        return bool(self._waiting)

    @property
    def is_over(self) -> bool:
        """Whether the end mark has been written."""
        return self._is_over

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, item: ReadableBuffer, /) -> int:
        """Take one whole item: header, frame, gap or end mark.

        Raises:
            ConfigError: If the session is over, or a message grows too long.
        """
        data = bytes(item)
        if self._is_over:
            raise ConfigError("a session takes nothing after its end; begin a new one")
        if self._opened is None:
            self._open(data)
        elif data[0] == TAG_END:
            self._close(data)
        else:
            self._add(data)
        return len(data)

    def retry(self) -> bool:
        """Offer what waits to the store again; return whether all is stored."""
        while self._waiting:
            if not self._store(self._waiting[0]):
                return False
            self._waiting.popleft()
        return True

    def cut(self) -> None:
        """Seal the whole windows taken so far, but for the last, without waiting."""
        if self._items:
            self._seal(Kind.FRAMES, pack_items(self._first, bytes(self._items)))
            self._items.clear()
            self._n_in_items = 0

    def _open(self, header: bytes) -> None:
        self._opened = open_header(header)
        self._table = table_of(header)
        salt = secrets.token_bytes(SALT_LEN)
        self._seal(Kind.OPEN, pack_open(self._start.previous, salt, header))

    def _add(self, data: bytes) -> None:
        opened = self._opened
        if opened is None:
            raise ConfigError("the first item of a file must be its header")
        if self._window and self._due % opened.header.info.n_leads == 0:
            self._end_window()
        if data[0] == TAG_GAP:
            gap = unpack_gap(ByteSource(io.BytesIO(data)), 0, opened.seed)
            if gap is None or gap.end != len(data):
                raise ConfigError("each write must be one whole item, got a part")
            self._due = gap.next_seq
        else:
            self._due += 1
            self._n_in_window += 1
        self._window += data

    def _end_window(self) -> None:
        """Let the window join those that may be sent."""
        if self._items and len(self._items) + len(self._window) > self._max_bytes:
            self.cut()
        if not self._items:
            self._first = self._window_first
        self._items += self._window
        self._n_in_items += self._n_in_window
        self._window.clear()
        self._n_in_window = 0
        self._window_first = self._due
        self._n_samples = self._samples_before(self._due)
        if self._n_in_items >= self._n_frames:
            self.cut()

    def _samples_before(self, seq: int) -> int:
        """Return how many samples of each lead the windows before a frame hold."""
        if self._opened is None:
            return 0
        header = self._opened.header
        window_idx = seq // header.info.n_leads
        return header.geometry.window_start(window_idx, header.info.fs)

    def _close(self, end: bytes) -> None:
        if self._window:
            size = len(self._items) + len(self._window) + len(end)
            if self._items and size > self._max_bytes:
                self.cut()
        first = self._first if self._items else self._window_first
        items = bytes(self._items + self._window) + end
        self._window_first = self._due
        self._n_samples, _ = unpack_varint(end, 1)
        self._seal(Kind.CLOSE, pack_items(first, items))
        self._items.clear()
        self._window.clear()
        self._is_over = True

    def _seal(self, kind: Kind, body: bytes) -> None:
        start = self._start
        head = Message(
            kind=kind,
            key_id=start.key_id,
            device=start.device,
            session=start.session,
            number=self.n_messages,
            table=self._table,
        )
        message = seal(head, body, start.key)
        data = message.pack()
        self.n_messages += 1
        self.n_sealed_bytes += len(data)
        self._waiting.append(
            SealedMessage(
                message=message,
                data=data,
                next_seq=self._window_first,
                n_samples=self._n_samples,
            )
        )
        self.retry()
