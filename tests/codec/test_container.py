# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from dynamic_deep.container import (
    ContainerReader,
    ContainerWriter,
    FileHeader,
    Frame,
    WindowGeometry,
)
from dynamic_deep.errors import ConfigError, CorruptError, TruncatedError
from dynamic_deep.recording import RecordingInfo
from tests.helpers import (
    LEVELS,
    MODEL_ID,
    OneWayStream,
    make_file,
    make_frames,
    make_header,
    make_info,
    n_samples_of,
)
from tests.make_golden import FOLDER, GOLDEN, describe

FULL_INFO = RecordingInfo(
    fs=257.0625,
    adc_gain=(200.0, 204.8, -1e-3),
    adc_baseline=(1024, -(2**31), 2**31 - 1),
    units=("mV", "µV", ""),
    lead_names=("MLII", "Ableitung Ⅱ", ""),
    adc_bits=24,
    start_time=datetime(
        2024, 2, 29, 23, 59, 59, 999_999, timezone(timedelta(hours=-3, minutes=-30))
    ),
    name="Nacht",
)


def round_trip(header: FileHeader) -> FileHeader:
    stream = io.BytesIO()
    ContainerWriter(stream, header).close(0)
    return ContainerReader(stream.getvalue()).header


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_files_are_read_for_ever(name: str) -> None:
    data = (FOLDER / f"{name}.ddc").read_bytes()
    expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert describe(data) == expected


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_files_are_what_is_written(name: str) -> None:
    assert GOLDEN[name]() == (FOLDER / f"{name}.ddc").read_bytes()


def test_golden_header_byte_by_byte() -> None:
    golden = (
        "dd646463 01"  # magic, version
        "26"  # body_len 38
        "01"  # flags: model_id follows
        "00"  # one lead, 16 bits
        "d804"  # fs 300: 600 = 0x58 | 4 << 7
        "000102030405060708090a0b0c0d0e0f"
        "d00f 00 00"  # gain 1000: 2000; baseline 0; mV
        "00"  # lead name ECG
        "07 413030303031"  # A00001
        "01 26 04 313238"  # one level: 6 | gain_ << 5, "128"
    )
    header = FileHeader(
        model_id=MODEL_ID, info=make_info(), level_names={6: "gain_128"}
    )
    stream = io.BytesIO()
    writer = ContainerWriter(stream, header)
    assert stream.getvalue()[:-4].hex() == golden.replace(" ", "")
    assert writer.n_bytes == 48


@pytest.mark.parametrize(
    "header",
    [
        FileHeader(model_id=MODEL_ID, info=FULL_INFO, level_names=LEVELS),
        FileHeader(info=make_info(3)),
        FileHeader(
            info=make_info(start_time=datetime(1, 1, 1)),
            level_names={i: f"gain_{i}" * (i % 3) for i in range(2, 32)},
        ),
        FileHeader(info=make_info(start_time=datetime(9999, 12, 31, tzinfo=UTC))),
        FileHeader(
            info=make_info(fs=128.0),
            geometry=WindowGeometry(
                model_fs=360.0, segment_len=2000, segments_per_window=1, min_tail_len=9
            ),
        ),
    ],
)
def test_headers_round_trip(header: FileHeader) -> None:
    read = round_trip(header)
    assert read == header
    assert read.info.start_time == header.info.start_time
    if header.info.start_time is not None:
        assert read.info.start_time.utcoffset() == header.info.start_time.utcoffset()


def test_255_leads_round_trip() -> None:
    n_leads = 255
    info = RecordingInfo(
        fs=1000.0,
        adc_gain=tuple(float(i + 1) for i in range(n_leads)),
        adc_baseline=tuple(range(n_leads)),
        units=("mV",) * n_leads,
        lead_names=tuple("x" * i for i in range(n_leads)),
    )
    assert round_trip(FileHeader(info=info)).info == info


@pytest.mark.parametrize(
    "fields",
    [
        {"model_id": b"short"},
        {"level_names": {0: "raw"}},
        {"level_names": {32: "gain_1"}},
    ],
)
def test_wrong_headers_are_config_errors(fields: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        FileHeader(info=make_info(), **fields)  # type: ignore[arg-type]


def test_a_text_over_the_limit_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="255 bytes"):
        round_trip(FileHeader(info=make_info(name="ä" * 128)))


@pytest.mark.parametrize("n_leads", [1, 2, 3])
def test_frames_round_trip(n_leads: int, tmp_path: Path) -> None:
    frames = make_frames(20, n_leads, max_len=2000)
    made = make_file(frames, make_header(n_leads))
    path = tmp_path / "x.ddc"
    path.write_bytes(made.data)
    with ContainerReader(path) as reader:
        assert reader.header == made.header
        assert (reader.n_windows, reader.n_samples) == (20, 20 * 8960)
        assert list(reader.frames()) == frames
        assert list(reader.frames()) == frames
        assert reader.damage == reader.skipped == []
        assert reader.is_complete


def test_an_empty_file_round_trips() -> None:
    stream = io.BytesIO()
    ContainerWriter(stream, make_header()).close(0)
    reader = ContainerReader(stream.getvalue())
    assert (list(reader.frames()), reader.n_samples, reader.damage) == ([], 0, [])


def test_pipes_are_written_and_read() -> None:
    frames = make_frames(30, 2, max_len=300)
    made = make_file(frames, make_header(2))
    sink = OneWayStream()
    writer = ContainerWriter(sink, made.header)
    for frame in frames:
        writer.write_frame(frame)
    writer.close(n_samples_of(30, made.header))
    assert bytes(sink.taken) == made.data

    reader = ContainerReader(OneWayStream(made.data))
    with pytest.raises(ConfigError):
        reader.read_frame(0, 0)
    assert not reader.is_complete
    assert list(reader.frames()) == frames
    assert (reader.n_samples, reader.n_windows) == (30 * 8960, 30)
    assert reader.damage == []
    with pytest.raises(ConfigError, match="only once"):
        list(reader.frames())


def test_a_frame_comes_out_of_a_pipe_before_the_next_goes_in() -> None:
    made = make_file(make_frames(3), make_header())
    stream = OneWayStream(made.data, piece_len=1)
    frame = next(ContainerReader(stream).frames())
    assert frame == made.frames[0]
    assert stream._source.tell() <= made.spans[0].stop


def test_frames_left_out_are_no_damage() -> None:
    frames = make_frames(
        12, 2, is_left_out=lambda seq: seq in {0, 1, 2, 7, 12, 13} or seq > 20
    )
    made = make_file(frames, make_header(2), n_windows=12)
    reader = ContainerReader(made.data)
    assert list(reader.frames()) == frames
    assert reader.damage == []
    places = [(gap.window_idx, gap.lead, gap.n_frames) for gap in reader.skipped]
    assert places == [(0, 0, 3), (3, 1, 1), (6, 0, 2), (10, 1, 3)]
    assert reader.n_windows == 12
    with pytest.raises(CorruptError):
        reader.read_frame(3, 1)


def test_random_access_reads_little_and_finds_every_frame() -> None:
    frames = make_frames(600, 1, max_len=2000)
    made = make_file(frames, make_header())
    reader = ContainerReader(made.data)
    spacing = made.end_start / 2**16
    assert 0.9 * spacing - 1 <= len(reader._end.index) <= spacing
    sequence = list(frames)
    random.Random(1).shuffle(sequence)
    for frame in sequence[:150]:
        assert reader.read_frame(frame.window_idx, frame.lead) == frame
    for place in [(600, 0), (2**40, 0)]:
        with pytest.raises(CorruptError):
            reader.read_frame(*place)
    for place in [(0, 1), (-1, 0), (0, -1)]:
        with pytest.raises(ConfigError):
            reader.read_frame(*place)


def test_random_access_while_frames_are_read() -> None:
    made = make_file(make_frames(50, 1, max_len=20_000), make_header())
    reader = ContainerReader(made.data)
    for frame in reader.frames():
        other = made.frames[(7 * frame.window_idx) % 50]
        assert reader.read_frame(other.window_idx, 0) == other
    assert reader.damage == []


def test_a_file_within_another_stream() -> None:
    made = make_file(make_frames(5), make_header())
    stream = io.BytesIO(b"before" + made.data)
    stream.seek(6)
    reader = ContainerReader(stream)
    assert list(reader.frames()) == made.frames
    assert reader.read_frame(3, 0) == made.frames[3]


def test_random_access_in_a_cut_file() -> None:
    made = make_file(make_frames(5), make_header())
    reader = ContainerReader(made.data[: made.spans[3].start + 2])
    assert reader.read_frame(2, 0) == made.frames[2]
    with pytest.raises(TruncatedError):
        reader.read_frame(4, 0)
    assert (reader.n_windows, reader.n_samples) == (3, 3 * 8960)


def test_order_levels_and_lengths_are_enforced() -> None:
    writer = ContainerWriter(io.BytesIO(), make_header(2))
    writer.write_frame(Frame(1, 0, 0, b""))
    limit = writer.header.max_payload_len
    for frame in [
        Frame(1, 0, 0, b""),
        Frame(0, 1, 0, b""),
        Frame(2, 2, 0, b""),
        Frame(2, -1, 0, b""),
        Frame(1 << 32, 0, 0, b""),
        Frame(2, 0, 9, b""),
        Frame(2, 0, 0, bytes(limit + 1)),
    ]:
        with pytest.raises(ConfigError):
            writer.write_frame(frame)
    writer.write_frame(Frame(2, 0, 0, bytes(limit)))
    for n_samples, n_windows in [(0, None), (8960 * 9, None), (8960, 1), (-1, None)]:
        with pytest.raises(ConfigError):
            writer.close(n_samples, n_windows)
    writer.close(8960 * 3 + 1119)
    with pytest.raises(ConfigError, match="closed"):
        writer.close(8960 * 3)


def test_summary_adds_up() -> None:
    frames = make_frames(40, 2, max_len=3000, is_left_out=lambda seq: seq == 9)
    made = make_file(frames, make_header(2))
    summary = ContainerReader(made.data).summarize()
    assert summary.n_bytes == len(made.data)
    assert summary.header_bytes == made.header_end
    assert summary.gap_bytes == 6
    assert summary.damaged_bytes == 0
    assert summary.n_frames == len(frames)
    assert summary.payload_bytes == sum(len(frame.payload) for frame in frames)
    use = summary.levels[6]
    payloads = [len(frame.payload) for frame in frames if frame.level_id == 6]
    assert (use.name, use.n_frames) == ("gain_128", len(payloads))
    assert use.payload_bytes == sum(payloads)


@pytest.mark.parametrize(("level_id", "payload_len"), [(6, 140), (6, 1023), (0, 5400)])
def test_overhead_of_a_day_is_close_to_five_bytes_a_frame(
    level_id: int, payload_len: int
) -> None:
    frames = [Frame(i, 0, level_id, bytes(payload_len)) for i in range(2893)]
    made = make_file(frames, make_header())
    beside = len(made.data) - made.header_end - 2893 * payload_len
    assert beside / 2893 < 5.1


def test_a_record_of_one_window_costs_63_bytes_beside_its_payload() -> None:
    header = FileHeader(
        model_id=MODEL_ID, info=make_info(), level_names={6: "gain_128"}
    )
    made = make_file([Frame(0, 0, 6, bytes(140))], header)
    assert len(made.data) - 140 == 48 + 5 + 10
