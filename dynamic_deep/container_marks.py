# SPDX-License-Identifier: Apache-2.0
"""What stands among and after the frames of a `.ddc` file: gap and end mark.

Layout: docs/format.md, sections "Gap" and "End".
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from dynamic_deep.bitstream import TAG_END, TAG_GAP
from dynamic_deep.byte_source import ByteSource
from dynamic_deep.errors import FormatError
from dynamic_deep.field_coding import pack_varint, unpack_varint
from dynamic_deep.header_envelope import CRC_LEN, OpenedHeader

MAX_SEQ = (1 << 32) - 1
MAX_SAMPLES = (1 << 48) - 1
INDEX_SPACING = 1 << 16  # bytes of file, at least, for each entry of the index

_MAX_CLOSE_LEN = 5  # bytes of end_len
_CRC_MASK = (1 << 8 * CRC_LEN) - 1
_SEQ_FACTOR = 0xF205F8D5  # as in a frame, for four bytes
_SEQ_INVERSE = pow(_SEQ_FACTOR, -1, _CRC_MASK + 1)
_MAX_GAP_LEN = 1 + 9 + CRC_LEN
_END_START_LEN = 1 + 3 * 9
_MAX_ENTRY_LEN = 2 * 9


SourceAt = Callable[[int], ByteSource]


class IndexEntry(NamedTuple):
    """Where a frame stands: byte offset and sequence number."""

    offset: int
    seq: int


@dataclass(frozen=True, kw_only=True)
class GapMark:
    """Frames left out.

    Attributes:
        seq: number of the first of them.
        next_seq: number of the next frame.
        end: offset of the first byte after the mark.
    """

    seq: int
    next_seq: int
    end: int


@dataclass(frozen=True, kw_only=True)
class EndMark:
    """The end of a file.

    Attributes:
        n_samples: samples of each lead.
        n_windows: windows of each lead.
        index: places of some frames, ascending.
        end: offset of the first byte after the mark's check.
    """

    n_samples: int
    n_windows: int
    index: tuple[IndexEntry, ...]
    end: int


def pack_gap(seq: int, next_seq: int, *, seed: int) -> bytes:
    """Return the bytes of a gap mark for the frames from `seq` to before `next_seq`."""
    data = bytes([TAG_GAP]) + pack_varint(next_seq)
    check = (zlib.crc32(data, seed) + _SEQ_FACTOR * seq) & _CRC_MASK
    return data + check.to_bytes(CRC_LEN, "little")


def unpack_gap(source: ByteSource, offset: int, seed: int) -> GapMark | None:
    """Return the gap mark at `offset`, or None where none can be.

    It verifies if its `seq` is the number due.
    """
    data = source.peek(offset, _MAX_GAP_LEN)
    try:
        next_seq, pos = unpack_varint(data, 1)
    except FormatError:
        return None
    check = data[pos : pos + CRC_LEN]
    scaled = int.from_bytes(check, "little") - zlib.crc32(data[:pos], seed)
    seq = scaled * _SEQ_INVERSE & _CRC_MASK
    if len(check) < CRC_LEN or not seq < next_seq <= MAX_SEQ:
        return None
    return GapMark(seq=seq, next_seq=next_seq, end=offset + pos + CRC_LEN)


def pack_end(
    n_samples: int,
    n_windows: int,
    index: list[IndexEntry],
    *,
    header_end: int,
    seed: int,
) -> bytes:
    """Return the bytes of the end mark, its length at the very end included."""
    out = bytearray([TAG_END])
    for value in (n_samples, n_windows, len(index)):
        out += pack_varint(value)
    last = IndexEntry(header_end, 0)
    for entry in index:
        out += pack_varint(entry.offset - last.offset)
        out += pack_varint(entry.seq - last.seq)
        last = entry
    sealed = _sealed(bytes(out), seed)
    return sealed + pack_end_len(len(sealed))


def pack_end_len(n_bytes: int) -> bytes:
    """Return the length of an end mark as the bytes that a file closes with."""
    return pack_varint(n_bytes)[::-1]


def _unpack_end_len(tail: bytes) -> int | None:
    try:
        return unpack_varint(tail[::-1], 0)[0]
    except FormatError:
        return None


def find_end(size: int, source_at: SourceAt, opened: OpenedHeader) -> EndMark | None:
    """Return the end mark that the last bytes of a file lead to, or None.

    Args:
        size: bytes of the file.
        source_at: gives a source that starts at an offset.
        opened: header of the file.
    """
    close_at = max(0, size - _MAX_CLOSE_LEN)
    n_bytes = _unpack_end_len(source_at(close_at).peek(close_at, _MAX_CLOSE_LEN))
    if n_bytes is None:
        return None
    offset = size - len(pack_end_len(n_bytes)) - n_bytes
    if offset < opened.end:
        return None
    end = unpack_end(source_at(offset), offset, opened)
    return end if end and end.end == offset + n_bytes else None


def unpack_end(source: ByteSource, offset: int, opened: OpenedHeader) -> EndMark | None:
    """Return the end mark at `offset`, or None where none verifies."""
    try:
        return _unpack_end(source, offset, opened)
    except FormatError:
        return None


def _unpack_end(
    source: ByteSource, offset: int, opened: OpenedHeader
) -> EndMark | None:
    start = source.peek(offset, _END_START_LEN)
    n_samples, pos = unpack_varint(start, 1)
    n_windows, pos = unpack_varint(start, pos)
    n_index, pos = unpack_varint(start, pos)
    info, geometry = opened.header.info, opened.header.geometry
    if (
        n_index > offset // INDEX_SPACING
        or n_samples > MAX_SAMPLES
        or n_windows * info.n_leads > MAX_SEQ
        or not geometry.accepts(n_samples, n_windows, info.fs)
    ):
        return None
    data = source.peek(offset, pos + n_index * _MAX_ENTRY_LEN + CRC_LEN)
    stop = _skip_varints(data, pos, 2 * n_index)
    if stop is None or not _is_sealed(data, stop, opened.seed):
        return None
    return EndMark(
        n_samples=n_samples,
        n_windows=n_windows,
        index=_unpack_index(data, pos, n_index, opened.end),
        end=offset + stop + CRC_LEN,
    )


def _unpack_index(
    data: bytes, pos: int, n_index: int, header_end: int
) -> tuple[IndexEntry, ...]:
    entries = []
    last = IndexEntry(header_end, 0)
    for _ in range(n_index):
        offset, pos = unpack_varint(data, pos)
        seq, pos = unpack_varint(data, pos)
        last = IndexEntry(last.offset + offset, last.seq + seq)
        entries.append(last)
    return tuple(entries)


def _skip_varints(data: bytes, pos: int, n_values: int) -> int | None:
    for _ in range(n_values):
        while pos < len(data) and data[pos] & 0x80:
            pos += 1
        pos += 1
    return pos if pos <= len(data) else None


def _sealed(data: bytes, seed: int) -> bytes:
    return data + zlib.crc32(data, seed).to_bytes(CRC_LEN, "little")


def _is_sealed(data: bytes, stop: int, seed: int) -> bool:
    stored = data[stop : stop + CRC_LEN]
    if len(stored) < CRC_LEN:
        return False
    return zlib.crc32(data[:stop], seed) == int.from_bytes(stored, "little")
