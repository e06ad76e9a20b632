# SPDX-License-Identifier: Apache-2.0
"""One session to rows and to a WFDB record: whole, damaged, hostile, changed."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep import Codec, read_recording
from dynamic_deep.cloud.decode_report import DONE, FAILED, KEPT
from dynamic_deep.cloud.decode_session import SessionDecoder
from dynamic_deep.cloud.decode_settings import DecodeSettings
from dynamic_deep.cloud.store import open_store
from dynamic_deep.cloud.wfdb_out import record_stem
from dynamic_deep.config import MODEL_FS
from dynamic_deep.container import ContainerReader, ContainerWriter, Frame
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import Recording
from dynamic_deep.segments import to_model_rate, window_bounds
from dynamic_deep.tasks import CLASSES, load_task
from tests.cloud.sessions import (
    aware_codec,
    aware_settings,
    decode_all,
    ecg_session,
    everything,
    only_entry,
    put_session,
    rows_of,
    with_frames,
)

NO_TASKS = aware_settings(tasks=())


@pytest.fixture(scope="module")
def two_leads() -> Recording:
    """Two windows and a part of one, of two leads at 360 Hz."""
    return ecg_session(70.0, fs=360.0, n_leads=2)


@pytest.fixture(scope="module")
def coded(two_leads: Recording) -> bytes:
    return aware_codec().encode(two_leads, level="gain_32")


def test_rows_are_what_decoding_and_the_tasks_say(
    tmp_path: Path, coded: bytes, two_leads: Recording
) -> None:
    name = put_session(tmp_path / "in", coded)
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", aware_settings())
    assert (report.status, report.n_rows, report.problems) == (DONE, 6, ())
    rows = rows_of(tmp_path / "out", name)
    codec = aware_codec()
    decoded = codec.decode(coded)
    bounds = window_bounds(decoded.n_samples, 360.0)
    assert [(row["window_idx"], row["lead_idx"]) for row in rows] == [
        (i, lead) for i in range(3) for lead in (0, 1)
    ]
    rhythm, rpeaks = (load_task(codec.bundle, name) for name in ("rhythm", "rpeaks"))
    last = {0: -np.inf, 1: -np.inf}
    for row in rows:
        start, stop = bounds[row["window_idx"]]
        lead = row["lead_idx"]
        samples = decoded.samples[start:stop, lead].astype(np.float64)
        x = to_model_rate(samples - decoded.adc_baseline[lead], 360.0)
        shares = rhythm.answer(x).mean(axis=0, dtype=np.float64)
        names = ("rhythm_a", "rhythm_n", "rhythm_o", "rhythm_noise")
        assert [row[name] for name in names] == pytest.approx(shares.tolist())
        assert row["rhythm"] == CLASSES[int(shares.argmax())]
        at = np.asarray(rpeaks.answer(x)) + row["window_idx"] * 8960
        at = at[1:] if len(at) and at[0] - last[lead] < 60 else at
        last[lead] = at[-1] if len(at) else last[lead]
        ms = (at - row["window_idx"] * 8960) / MODEL_FS * 1000
        assert row["rpeaks_ms"] == np.rint(ms).astype(int).tolist()
        assert row["lead"] == two_leads.lead_names[lead]
        assert (row["start_sample"], row["n_samples"]) == (start, stop - start)
        assert row["level"] == "gain_32"
        assert row["damage"] is None
        assert row["model_id"] == row["task_model_id"] == codec.model_id.hex()
    assert max(len(row["rpeaks_ms"]) for row in rows) > 20
    overhead = len(coded) - sum(row["n_bytes"] for row in rows)
    summary = ContainerReader(coded).summarize()
    assert overhead == summary.header_bytes + summary.end_bytes
    assert report.signal_ms == 2 * 70_000


def test_without_tasks_rows_have_no_answers(tmp_path: Path, coded: bytes) -> None:
    name = put_session(tmp_path / "in", coded)
    decode_all(tmp_path / "in", tmp_path / "out", NO_TASKS)
    for row in rows_of(tmp_path / "out", name):
        assert row["rhythm"] is row["rpeaks_ms"] is row["task_model_id"] is None
        assert row["quality"] == 1.0


def test_tasks_come_from_the_default_bundle_where_a_session_brings_none(
    tmp_path: Path, codec: Codec
) -> None:
    recording = ecg_session(30.0)
    name = put_session(tmp_path / "in", codec.encode(recording, level="gain_32"))
    settings = DecodeSettings(tasks=("rpeaks",), bundles=(str(codec.bundle.folder),))
    decode_all(tmp_path / "in", tmp_path / "out", settings)
    (row,) = rows_of(tmp_path / "out", name)
    assert row["task_model_id"] == Codec.load("monitor").model_id.hex()
    assert row["rhythm"] is None
    assert 25 <= len(row["rpeaks_ms"]) <= 60


def test_a_damaged_frame_costs_one_row(tmp_path: Path, coded: bytes) -> None:
    at = coded.index(list(ContainerReader(coded).frames())[3].payload) + 5
    broken = coded[:at] + bytes([coded[at] ^ 64]) + coded[at + 1 :]
    name = put_session(tmp_path / "in", broken)
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", aware_settings())
    assert (report.status, report.n_rows, report.n_damaged) == (DONE, 6, 1)
    assert "do not verify" in report.problems[0]
    rows = rows_of(tmp_path / "out", name)
    damaged = [row for row in rows if row["damage"]]
    assert [(row["window_idx"], row["lead_idx"]) for row in damaged] == [(1, 1)]
    assert damaged[0]["rhythm"] is None
    assert damaged[0]["quality"] == 0.0
    whole = put_session(tmp_path / "whole", coded)
    decode_all(tmp_path / "whole", tmp_path / "out2", aware_settings())
    same = [row for row in rows_of(tmp_path / "out2", whole) if row not in rows]
    assert [(row["window_idx"], row["lead_idx"]) for row in same] == [(1, 1)]


def test_a_payload_that_cant_be_costs_one_row(tmp_path: Path, coded: bytes) -> None:
    def escape(frame: Frame) -> Frame:
        if (frame.window_idx, frame.lead) != (1, 0):
            return frame
        return dataclasses.replace(frame, level_id=0, payload=b"\xff" * 40)

    name = put_session(tmp_path / "in", with_frames(coded, escape))
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", NO_TASKS)
    assert (report.n_windows, report.n_damaged) == (5, 1)
    rows = rows_of(tmp_path / "out", name)
    assert rows[2]["damage"]
    assert (rows[2]["level"], rows[2]["n_bytes"]) == ("lossless", 45)


def test_a_gap_of_the_sender_is_no_damage(tmp_path: Path, coded: bytes) -> None:
    data = with_frames(coded, lambda f: f if f.window_idx != 1 else None)
    name = put_session(tmp_path / "in", data)
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", NO_TASKS)
    assert (report.n_damaged, report.n_skipped, report.is_whole) == (0, 2, True)
    kept = [row["window_idx"] for row in rows_of(tmp_path / "out", name)]
    assert kept == [0, 0, 2, 2]


def test_a_half_written_object_gives_its_whole_frames(
    tmp_path: Path, coded: bytes
) -> None:
    third = list(ContainerReader(coded).frames())[2]
    cut = coded[: coded.index(third.payload) + 10]
    name = put_session(tmp_path / "in", cut)
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", aware_settings())
    assert (report.status, report.n_windows, report.is_whole) == (DONE, 2, False)
    rows = rows_of(tmp_path / "out", name)
    assert [row["damage"] is None for row in rows] == [True, True, False]


@pytest.mark.parametrize("data", [b"", b"no file of ours", bytes(5000)])
def test_a_hostile_object_fails_alone(
    tmp_path: Path, coded: bytes, data: bytes
) -> None:
    put_session(tmp_path / "in", data, device="bed-1")
    put_session(tmp_path / "in", coded, device="bed-2")
    first, second = decode_all(tmp_path / "in", tmp_path / "out", NO_TASKS)
    assert (first.status, second.status) == (FAILED, DONE)
    assert first.problems
    assert not [name for name in everything(tmp_path / "out") if "bed-1" in name]


def test_a_lying_end_mark_costs_no_memory(tmp_path: Path) -> None:
    recording = ecg_session(40.0)
    coded = aware_codec().encode(recording, level="gain_32")
    far = 3_000_000_000  # windows later: 2,800 years

    reader = ContainerReader(coded)
    stream = io.BytesIO()
    writer = ContainerWriter(stream, reader.header)
    writer.write_frame(next(reader.frames()))
    writer.close(far * 8960, far)
    put_session(tmp_path / "in", stream.getvalue())
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", NO_TASKS)
    assert (report.n_rows, report.n_skipped) == (1, far - 1)
    settings = dataclasses.replace(NO_TASKS, wfdb=True)
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", settings)
    assert report.status == FAILED
    assert "bytes of samples" in report.problems[0]


def test_a_missing_bundle_is_told(tmp_path: Path, coded: bytes) -> None:
    put_session(tmp_path / "in", coded)
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", DecodeSettings())
    assert report.status == FAILED
    assert aware_codec().model_id.hex() in report.problems[0]


def test_an_unknown_task_stops_before_any_session(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(ConfigError, match="'stress'"):
        SessionDecoder(store, store, aware_settings(tasks=("stress",)))
    with pytest.raises(ConfigError, match="named once"):
        aware_settings(tasks=("rhythm", "rhythm"))


OWN = """
import numpy as np

class Range:
    name = "range"
    references = ("raw",)
    def answer(self, x):
        if {fails}:
            raise KeyError("lead")
        return np.array([x.min(), x.max()])
    def error(self, reference, answer):
        return 0.0
    def label_error(self, label, answer):
        return 0.0
"""


def test_an_own_task_has_its_column(tmp_path: Path, coded: bytes) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN.format(fails=False))
    name = put_session(tmp_path / "in", coded)
    settings = aware_settings(tasks=("rpeaks", f"{file}:Range"))
    decode_all(tmp_path / "in", tmp_path / "out", settings)
    for row in rows_of(tmp_path / "out", name):
        low, high = row["own_range"]
        assert low < 0 < high
        assert row["rpeaks_ms"] is not None
    before = settings.digest()
    file.write_text(OWN.format(fails=True))
    assert settings.digest() != before


def test_an_own_task_that_raises_fails_the_session(
    tmp_path: Path, coded: bytes
) -> None:
    file = tmp_path / "failing.py"
    file.write_text(OWN.format(fails=True))
    put_session(tmp_path / "in", coded)
    settings = aware_settings(tasks=(f"{file}:Range",))
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", settings)
    assert report.problems == ("KeyError: 'lead'",)


def test_what_is_done_is_kept_until_something_changes(
    tmp_path: Path, coded: bytes
) -> None:
    store, out = tmp_path / "in", tmp_path / "out"
    put_session(store, coded)
    (first,) = decode_all(store, out, NO_TASKS)
    (again,) = decode_all(store, out, NO_TASKS)
    assert again == dataclasses.replace(first, status=KEPT)
    (other,) = decode_all(store, out, aware_settings(tasks=("rpeaks",)))
    assert other.status == DONE  # other settings
    (back,) = decode_all(store, out, NO_TASKS)
    assert back.status == DONE  # its rows had been replaced
    put_session(store, coded)  # the same bytes, but written anew
    (changed,) = decode_all(store, out, NO_TASKS)
    assert changed.status == DONE


@pytest.mark.parametrize(
    "mark", [b"", b"[]", b"\xff", b'{"generation": 1}', b'{"report": {"name": 3}}']
)
def test_a_mark_that_is_none_counts_for_nothing(
    tmp_path: Path, coded: bytes, mark: bytes
) -> None:
    name = put_session(tmp_path / "in", coded)
    mark_name = "done/" + name.removesuffix(".ddc") + ".json"
    open_store(tmp_path / "out").put(mark_name, mark)
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", NO_TASKS)
    assert report.status == DONE
    assert json.loads(open_store(tmp_path / "out").get(mark_name))["size"] == len(coded)


def test_an_object_that_changes_under_way_fails_and_is_done_next(
    tmp_path: Path, coded: bytes
) -> None:
    store, out = tmp_path / "in", tmp_path / "out"
    put_session(store, coded)
    entry = only_entry(store)
    put_session(store, coded)
    decoder = SessionDecoder(open_store(store), open_store(out), NO_TASKS)
    assert decoder.run(entry).status == FAILED
    assert decoder.run(only_entry(store)).status == DONE


def test_the_wfdb_record_is_what_decode_gives(
    tmp_path: Path, coded: bytes, two_leads: Recording
) -> None:
    data = with_frames(coded, lambda f: f if (f.window_idx, f.lead) != (1, 1) else None)
    name = put_session(tmp_path / "in", data)
    settings = dataclasses.replace(NO_TASKS, wfdb=True)
    (report,) = decode_all(tmp_path / "in", tmp_path / "out", settings)
    assert report.is_whole
    stem = record_stem("wfdb/" + name.removesuffix(".ddc"))
    record = read_recording(tmp_path / "out" / f"{stem}.hea")
    expected = aware_codec().decode(coded)
    start, stop = window_bounds(expected.n_samples, 360.0)[1]
    samples = expected.samples.copy()
    samples[start:stop, 1] = expected.adc_baseline[1]
    np.testing.assert_array_equal(record.samples, samples)
    assert record.lead_names == two_leads.lead_names
    assert record.start_time == two_leads.start_time
