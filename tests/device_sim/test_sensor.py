# SPDX-License-Identifier: Apache-2.0
"""A sensor replays a record: which samples, and when."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from device_sim.sensor import RecordShelf, Sensor, record_paths, select_leads
from dynamic_deep.errors import ConfigError, InvalidSignalError
from dynamic_deep.recording import read_recording, write_recording
from tests.signals import ecg


@pytest.mark.parametrize("offset", [0, 123, 9999])
def test_it_goes_round_the_record_without_a_seam(offset: int) -> None:
    recording = ecg(10_000, fs=250.0)
    sensor = Sensor(recording=recording, offset=offset)
    x = recording.samples
    whole = np.concatenate([x[offset:], x, x, x])
    assert np.array_equal(sensor.read(0, 25_000), whole[:25_000])
    assert np.array_equal(sensor.read(9_990, 20_010), whole[9_990:20_010])
    assert sensor.read(50, 50).shape == (0, 1)
    assert (sensor.end, sensor.next_break(12_345)) == (math.inf, math.inf)


@pytest.mark.parametrize("fs", [250.0, 300.0, 360.0, 257.3])
@pytest.mark.parametrize("gap_s", [0.0, 3.5])
def test_a_sample_is_there_when_it_is_ready_and_not_before(
    fs: float, gap_s: float
) -> None:
    sensor = Sensor(recording=ecg(1000, fs=fs), offset=10, gap_s=gap_s, start_s=1.25)
    for count in (1, 2, 989, 990, 991, 1990, 1991, 123_456):
        ready_s = sensor.ready_at(count)
        assert sensor.count_at(ready_s) == count
        assert sensor.count_at(ready_s - 0.5 / fs) == count - 1
    assert sensor.count_at(0.0) == 0
    # 990 samples, a gap, 1000 samples, a gap: worked out by hand.
    assert sensor.time_of(989) == pytest.approx(1.25 + 989 / fs)
    assert sensor.time_of(990) == pytest.approx(1.25 + 990 / fs + gap_s)
    assert sensor.time_of(1990) == pytest.approx(1.25 + 1990 / fs + 2 * gap_s)


def test_breaks_lie_between_the_passes() -> None:
    sensor = Sensor(recording=ecg(1000), offset=10, gap_s=1.0)
    breaks = [sensor.next_break(p) for p in (0, 989, 990, 1989, 1990)]
    assert breaks == [990, 990, 1990, 1990, 2990]


def test_it_stops_at_the_end_if_it_does_not_loop() -> None:
    sensor = Sensor(recording=ecg(1000), offset=400, is_loop=False)
    assert sensor.end == 600
    assert sensor.count_at(1e6) == 600
    assert sensor.next_break(5) == 600


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"offset": 1000}, r"0 to 999, got 1000"),
        ({"offset": -1}, r"got -1"),
        ({"gap_s": -1.0}, r"gap_s must be 0 s or more"),
        ({"start_s": math.nan}, r"start_s must be 0 s or more"),
    ],
)
def test_numbers_out_of_range_are_refused(fields: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Sensor(recording=ecg(1000), **fields)


def test_leads_are_chosen_and_each_record_is_read_once(tmp_path: Path) -> None:
    recording = ecg(3000, fs=360.0, n_leads=3)
    for name in "ab":
        write_recording(tmp_path / f"{name}.hea", recording)
    paths = record_paths([tmp_path])
    assert [path.name for path in paths] == ["a.hea", "b.hea"]
    shelf = RecordShelf(paths, (2, 0))
    first = shelf.record(0)
    assert np.array_equal(first.samples, recording.samples[:, [2, 0]])
    assert first.lead_names == ("L2", "L0")
    assert shelf.record(2) is first
    assert shelf.record(1) is not first


def test_what_cannot_be_replayed_is_one_clear_error(tmp_path: Path) -> None:
    write_recording(tmp_path / "a.hea", ecg(3000))
    with pytest.raises(ConfigError, match=r"leads must be 0 to 0 of a.hea, got 1"):
        select_leads(tmp_path / "a.hea", (1,))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="none in"):
        record_paths([tmp_path / "empty"])
    with pytest.raises(InvalidSignalError):
        select_leads(tmp_path / "missing.hea", (0,))
    with pytest.raises(ConfigError, match="needs a record"):
        RecordShelf([])


def test_a_real_record_is_replayed_as_it_is(data_dir: Path) -> None:
    path = data_dir / "mitdb" / "100.hea"
    whole = read_recording(path)
    recording = RecordShelf([path], (1,)).record(0)
    assert recording.lead_names == whole.lead_names[1:]
    assert np.array_equal(recording.samples, whole.samples[:, 1:])
