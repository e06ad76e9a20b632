# SPDX-License-Identifier: Apache-2.0
"""What is sealed in a message: the pieces of a `.ddc` file, checked piece by piece.

Layout: docs/uplink.md, section "Body". A body is checked as the file would be, although
its seal has held: a device may be at fault.
"""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass
from typing import NamedTuple

from dynamic_deep.bitstream import Frame
from dynamic_deep.byte_source import ByteSource
from dynamic_deep.container_marks import MAX_SEQ, EndMark, GapMark, pack_end_len
from dynamic_deep.container_scan import FoundFrame, ItemScanner
from dynamic_deep.errors import CorruptError
from dynamic_deep.field_coding import pack_varint, unpack_varint
from dynamic_deep.header_envelope import OpenedHeader, read_header
from dynamic_deep.uplink.message import NO_SESSION, TABLE_LEN, SessionId

SALT_LEN = 8

_PREVIOUS = struct.Struct(f"<8sI{SALT_LEN}s")
# Items stand at an offset that only the file as a whole tells; what an end mark may
# hold grows with it, so that any is taken here, and the file decides.
_FAR = 1 << 56


class PreviousSession(NamedTuple):
    """The session before, and how many messages it has in all."""

    session: SessionId = NO_SESSION
    n_messages: int = 0


class OpenBody(NamedTuple):
    """The body of `open`.

    Attributes:
        previous: the device's session before this one.
        salt: random bytes, so that no two sessions have the same `open`.
        header: the bytes of the `.ddc` header.
    """

    previous: PreviousSession
    salt: bytes
    header: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemsBody:
    """The body of `frames` or `close`.

    Attributes:
        seq: sequence number due at its beginning.
        next_seq: sequence number due after it.
        frames: its frames, in order.
        end: the end mark, in `close`.
        items: the bytes without the sequence number.
    """

    seq: int
    next_seq: int
    frames: tuple[Frame, ...]
    end: EndMark | None
    items: bytes


def table_of(header: bytes) -> bytes:
    """Return the 8 bytes that stand for a `.ddc` header in every message."""
    return hashlib.sha256(header).digest()[:TABLE_LEN]


def open_header(header: bytes) -> OpenedHeader:
    """Return what exactly one `.ddc` header says.

    Raises:
        FormatError: If it is none.
    """
    opened = read_header(ByteSource(io.BytesIO(header)))
    if opened.end != len(header):
        raise CorruptError(
            f"a header must stand alone in its message, got {len(header)} bytes of "
            f"which it takes {opened.end}"
        )
    return opened


def pack_open(previous: PreviousSession, salt: bytes, header: bytes) -> bytes:
    """Return the body of `open`."""
    session, n_messages = previous
    return _PREVIOUS.pack(session.pack(), n_messages, salt) + header


def unpack_open(body: bytes) -> tuple[OpenBody, OpenedHeader]:
    """Return the body of `open`, and what its header says.

    Raises:
        FormatError: If it is wrong.
    """
    if len(body) < _PREVIOUS.size:
        raise CorruptError(f"the body of open must hold a header, got {body.hex()!r}")
    session, n_messages, salt = _PREVIOUS.unpack_from(body)
    previous = PreviousSession(SessionId.unpack(session), n_messages)
    header = body[_PREVIOUS.size :]
    return OpenBody(previous, salt, header), open_header(header)


def pack_items(seq: int, items: bytes) -> bytes:
    """Return the body of `frames` or `close`."""
    return pack_varint(seq) + items


def split_items(body: bytes) -> tuple[int, bytes]:
    """Return the sequence number and the items of a body, which are not looked at.

    Raises:
        FormatError: If it has no sequence number.
    """
    seq, at = unpack_varint(body, 0)
    return seq, body[at:]


def unpack_items(body: bytes, opened: OpenedHeader, *, is_close: bool) -> ItemsBody:
    """Return the body of `frames` or `close`, every item of it checked.

    Raises:
        FormatError: If an item does not verify, or they are not what the kind demands.
    """
    seq, items = split_items(body)
    scanner = ItemScanner(ByteSource(io.BytesIO(items), start=_FAR), opened)
    n_leads, at, due = opened.header.info.n_leads, _FAR, seq
    end: EndMark | None = None
    is_closed = False
    frames: list[Frame] = []
    while end is None and at < _FAR + len(items):
        item = scanner.item_at(at, due) if due <= MAX_SEQ else None
        if isinstance(item, FoundFrame):
            payload = scanner.payload(item)
            frames.append(Frame(*divmod(due, n_leads), item.head.level_id, payload))
            at, due = item.end, due + 1
        elif isinstance(item, GapMark):
            at, due = item.end, item.next_seq
        elif isinstance(item, EndMark):
            end, start, at = item, at, item.end
            close = pack_end_len(at - start)
            is_closed = items[at - _FAR :] == close
        else:
            raise CorruptError(
                f"the items of a message must verify, and byte {at - _FAR} of "
                f"{len(items)}, where frame {due} is due, begins none"
            )
    if is_closed != is_close or (end is not None) != is_close or not items:
        raise CorruptError(
            "a close message must end with the end mark, and a frames message hold "
            f"frames only, got {len(frames)} frames in {len(items)} bytes"
        )
    return ItemsBody(seq=seq, next_seq=due, frames=tuple(frames), end=end, items=items)
