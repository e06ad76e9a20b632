# SPDX-License-Identifier: Apache-2.0
"""One frame on the wire.

Layout: docs/format.md, section "Frame". This file knows bytes only:
not what a payload means, nor what stands before or after a frame.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from dynamic_deep.errors import ConfigError, CorruptError, TruncatedError

MAX_LEVEL_ID = 31  # five bits
MAX_PAYLOAD_LEN = (1 << 24) - 1
CHECK_LEN = 3
CHECK_MASK = (1 << (8 * CHECK_LEN)) - 1
MIN_FRAME_LEN = 2 + CHECK_LEN

# The sequence number enters the check times this: then no change of one byte of the
# check makes a frame look like one of the 63,743 before or after it (found by search).
SEQ_FACTOR = 0xE8BA17
_SEQ_INVERSE = pow(SEQ_FACTOR, -1, CHECK_MASK + 1)

TAG_LONG = 0x07
TAG_GAP = 0x0F
TAG_END = 0x17

MAX_SHORT_LEN = (1 << 10) - 1
MAX_LOSSLESS_LEN = (1 << 13) - 1
MAX_MEDIUM_LEN = (1 << 16) - 1
MAX_LOSSLESS_ID = 1  # lossless and near_lossless share the head for middling lengths


@dataclass(frozen=True, slots=True)
class Frame:
    """One coded window of one lead.

    Attributes:
        window_idx: which window of the lead, from 0.
        lead: which lead, from 0.
        level_id: rung of the ladder, 0 to 31.
        payload: the coded window; its meaning belongs to the level.
    """

    window_idx: int
    lead: int
    level_id: int
    payload: bytes


class FrameHead(NamedTuple):
    """What the first bytes of a frame say.

    Attributes:
        level_id: 0 to 31.
        payload_len: bytes of payload.
        head_len: bytes of the head itself.
    """

    level_id: int
    payload_len: int
    head_len: int

    @property
    def frame_len(self) -> int:
        """Bytes of the whole frame."""
        return self.head_len + self.payload_len + CHECK_LEN


def pack_head(level_id: int, payload_len: int) -> bytes:
    """Return the shortest head for a level and a payload length.

    Raises:
        ConfigError: If either is out of range.

    Example:
        >>> pack_head(2, 130).hex()
        '8420'
    """
    if not 0 <= level_id <= MAX_LEVEL_ID:
        raise ConfigError(
            f"level_id must be 0 to {MAX_LEVEL_ID}, got {level_id}; number the levels "
            "of the bundle from 2"
        )
    if not 0 <= payload_len <= MAX_PAYLOAD_LEN:
        raise ConfigError(
            f"a payload must have at most {MAX_PAYLOAD_LEN} bytes, got {payload_len}; "
            "cut the recording into shorter windows"
        )
    if payload_len <= MAX_SHORT_LEN:
        return (level_id << 1 | payload_len << 6).to_bytes(2, "little")
    if level_id <= MAX_LOSSLESS_ID and payload_len <= MAX_LOSSLESS_LEN:
        return (0b01 | level_id << 2 | payload_len << 3).to_bytes(2, "little")
    if payload_len <= MAX_MEDIUM_LEN:
        return (0b011 | level_id << 3 | payload_len << 8).to_bytes(3, "little")
    return (TAG_LONG | level_id << 8 | payload_len << 16).to_bytes(5, "little")


def frame_len(level_id: int, payload_len: int) -> int:
    """Return the length in bytes of the frame of a payload."""
    return len(pack_head(level_id, payload_len)) + payload_len + CHECK_LEN


def unpack_head(data: bytes, pos: int = 0) -> FrameHead | None:
    """Return the head at `pos`, or None where there is none.

    None stands for a mark, a reserved byte, a head that is not the shortest, and one
    that is cut off.

    Example:
        >>> unpack_head(bytes.fromhex("8420"))
        FrameHead(level_id=2, payload_len=130, head_len=2)
    """
    if len(data) < pos + 2:
        return None
    first = data[pos]
    word = first | data[pos + 1] << 8
    if not first & 0b1:
        return FrameHead(word >> 1 & 31, word >> 6, 2)
    if not first & 0b10:
        head = FrameHead(word >> 2 & 1, word >> 3, 2)
        return head if head.payload_len > MAX_SHORT_LEN else None
    if not first & 0b100:
        return _unpack_medium(data, pos)
    return _unpack_long(data, pos) if first == TAG_LONG else None


def _unpack_medium(data: bytes, pos: int) -> FrameHead | None:
    if len(data) < pos + 3:
        return None
    level_id, payload_len = data[pos] >> 3, data[pos + 1] | data[pos + 2] << 8
    is_lossless = level_id <= MAX_LOSSLESS_ID
    floor = MAX_LOSSLESS_LEN if is_lossless else MAX_SHORT_LEN
    return FrameHead(level_id, payload_len, 3) if payload_len > floor else None


def _unpack_long(data: bytes, pos: int) -> FrameHead | None:
    level_id = data[pos + 1]
    payload_len = int.from_bytes(data[pos + 2 : pos + 5], "little")
    if len(data) < pos + 5 or level_id > MAX_LEVEL_ID or payload_len <= MAX_MEDIUM_LEN:
        return None
    return FrameHead(level_id, payload_len, 5)


def frame_beginnings(level_ids: Collection[int]) -> list[int]:
    """Return the bytes that a frame of one of the levels can begin with."""
    shared = [level_id for level_id in level_ids if level_id <= MAX_LOSSLESS_ID]
    beginnings = {TAG_LONG}
    for high in range(0, 256, 64):
        beginnings |= {level_id << 1 | high for level_id in level_ids}
    for high in range(0, 256, 8):
        beginnings |= {0b01 | level_id << 2 | high for level_id in shared}
    beginnings |= {0b011 | level_id << 3 for level_id in level_ids}
    return sorted(beginnings)


def pack_frame(level_id: int, payload: bytes, *, seq: int, seed: int) -> bytes:
    """Return the bytes of a frame.

    Args:
        level_id: 0 to 31.
        payload: the coded window.
        seq: sequence number of the frame.
        seed: CRC-32 that the frame's goes on from; in a file, that of the header.

    Raises:
        ConfigError: If the level or the length of the payload is out of range.

    Example:
        >>> pack_frame(2, b"abc", seq=7, seed=0).hex()
        'c40061626377382f'
    """
    body = pack_head(level_id, len(payload)) + payload
    check = (zlib.crc32(body, seed) + SEQ_FACTOR * seq) & CHECK_MASK
    return body + check.to_bytes(CHECK_LEN, "little")


def frame_seq(data: bytes, pos: int, head: FrameHead, seed: int) -> int:
    """Return the sequence number modulo 2^24 for which a frame verifies.

    Args:
        data: bytes that hold the whole frame.
        pos: where it starts.
        head: its head.
        seed: CRC-32 that the frame's goes on from.
    """
    end = pos + head.head_len + head.payload_len
    check = int.from_bytes(data[end : end + CHECK_LEN], "little")
    crc = zlib.crc32(memoryview(data)[pos:end], seed)
    return (check - crc) * _SEQ_INVERSE & CHECK_MASK


def unpack_frame(data: bytes, *, seq: int, seed: int) -> tuple[int, bytes]:
    """Return the level id and the payload of the frame that `data` is.

    Args:
        data: exactly one frame.
        seq: sequence number that is due.
        seed: CRC-32 that the frame's goes on from.

    Raises:
        TruncatedError: If the bytes end before the frame does.
        CorruptError: If it is no frame, not the frame `seq`, or damaged.
    """
    head = unpack_head(data)
    if len(data) < MIN_FRAME_LEN or (head and len(data) < head.frame_len):
        raise TruncatedError(
            f"a frame must be whole, got {len(data)} bytes of it; fetch the rest"
        )
    if head is None or len(data) > head.frame_len:
        raise CorruptError(
            f"the bytes must be one frame, got {len(data)} bytes that begin with "
            f"{data[:5].hex()}; the frame is damaged"
        )
    if frame_seq(data, 0, head, seed) != seq & CHECK_MASK:
        raise CorruptError(
            f"the check of a frame must match its bytes and its place {seq}, and does "
            "not; the frame is damaged or belongs elsewhere"
        )
    return head.level_id, data[head.head_len : -CHECK_LEN]
