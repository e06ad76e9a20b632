# SPDX-License-Identifier: Apache-2.0
"""A store with hostile, half-written and misplaced objects: all named, none fatal."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dynamic_deep.cli import main
from dynamic_deep.cloud.check import ObjectReport, check_store
from dynamic_deep.cloud.objects import ObjectName
from dynamic_deep.cloud.store import Store, open_store
from dynamic_deep.container import ContainerWriter
from dynamic_deep.container_marks import IndexEntry, pack_end
from dynamic_deep.header_envelope import pack_header
from tests.cloud.ward import START, dated
from tests.helpers import make_frames, make_header, n_samples_of


def file(
    start: datetime | None = START,
    *,
    n_windows: int = 20,
    max_len: int = 60,
    is_closed: bool = True,
) -> bytes:
    stream, header = io.BytesIO(), dated(make_header(), start)
    writer = ContainerWriter(stream, header)
    for frame in make_frames(n_windows, max_len=max_len):
        writer.write_frame(frame)
    if is_closed:
        writer.close(n_samples_of(n_windows, header), n_windows)
    return stream.getvalue()


def name_of(number: int, start: datetime | None = START, device: str = "bed-7") -> str:
    session = number.to_bytes(8, "big")
    return str(ObjectName(device=device, session=session, start_time=start))


def reports(store: Store) -> dict[str, ObjectReport]:
    return {report.name: report for report in check_store(store)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "store")
    store.put(name_of(1), file())
    return store


def test_a_sound_store_has_nothing_to_tell(store: Store) -> None:
    (report,) = check_store(store)
    assert (report.n_frames, report.faults, report.notes) == (20, (), ())


def test_everything_wrong_is_named_and_the_rest_goes_on(
    store: Store, tmp_path: Path
) -> None:
    good = file()
    hour = timedelta(hours=1)
    damaged = bytearray(file(START + hour))
    damaged[len(damaged) // 2] ^= 0xFF
    cases = {
        name_of(2, START + hour): (bytes(damaged), "do not verify"),
        name_of(3, START + 2 * hour): (b"", "must begin"),
        name_of(4, START + 3 * hour): (b"#!/bin/sh\n", "another kind of file"),
        name_of(5, START + 4 * hour): (good[:20], "header"),
        name_of(6, START + 5 * hour): (good, "start of the name"),
        "devices/bed-7/2026/11/27/09/notes.txt": (b"x", "must be named"),
        "loose.ddc": (good, "must be named"),
        name_of(7, START + 6 * hour): (good[:4] + b"\x09" + good[5:], "newer"),
    }
    for name, (data, _) in cases.items():
        store.put(name, data)
    odd = tmp_path / "store/devices/bed 7"
    odd.mkdir()
    (odd / "x y.ddc").write_bytes(good)
    found = reports(store)
    for name, (_, expected) in cases.items():
        assert any(expected in fault for fault in found[name].faults), name
    assert "must be named" in found["devices/bed 7/x y.ddc"].faults[0]
    assert found[name_of(1)].faults == ()
    assert found[name_of(2, START + hour)].n_frames == 19


def test_an_open_session_is_a_note_and_no_fault(store: Store) -> None:
    store.put(name_of(2), file(is_closed=False))
    report = reports(store)[name_of(2)]
    assert report.faults == ()
    assert "no end mark" in report.notes[0]


def test_a_half_written_object_costs_its_last_frame(store: Store) -> None:
    whole = file(is_closed=False)
    store.put(name_of(2), whole[:-3])
    report = reports(store)[name_of(2)]
    assert report.n_frames == 19
    assert report.faults


def test_an_index_that_lies_is_found(store: Store) -> None:
    body = file(n_windows=400, max_len=400, is_closed=False)
    header = dated(make_header(), START)
    data, seed = pack_header(header)
    lie = IndexEntry(len(body) - 3, 390)
    n_samples = n_samples_of(400, header)
    end = pack_end(n_samples, 400, [lie], header_end=len(data), seed=seed)
    store.put(name_of(2), body + end)
    report = reports(store)[name_of(2)]
    assert report.n_frames == 400
    assert any("index" in fault for fault in report.faults)


def test_a_clock_that_goes_back_is_told(store: Store) -> None:
    store.put(name_of(2, START - timedelta(hours=3)), file(START - timedelta(hours=3)))
    soon = START + timedelta(minutes=3)
    store.put(name_of(3, soon), file(soon))
    store.put(name_of(1, START, "bed-8"), file())
    found = reports(store)
    assert "clock went back" in found[name_of(1)].notes[0]
    assert "clock went back" in found[name_of(3, soon)].notes[0]
    assert found[name_of(1, START, "bed-8")].notes == ()
    assert not any(report.faults for report in found.values())


def test_unknown_time_is_told(store: Store) -> None:
    store.put(name_of(2, None), file(None))
    assert "did not know the time" in reports(store)[name_of(2, None)].notes[0]


def test_the_command_tells_and_fails(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(tmp_path / "store")
    assert main(["cloud", "check", url, "--quiet"]) == 0
    assert "1 object, 20 frames" in capsys.readouterr().out
    store.put("loose\x41.ddc", b"x")
    assert main(["cloud", "check", url, "--quiet"]) == 1
    out = capsys.readouterr()
    assert "FAULT 'looseA.ddc'" in out.out
    assert "1 object at fault" in out.err
    assert main(["cloud", "check", url, "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert (facts["n_objects"], facts["n_faulty"]) == (2, 1)
    assert main(["cloud", "check", str(tmp_path / "nothing")]) == 1
    assert "store must be a folder" in capsys.readouterr().err


def test_the_command_lists_by_device_and_time(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = START + timedelta(hours=5)
    store.put(name_of(2, later), file(later))
    store.put(name_of(1, START, "bed-8"), file())
    url = str(tmp_path / "store")
    assert main(["cloud", "list", url]) == 0
    assert "3 sessions of 2 devices" in capsys.readouterr().out
    since = ["--from", "2026-11-27T12:00Z", "--to", "2026-11-27T20:00"]
    assert main(["cloud", "list", url, *since, "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)["sessions"]
    assert facts["session"] == "0000000000000002"
    assert main(["cloud", "list", url, "--devices", "bed-8,bed-9"]) == 0
    assert "1 session of 1 device" in capsys.readouterr().out
    assert main(["cloud", "list", url, "--devices", "../x"]) == 1
    assert "device id" in capsys.readouterr().err
