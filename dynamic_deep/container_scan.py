# SPDX-License-Identifier: Apache-2.0
"""Find the items of a `.ddc` file, also after damage.

Rules: docs/format.md, section "Reading a damaged file". Frames carry no sync word: the
check of a frame gives its sequence number, and two frames in a row whose numbers follow
each other are as good as a sync word of 48 bits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dynamic_deep.bitstream import (
    CHECK_MASK,
    TAG_END,
    TAG_GAP,
    FrameHead,
    frame_beginnings,
    frame_seq,
    unpack_head,
)
from dynamic_deep.byte_source import ByteSource
from dynamic_deep.container_marks import (
    MAX_SEQ,
    EndMark,
    GapMark,
    unpack_end,
    unpack_gap,
)
from dynamic_deep.header_envelope import OpenedHeader

_MAX_HEAD_LEN = 5
_MAX_HOPS = 16
_WALK_SPAN = 1 << 22  # bytes
_PAIR_REACH = 1 << 16  # sequence numbers
_LONE_REACH = 2  # sequence numbers, and one more for every so many bytes
_LONE_STEP = 64
_MAX_LONE_REACH = 8
_LONE_SPAN = 1 << 14  # bytes
_SCAN_STEP = 1 << 12  # bytes searched at a time
_FREE_WORK = 1 << 26  # bytes of checksums
_WORK_PER_BYTE = 256


@dataclass(frozen=True, slots=True)
class FoundFrame:
    """A frame that verifies for `seq`, from `offset` to before `end`."""

    offset: int
    head: FrameHead
    seq: int

    @property
    def end(self) -> int:
        """Offset of the first byte after it."""
        return self.offset + self.head.frame_len


@dataclass(frozen=True, slots=True)
class Place:
    """An item that verifies: where it begins, and the sequence number due there."""

    offset: int
    due: int


Item = FoundFrame | GapMark | EndMark


@dataclass(frozen=True, slots=True)
class Step:
    """One step through a file.

    Attributes:
        offset: where it begins.
        due: the sequence number due there.
        item: what stands there; None for damage.
        after: where it ends and what is due then; None if the rest of the file is lost.
    """

    offset: int
    due: int
    item: Item | None
    after: Place | None


class ItemScanner:
    """Verifies and finds items in a stream.

    Args:
        source: the stream.
        opened: the header of the file.
        n_total: frames that the file can have.
    """

    def __init__(
        self, source: ByteSource, opened: OpenedHeader, n_total: int = MAX_SEQ
    ) -> None:
        """Prepare the search for what can begin an item."""
        self.source = source
        self._opened = opened
        self._n_total = n_total
        self._n_leads = opened.header.info.n_leads
        self._levels = frozenset(opened.header.level_names)
        self._max_payload_len = opened.header.max_payload_len
        first = bytes([*frame_beginnings(self._levels), TAG_GAP, TAG_END])
        self._beginning = re.compile(b"[" + re.escape(first) + b"]")
        self._work = 0

    def steps(self, offset: int, due: int) -> Iterator[Step]:
        """Yield items and damage from `offset` to the end mark or the last byte.

        Bytes before a step are let go of when the next one is asked for.
        """
        while self.source.has(offset):
            item = self.item_at(offset, due)
            after = self._after(item) if item else self.recover(offset, due)
            yield Step(offset, due, item, after)
            if after is None or isinstance(item, EndMark):
                return
            offset, due = after.offset, after.due
            self.source.release(offset)

    def item_at(self, offset: int, due: int) -> Item | None:
        """Return the item at `offset` if it verifies with `due` as the next number."""
        item = self._frame_at(offset, due) or self._mark_at(offset)
        return item if item is not None and self._seq_of(item) == due else None

    def payload(self, frame: FoundFrame) -> bytes:
        """Return the payload of a frame that has been found and not released."""
        head = frame.head
        return self.source.peek(frame.offset + head.head_len, head.payload_len)

    def recover(self, offset: int, due: int) -> Place | None:
        """Return the next item after damage at `offset`, or None if there is none."""
        return self._walk(offset, due) or self._scan(offset, due)

    def _walk(self, offset: int, due: int) -> Place | None:
        """Skip damaged frames by the lengths that they state."""
        far = offset + _WALK_SPAN
        for hop in range(1, _MAX_HOPS + 1):
            head = self._head_at(offset) if offset < far else None
            if head is None:
                return None
            offset += head.frame_len
            if self.item_at(offset, due + hop) is not None:
                return Place(offset, due + hop)
        return None

    def _scan(self, offset: int, due: int) -> Place | None:
        """Try every offset from `offset` on."""
        lone: FoundFrame | None = None
        at = self._next_beginning(offset)
        while at is not None and (lone is None or at < lone.end):
            item = self._frame_at(at, due) or self._mark_at(at)
            if item is not None and self._is_sure(item, due):
                return Place(at, self._seq_of(item))
            if lone is None and isinstance(item, FoundFrame):
                lone = item if self._is_near(item, offset, due) else None
            if lone is None and at - offset > _LONE_SPAN:
                self.source.release(at)
            at = self._next_beginning(at + 1)
        return Place(lone.offset, lone.seq) if lone is not None else None

    def _is_sure(self, item: Item, due: int) -> bool:
        """Tell whether an item met in a scan can't be noise."""
        seq = self._seq_of(item)
        if seq < due or isinstance(item, EndMark):
            return seq >= due
        if isinstance(item, GapMark) and seq < due + _LONE_REACH:
            return True
        if seq >= due + _PAIR_REACH:
            return False
        after = self._after(item)
        return self.item_at(after.offset, after.due) is not None

    @staticmethod
    def _is_near(frame: FoundFrame, offset: int, due: int) -> bool:
        """Tell whether a frame without a sound neighbour can be taken."""
        distance = frame.offset - offset
        reach = min(_LONE_REACH + distance // _LONE_STEP, _MAX_LONE_REACH)
        return frame.seq < due + reach and distance < _LONE_SPAN

    def _after(self, item: Item) -> Place:
        if isinstance(item, FoundFrame):
            return Place(item.end, item.seq + 1)
        if isinstance(item, GapMark):
            return Place(item.end, item.next_seq)
        return Place(item.end, self._seq_of(item))

    def _seq_of(self, item: Item) -> int:
        """Return the number that must be due where the item stands."""
        if isinstance(item, EndMark):
            return item.n_windows * self._n_leads
        return item.seq

    def _next_beginning(self, offset: int) -> int | None:
        """Return the next offset whose byte can begin an item."""
        while self.source.has(offset):
            data, pos = self.source.locate(offset, _SCAN_STEP)
            stop = min(pos + _SCAN_STEP, len(data))
            match = self._beginning.search(data, pos, stop)
            if match:
                return offset + match.start() - pos
            offset += stop - pos
        return None

    def _head_at(self, offset: int) -> FrameHead | None:
        """Return the head at `offset` if all of its frame is there."""
        data, pos = self.source.locate(offset, _MAX_HEAD_LEN)
        head = unpack_head(data, pos)
        if (
            head is None
            or head.level_id not in self._levels
            or head.payload_len > self._max_payload_len
        ):
            return None
        is_here = len(data) >= pos + head.frame_len
        return head if is_here or self.source.has(offset, head.frame_len) else None

    def _frame_at(self, offset: int, due: int) -> FoundFrame | None:
        """Return the frame at `offset` with the number it bears, from `due` on."""
        head = self._head_at(offset)
        if head is None or not self._afford(head.frame_len, offset):
            return None
        data, pos = self.source.locate(offset, head.frame_len)
        found = frame_seq(data, pos, head, self._opened.seed)
        seq = due + ((found - due) & CHECK_MASK)
        return FoundFrame(offset, head, seq) if seq < self._n_total else None

    def _mark_at(self, offset: int) -> GapMark | EndMark | None:
        tag = self.source.peek(offset, 1)
        if tag == bytes([TAG_GAP]):
            return unpack_gap(self.source, offset, self._opened.seed)
        if tag == bytes([TAG_END]):
            return unpack_end(self.source, offset, self._opened)
        return None

    def _afford(self, n_bytes: int, offset: int) -> bool:
        """Count work, so that no file can ask for more than in proportion to it."""
        self._work += n_bytes
        if self._work <= _FREE_WORK + _WORK_PER_BYTE * offset:
            return True
        self._work -= n_bytes
        return False
