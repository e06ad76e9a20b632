# SPDX-License-Identifier: Apache-2.0
"""The bytes of a session's object, and whether one object says what another does."""

from __future__ import annotations

import enum

from dynamic_deep.container_reader import ContainerReader
from dynamic_deep.errors import FormatError
from dynamic_deep.uplink.assembly import Part, assemble
from dynamic_deep.uplink.body import split_items, unpack_open
from dynamic_deep.uplink.message import Kind


class Holding(enum.Enum):
    """What an object holds, against what should lie there."""

    LESS = "a part of it"
    ENOUGH = "all of it"
    OTHER = "something else"


def session_bytes(parts: list[Part], *, is_over: bool) -> bytes:
    """Return the bytes of a `.ddc` file: the same parts give the same bytes.

    A session that goes on has no end mark, and what comes later is appended to it. One
    that has a hole, because a message was at fault, is written anew with a gap mark.

    Args:
        parts: from the first on, in order.
        is_over: whether no more will come.

    Raises:
        FormatError: If they do not make a file.
    """
    is_gapless = [part.number for part in parts] == list(range(len(parts)))
    if is_over or not is_gapless or not parts or parts[-1].kind == Kind.CLOSE:
        return assemble(parts)
    opening, _ = unpack_open(parts[0].body)
    items = (split_items(part.body)[1] for part in parts[1:])
    return b"".join([opening.header, *items])


def compare(there: bytes, wanted: bytes) -> Holding:
    """Tell what an object that lies there holds of the one that should."""
    if there == wanted:
        return Holding.ENOUGH
    if wanted.startswith(there):
        return Holding.LESS
    try:
        old, new = _content(there), _content(wanted)
    except FormatError:
        return Holding.OTHER
    if old[0] != new[0]:
        return Holding.OTHER
    if new[1] <= old[1] and (old[2] or not new[2]):
        return Holding.ENOUGH
    return Holding.LESS if old[1] <= new[1] else Holding.OTHER


def _content(data: bytes) -> tuple[object, set[tuple[int, int, int, bytes]], bool]:
    """Return header, frames and whether there is an end mark."""
    reader = ContainerReader(data)
    frames = {
        (frame.window_idx, frame.lead, frame.level_id, frame.payload)
        for frame in reader.frames()
    }
    return reader.header, frames, reader.is_complete
