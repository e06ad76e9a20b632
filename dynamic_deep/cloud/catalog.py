# SPDX-License-Identifier: Apache-2.0
"""Find sessions in a store by device and time, and read one window of one.

Only the folders of the hours in question are listed. What lies there and is no session
is passed over here; `check.py` reports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dynamic_deep.bitstream import Frame
from dynamic_deep.cloud.objects import ROOT, ObjectName
from dynamic_deep.cloud.store import Store, StoredObject
from dynamic_deep.container_reader import ContainerReader
from dynamic_deep.errors import ConfigError, FormatError
from dynamic_deep.uplink.message import check_device_id, is_device_id

# A device begins a new session at least once an hour of signal; the last window of one
# may be longer than others by the tail that joins it.
MAX_SESSION = timedelta(hours=1, minutes=1)

_HOUR = timedelta(hours=1)
_YEAR = re.compile(r"20[2-9][0-9]|2[1-9][0-9]{2}")  # those an object can lie under


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogEntry:
    """One session in a store.

    Attributes:
        name: name of the object.
        device: id of the device.
        start_time: when it began, in UTC; None: the device did not know.
        session: 8 bytes, boot counter and session counter.
        size: bytes.
        generation: of the object when it was listed.
    """

    name: str
    device: str
    start_time: datetime | None
    session: bytes
    size: int
    generation: int

    @property
    def stored(self) -> StoredObject:
        """What the store said of the object."""
        return StoredObject(name=self.name, size=self.size, generation=self.generation)


def find_objects(
    store: Store,
    devices: Iterable[str] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Iterator[CatalogEntry]:
    """Yield the sessions that may hold signal of a time range, by device and time.

    Args:
        store: where to look.
        devices: ids; all if None. One that has no session yields nothing.
        start: begin of the range, with a zone; None: from the first on.
        end: end of the range, itself not in it, with a zone; None: to the last.

    Yields:
        Sessions that began from `MAX_SESSION` before `start` to before `end`. Those of
        unknown time come last of their device, and only if neither `start` nor `end`
        is given.

    Raises:
        ConfigError: If a device id can't be one, or a time has no zone.
        StoreMissingError: If the store is not there.
    """
    for time in (start, end):
        if time is not None and time.utcoffset() is None:
            raise ConfigError(
                f"a time range must state its zone, got {time.isoformat()}; add Z or "
                "+00:00"
            )
    wanted = None if devices is None else sorted({check_device_id(d) for d in devices})
    for device in store.folders(ROOT) if wanted is None else wanted:
        if is_device_id(device):
            yield from _of_device(store, device, start, end)


def read_window(
    store: Store, entry: CatalogEntry, window_idx: int, lead: int = 0
) -> Frame:
    """Return one frame of a session; only the header, the index and its place are read.

    Raises:
        StoreConflictError: If the object was replaced since it was listed.
        FormatError: If it is damaged there, or no `.ddc` file.
    """
    with store.open(entry.name, stored=entry.stored) as stream:
        return ContainerReader(stream).read_frame(window_idx, lead)


def _of_device(
    store: Store, device: str, start: datetime | None, end: datetime | None
) -> Iterator[CatalogEntry]:
    base = f"{ROOT}{device}/"
    if start is None and end is None:
        yield from _sorted_entries(store, base, None, None)
        return
    years = sorted(map(int, filter(_YEAR.fullmatch, store.folders(base))))
    if not years:
        return
    first = max(_new_year(years[0]), _earliest(start))
    last = _new_year(years[-1] + 1) - _HOUR
    last = last if end is None else min(last, end.astimezone(UTC))
    for prefix in covering_prefixes(first, last):
        yield from _sorted_entries(store, base + prefix, first, end)


def _earliest(start: datetime | None) -> datetime:
    """Return when a session can have begun that still runs at `start`."""
    least = datetime.min.replace(tzinfo=UTC)
    if start is None or start < least + MAX_SESSION:
        return least
    return start.astimezone(UTC) - MAX_SESSION


def covering_prefixes(first: datetime, last: datetime) -> Iterator[str]:
    """Yield the fewest folders of whole years, months, days or hours.

    Args:
        first: a time of the first hour, in UTC.
        last: a time of the last hour, in UTC.

    Example:
        >>> utc = {"tzinfo": UTC}
        >>> list(covering_prefixes(datetime(2026, 1, 30, 23, **utc),
        ...                        datetime(2026, 3, 1, 0, **utc)))
        ['2026/01/30/23/', '2026/01/31/', '2026/02/', '2026/03/01/00/']
    """
    at = first.replace(minute=0, second=0, microsecond=0)
    while at <= last:
        for pattern, begins, after in _spans(at):
            if begins and after - timedelta(microseconds=1) <= _hour_end(last):
                yield at.strftime(pattern)
                at = after
                break


def _hour_end(time: datetime) -> datetime:
    return time.replace(minute=59, second=59, microsecond=999999)


def _spans(at: datetime) -> Iterator[tuple[str, bool, datetime]]:
    """Yield the folders that can begin at an hour, the largest first."""
    day = at.replace(hour=0)
    month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    yield "%Y/", at == day.replace(month=1, day=1), _new_year(day.year + 1)
    yield "%Y/%m/", at == day.replace(day=1), month
    yield "%Y/%m/%d/", at == day, day + timedelta(days=1)
    yield "%Y/%m/%d/%H/", True, at + _HOUR


def _new_year(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def _sorted_entries(
    store: Store, prefix: str, first: datetime | None, end: datetime | None
) -> Iterator[CatalogEntry]:
    for stored in store.list(prefix):
        try:
            name = ObjectName.parse(stored.name)
        except FormatError:
            continue
        start = name.start_time
        if first is not None and (start is None or start < first):
            continue
        if end is not None and (start is None or start >= end):
            continue
        yield CatalogEntry(
            name=stored.name,
            device=name.device,
            start_time=start,
            session=name.session,
            size=stored.size,
            generation=stored.generation,
        )
