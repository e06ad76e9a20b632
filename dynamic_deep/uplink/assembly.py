# SPDX-License-Identifier: Apache-2.0
"""Put the bodies of a session together to a `.ddc` file.

A whole session gives the encoder's file byte for byte. One that broke off gives what
came, as a file whose end mark says no more than that.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import NamedTuple

from dynamic_deep.container import ContainerWriter
from dynamic_deep.container_marks import EndMark
from dynamic_deep.errors import CorruptError
from dynamic_deep.header_envelope import OpenedHeader
from dynamic_deep.uplink.body import split_items, unpack_items, unpack_open
from dynamic_deep.uplink.message import Kind


class Part(NamedTuple):
    """One message of a session, opened and checked.

    Attributes:
        number: its place.
        kind: what it holds.
        body: its body.
    """

    number: int
    kind: Kind
    body: bytes


def is_whole(parts: list[Part]) -> bool:
    """Tell whether ordered parts are a session from its beginning to its end."""
    numbers = [part.number for part in parts]
    return (
        numbers == list(range(len(parts)))
        and bool(parts)
        and parts[0].kind == Kind.OPEN
        and parts[-1].kind == Kind.CLOSE
    )


def assemble(parts: Iterable[Part]) -> bytes:
    """Return the bytes of the `.ddc` file that the parts of one session make.

    If parts are missing, the frames that came are written anew with gap marks for the
    others. If the last part is missing, the file ends with the last window that came;
    since only the last part holds a window of odd length, its samples are known.

    Args:
        parts: parts of a session in any order, each once.

    Raises:
        FormatError: If the header is missing, or a part does not verify.
    """
    ordered = sorted(parts)
    if not ordered or ordered[0].kind != Kind.OPEN:
        raise CorruptError(
            "a session must begin with its header, and the message that holds it is "
            "missing; nothing of the session can be decoded without it"
        )
    opening, opened = unpack_open(ordered[0].body)
    if not is_whole(ordered):
        return _rewritten(opened, ordered[1:])
    items = (split_items(part.body)[1] for part in ordered[1:])
    return b"".join([opening.header, *items])


def _rewritten(opened: OpenedHeader, parts: list[Part]) -> bytes:
    stream = io.BytesIO()
    writer = ContainerWriter(stream, opened.header)
    end: EndMark | None = None
    due = 0
    for part in parts:
        items = unpack_items(part.body, opened, is_close=part.kind == Kind.CLOSE)
        if items.seq < due or end is not None:
            raise CorruptError(
                f"the parts of a session must follow each other, and number "
                f"{part.number} begins with frame {items.seq} where {due} is due"
            )
        for frame in items.frames:
            writer.write_frame(frame)
        due, end = items.next_seq, items.end
    info = opened.header.info
    if end is not None:
        writer.close(end.n_samples, end.n_windows)
    else:
        n_windows = -(-due // info.n_leads)
        n_samples = opened.header.geometry.window_start(n_windows, info.fs)
        writer.close(n_samples, n_windows)
    return stream.getvalue()
