# SPDX-License-Identifier: Apache-2.0
"""Sessions are found by device and time, and windows read, without looking at more."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dynamic_deep.cloud import range_file
from dynamic_deep.cloud.catalog import (
    MAX_SESSION,
    covering_prefixes,
    find_objects,
    read_window,
)
from dynamic_deep.cloud.folder_store import FolderStore
from dynamic_deep.cloud.objects import ObjectName
from dynamic_deep.cloud.store import Store, StoreConflictError, open_store
from dynamic_deep.container import ContainerWriter
from dynamic_deep.errors import ConfigError, FormatError
from tests.cloud.fake_gcs import Bucket
from tests.helpers import make_frames, make_header, n_samples_of

MIDNIGHT = datetime(2026, 11, 27, tzinfo=UTC)
HOUR = timedelta(hours=1)


def put(store: Store, device: str, start: datetime | None, number: int = 0) -> str:
    session = number.to_bytes(8, "big")
    name = str(ObjectName(device=device, session=session, start_time=start))
    store.put(name, b"x")
    return name


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = open_store(tmp_path_factory.mktemp("store"))
    for device in ("bed-1", "bed-10", "bed-2"):
        for hour in range(-3, 27):
            put(store, device, MIDNIGHT + hour * HOUR, hour + 10)
    put(store, "bed-2", None)
    return store


def test_all_are_found_in_order(store: Store) -> None:
    found = list(find_objects(store))
    assert len(found) == 91
    assert [entry.name for entry in found] == sorted(entry.name for entry in found)
    assert [entry.device for entry in found if entry.start_time is None] == ["bed-2"]


def test_a_range_finds_what_may_hold_its_signal(store: Store) -> None:
    start = MIDNIGHT + 9 * HOUR + timedelta(minutes=30)
    found = list(find_objects(store, ["bed-1"], start, start + 2 * HOUR))
    hours = [(entry.start_time or MIDNIGHT).hour for entry in found]
    assert hours == [9, 10, 11]
    late = MIDNIGHT + 9 * HOUR + timedelta(seconds=30)  # 8:00 may be a long one
    found = list(find_objects(store, ["bed-1"], late, late + timedelta(seconds=1)))
    assert [(entry.start_time or MIDNIGHT).hour for entry in found] == [8, 9]


@pytest.mark.parametrize("n_hours", [1, 3, 24, 40])
def test_a_range_finds_the_same_as_a_look_at_all(store: Store, n_hours: int) -> None:
    for first in range(-5, 30, 5):
        start = MIDNIGHT + first * HOUR + timedelta(minutes=7)
        end = start + n_hours * HOUR
        expected = [
            entry
            for entry in find_objects(store)
            if entry.start_time and start - MAX_SESSION <= entry.start_time < end
        ]
        assert list(find_objects(store, None, start, end)) == expected
        since = [e for e in find_objects(store, None, start, None)]
        assert since[: len(expected)] == expected or n_hours < 40
        until = list(find_objects(store, None, None, end))
        assert {e.name for e in expected} <= {e.name for e in until}


def test_one_day_is_one_listing(store: Store) -> None:
    asked: list[str] = []

    class Spy(FolderStore):
        def list(self, prefix: str = ""):  # type: ignore[no-untyped-def]
            asked.append(prefix)
            return super().list(prefix)

    spy = Spy(store.url)
    list(find_objects(spy, ["bed-1"], MIDNIGHT, MIDNIGHT + 24 * HOUR))
    day = "devices/bed-1/2026/11/27/"
    assert asked[0] == "devices/bed-1/2026/11/26/22/"
    assert asked[-2:] == [day, "devices/bed-1/2026/11/28/00/"]
    assert len(asked) == 4


def test_prefixes_cover_every_hour_once() -> None:
    first, last = (
        datetime(2025, 12, 30, 22, tzinfo=UTC),
        datetime(2027, 2, 2, tzinfo=UTC),
    )
    prefixes = list(covering_prefixes(first, last))
    assert "2026/" in prefixes
    at = first
    while at <= last:
        name = at.strftime("%Y/%m/%d/%H/")
        assert sum(name.startswith(prefix) for prefix in prefixes) == 1
        at += HOUR
    for outside in (first - HOUR, last + HOUR):
        name = outside.strftime("%Y/%m/%d/%H/")
        assert not any(name.startswith(prefix) for prefix in prefixes)


def test_what_is_no_session_is_passed_over(store: Store) -> None:
    store.put("devices/bed-1/2026/11/27/00/notes.txt", b"x")
    store.put("devices/bed-1/9999/01/01/00/x.ddc", b"x")
    store.put("devices/loose.ddc", b"x")
    store.put("other/x.ddc", b"x")
    assert len(list(find_objects(store))) == 91
    assert len(list(find_objects(store, None, MIDNIGHT))) == 3 * 28
    for found in list(store.list()):
        if found.size == 1 and "Z-" not in found.name and "unknown" not in found.name:
            store.delete(found.name)


def test_unknown_devices_and_times_without_zone_are_refused(store: Store) -> None:
    assert list(find_objects(store, ["nobody"])) == []
    with pytest.raises(ConfigError, match="device id"):
        list(find_objects(store, ["../bed-1"]))
    with pytest.raises(ConfigError, match="zone"):
        list(find_objects(store, None, MIDNIGHT.replace(tzinfo=None)))


@pytest.mark.parametrize("url", ["folder", "gs://ward"])
def test_a_window_is_read_without_the_rest(
    url: str, tmp_path: Path, fake_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path if url == "folder" else url)
    stream, header = io.BytesIO(), make_header(2)
    frames = make_frames(1500, 2, max_len=1800)
    writer = ContainerWriter(stream, header)
    for frame in frames:
        writer.write_frame(frame)
    writer.close(n_samples_of(1500, header), 1500)
    name = ObjectName(device="bed-1", session=bytes(8), start_time=MIDNIGHT)
    store.put(str(name), stream.getvalue())
    (entry,) = find_objects(store)
    assert entry.size > 2_500_000
    pieces: list[int] = []
    piece = range_file.RangeFile._piece

    def counting(self: range_file.RangeFile) -> tuple[int, bytes]:
        fetch = self._fetch

        def count(start: int, length: int) -> bytes:
            pieces.append(length)
            return fetch(start, length)

        self._fetch = count  # type: ignore[method-assign]
        try:
            return piece(self)
        finally:
            self._fetch = fetch  # type: ignore[method-assign]

    monkeypatch.setattr(range_file.RangeFile, "_piece", counting)
    for window_idx in (0, 700, 1499):
        pieces.clear()
        frame = read_window(store, entry, window_idx, 1)
        assert frame == frames[2 * window_idx + 1]
        assert len(pieces) <= 6
        assert sum(pieces) < 300_000, "header, index, 64 KiB around the frame"


def test_a_missing_index_costs_time_and_no_window(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    stream, header = io.BytesIO(), make_header()
    frames = make_frames(300, max_len=1800)
    writer = ContainerWriter(stream, header)
    for frame in frames:
        writer.write_frame(frame)
    name = ObjectName(device="bed-1", session=bytes(8), start_time=MIDNIGHT)
    store.put(str(name), stream.getvalue()[:-20])
    (entry,) = find_objects(store)
    assert read_window(store, entry, 200) == frames[200]
    with pytest.raises(FormatError):
        read_window(store, entry, 299)


def test_an_entry_of_a_replaced_object_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    name = put(store, "bed-1", MIDNIGHT)
    (entry,) = find_objects(store)
    store.put(name, b"y")
    with pytest.raises(StoreConflictError):
        read_window(store, entry, 0)


def test_a_file_of_ranges_behaves_as_a_file(rng) -> None:  # type: ignore[no-untyped-def]
    data = rng.bytes(500_000)
    fetched: list[tuple[int, int]] = []

    def fetch(start: int, length: int) -> bytes:
        fetched.append((start, length))
        return data[start : start + length]

    file = range_file.RangeFile(fetch, len(data))
    for _ in range(300):
        at, n = int(rng.integers(0, 510_000)), int(rng.integers(0, 40_000))
        file.seek(at)
        assert file.read(n) == data[at : at + n]
    fetched.clear()
    file.seek(0)
    assert file.read() == data
    assert len(fetched) < 8, "pieces grow while reading on"
    file.close()
    with pytest.raises(ValueError, match="open"):
        file.read(1)
