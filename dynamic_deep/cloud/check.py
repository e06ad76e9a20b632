# SPDX-License-Identifier: Apache-2.0
"""Look through a store: is every object a whole session, where its name says.

Whatever it finds it notes, and goes on. Objects are read in pieces, so that a huge one
needs no more memory than a small one.
"""

from __future__ import annotations

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
    last_device, spans = "", list[_Span]()
    for stored in store.list():
        report, span, device = _check_object(store, stored)
        if device != last_device:
            last_device, spans = device, []
        if span is not None:
            spans.append(span)
            jump = _jump(spans)
            if jump:
                report = ObjectReport(
                    **(vars(report) | {"notes": (*report.notes, jump)})
                )
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


def _jump(spans: list[_Span]) -> str:
    """Return how far the clock went back before the latest session, if it did."""
    latest = spans[-1]
    for other in spans[:-1]:
        is_later = other.session > latest.session
        if is_later and other.start <= latest.start:
            behind = (latest.end - other.start).total_seconds()
            return f"began after a later session, {behind:.0f} s: the clock went back"
        if not is_later and latest.start + _TOLERANCE < other.end:
            behind = (other.end - latest.start).total_seconds()
            return f"begins {behind:.0f} s before an earlier session ends: clock jumped"
    return ""
