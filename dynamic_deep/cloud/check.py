# SPDX-License-Identifier: Apache-2.0
"""Look through a store: is every object a whole session, where its name says.

Whatever it finds it notes, and goes on. Objects are read in pieces, so that a huge one
needs no more memory than a small one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dynamic_deep.bitstream import Frame
from dynamic_deep.cloud.objects import EARLIEST, ObjectName
from dynamic_deep.cloud.store import Store, StoredObject, StoreError
from dynamic_deep.container_reader import ContainerReader
from dynamic_deep.errors import FormatError

_TOLERANCE = timedelta(seconds=60)  # between the sessions of one device
_MAX_FAULTS = 5  # told of one object


@dataclass(frozen=True, kw_only=True)
class ObjectReport:
    """What one object is worth.

    Attributes:
        name: its name.
        n_bytes: its size.
        n_frames: frames that verify.
        faults: what is wrong, for a person.
        notes: what is worth knowing and no fault.
    """

    name: str
    n_bytes: int
    n_frames: int = 0
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    """When a session was, by the clock of its device."""

    session: bytes
    start: datetime
    end: datetime


class _Clock:
    """Follows the clock of one device through its sessions, by their start."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._latest: _Span | None = None  # of those seen, by number
        self._end: datetime | None = None

    def jump(self, span: _Span) -> str:
        """Return how far the clock went back at or before a session, if it did."""
        latest, end = self._latest, self._end
        if latest is None or span.session > latest.session:
            self._latest = span
        self._end = span.end if end is None else max(end, span.end)
        if latest is None or end is None:
            return ""
        if span.session < latest.session:
            return "began after a session that came later: the clock went back"
        if span.start + _TOLERANCE < end:
            n_s = (end - span.start).total_seconds()
            return f"begins {n_s:.0f} s before an earlier one ends: the clock went back"
        return ""


def check_store(store: Store) -> Iterator[ObjectReport]:
    """Yield a report of every object, and of devices whose clock went back.

    Args:
        store: what to look through.

    Yields:
        One report an object, ordered by name; the note about a clock is with the
        session that begins before the one before it ends.

    Raises:
        StoreMissingError: If the store is not there.
        StoreError: If it can't be listed.
    """
    clock = _Clock("")
    for stored in store.list():
        report, span, device = _check_object(store, stored)
        if device != clock.device:
            clock = _Clock(device)
        jump = clock.jump(span) if span is not None else ""
        if jump:
            report = dataclasses.replace(report, notes=(*report.notes, jump))
        yield report


def _check_object(
    store: Store, stored: StoredObject
) -> tuple[ObjectReport, _Span | None, str]:
    try:
        name = ObjectName.parse(stored.name)
    except FormatError as exc:
        report = ObjectReport(name=stored.name, n_bytes=stored.size, faults=(str(exc),))
        return report, None, ""
    faults, notes, n_frames, span = list[str](), list[str](), 0, None
    try:
        with store.open(stored.name, stored=stored) as stream:
            reader = ContainerReader(stream)
            n_frames = _check_frames(reader, faults, notes)
            faults += _faults_of_start(name, reader)
            if name.start_time is not None:
                info = reader.header.info
                length = timedelta(seconds=reader.n_samples / info.fs)
                span = _Span(name.session, name.start_time, name.start_time + length)
    except (FormatError, StoreError, OSError) as exc:
        faults.append(str(exc))
    if name.start_time is None:
        notes.append("the device did not know the time")
    report = ObjectReport(
        name=stored.name,
        n_bytes=stored.size,
        n_frames=n_frames,
        faults=tuple(faults),
        notes=tuple(notes),
    )
    return report, span, name.device


def _check_frames(reader: ContainerReader, faults: list[str], notes: list[str]) -> int:
    """Read every frame, and the last one again through the index."""
    n_frames, last = 0, None
    is_indexed = reader.is_complete
    for frame in reader.frames():
        n_frames, last = n_frames + 1, frame
    damage = reader.damage
    if not is_indexed and damage and not damage[-1].n_frames:
        notes.append("no end mark: the session goes on, or its end is lost")
        damage = damage[:-1]
    for place in damage[:_MAX_FAULTS]:
        where = "" if place.window_idx is None else f" from window {place.window_idx}"
        faults.append(
            f"byte {place.offset}: {place.reason}, {place.n_frames} frames missing"
            f"{where}"
        )
    if len(damage) > _MAX_FAULTS:
        faults.append(f"and {len(damage) - _MAX_FAULTS} more damaged places")
    n_skipped = sum(place.n_frames for place in reader.skipped)
    if n_skipped:
        notes.append(f"{n_skipped} frames never came")
    if is_indexed and last is not None and not _is_found(reader, last):
        faults.append("the index leads to the wrong place; frames() still reads it")
    return n_frames


def _is_found(reader: ContainerReader, frame: Frame) -> bool:
    try:
        return reader.read_frame(frame.window_idx, frame.lead) == frame
    except FormatError:
        return False


def _faults_of_start(name: ObjectName, reader: ContainerReader) -> list[str]:
    """Return what header and name disagree in."""
    stated = reader.header.info.start_time
    is_known = (
        stated is not None and stated.utcoffset() is not None and stated >= EARLIEST
    )
    if name.start_time is None or (is_known and stated == name.start_time):
        return []
    return [
        f"the header must state the start of the name, got {stated}; the object was "
        "moved or is not what it says"
    ]
