# SPDX-License-Identifier: Apache-2.0
"""Each format gives back what was written into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from dynamic_deep.errors import ConfigError, InvalidSignalError
from dynamic_deep.recording import (
    UNKNOWN_DATE,
    Recording,
    create_recording,
    open_recording,
    read_recording,
    write_recording,
)

START = datetime(2024, 2, 29, 23, 59, 58, 123456)
FIELDS = ("fs", "adc_gain", "adc_baseline", "units", "lead_names", "adc_bits")

# Each holds everything; `.npy` holds the samples alone and has a test of its own.
TARGETS = [
    ("rec.hea", None),
    ("rec", None),
    ("rec.edf", None),
    ("rec.csv", None),
    ("rec.tsv", None),
    ("rec.mat", None),
    ("rec.mat", "mat5"),
    ("rec.npz", None),
]


def make(n_samples=1234, n_leads=3, bits=16, seed=0, **changes):
    rng = np.random.default_rng(seed)
    top = 1 << (bits - 1)
    samples = rng.integers(-top, top, (n_samples, n_leads))
    samples[0], samples[-1] = -top, top - 1
    fields = {
        "fs": 360.0,
        "adc_gain": (200.0, 213.7, 1000.0)[:n_leads],
        "adc_baseline": (1024, -17, 0)[:n_leads],
        "units": ("mV", "uV", "mV")[:n_leads],
        "lead_names": ("MLII", "V5 (late)", "aVR")[:n_leads],
        "adc_bits": bits,
        "start_time": START,
        "name": "rec",
    }
    return Recording(samples=samples, **{**fields, **changes})


def check_same(back, recording):
    np.testing.assert_array_equal(back.samples, recording.samples)
    assert back.samples.dtype == recording.samples.dtype
    for field in FIELDS:
        assert getattr(back, field) == getattr(recording, field), field
    assert back.start_time == recording.start_time
    assert back.name == "rec"


@pytest.mark.parametrize(("name", "fmt"), TARGETS)
def test_everything_survives(tmp_path, name, fmt):
    recording = make()
    write_recording(tmp_path / name, recording, fmt)
    check_same(read_recording(tmp_path / name), recording)
    assert not list(tmp_path.glob(".*")), "an unfinished file was left"


@pytest.mark.parametrize(("name", "fmt"), TARGETS)
@pytest.mark.parametrize(
    "start",
    [
        None,
        datetime(2001, 1, 1),
        datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        datetime(2024, 5, 6, 7, 8, 9, 500000, tzinfo=UTC),
        datetime.combine(UNKNOWN_DATE, datetime(1, 1, 1, 15, 18, 30).time()),
    ],
)
def test_start_time_survives(tmp_path, name, fmt, start):
    recording = make(n_samples=50, start_time=start)
    write_recording(tmp_path / name, recording, fmt)
    back = read_recording(tmp_path / name).start_time
    assert back == start
    if start is not None:
        assert back.utcoffset() == start.utcoffset()


@pytest.mark.parametrize(("name", "fmt"), TARGETS)
@pytest.mark.parametrize("fs", [50.0, 128.5, 257.1, 360.0000123, 1 / 3 + 99, 2000.0])
def test_rate_survives(tmp_path, name, fmt, fs):
    recording = make(n_samples=3001, n_leads=1, fs=fs)
    write_recording(tmp_path / name, recording, fmt)
    back = read_recording(tmp_path / name)
    assert back.fs == fs
    assert back.n_samples == 3001


@pytest.mark.parametrize("bits", [24, 32])
@pytest.mark.parametrize(
    "name", ["rec.hea", "rec.bdf", "rec.csv", "rec.mat", "rec.npz"]
)
def test_wide_samples_survive(tmp_path, name, bits):
    recording = make(bits=bits)
    if name == "rec.bdf" and bits == 32:
        with pytest.raises(ConfigError, match="24-bit"):
            write_recording(tmp_path / name, recording)
        return
    write_recording(tmp_path / name, recording)
    check_same(read_recording(tmp_path / name), recording)


def test_edf_refuses_wide_samples(tmp_path):
    with pytest.raises(ConfigError, match=r"\.bdf"):
        write_recording(tmp_path / "rec.edf", make(bits=24))
    assert not list(tmp_path.iterdir())


def test_npy_keeps_the_samples_alone(tmp_path):
    recording = make()
    write_recording(tmp_path / "rec.npy", recording)
    with pytest.raises(InvalidSignalError, match="give fs"):
        read_recording(tmp_path / "rec.npy")
    back = read_recording(tmp_path / "rec.npy", fs=360, adc_gain=200, adc_baseline=5)
    np.testing.assert_array_equal(back.samples, recording.samples)
    np.testing.assert_array_equal(np.load(tmp_path / "rec.npy"), recording.samples)
    assert (back.fs, back.adc_gain, back.start_time) == (360.0, (200.0,) * 3, None)
    assert back.adc_baseline == (5, 5, 5)


@pytest.mark.parametrize(("name", "fmt"), [*TARGETS, ("rec.npy", None)])
@pytest.mark.parametrize("block_len", [1, 7, 359, 360, 5000])
def test_blocks_of_any_size_give_the_same(tmp_path, name, fmt, block_len):
    recording = make(n_samples=800)
    with create_recording(tmp_path / name, recording.info, fmt) as writer:
        for start in range(0, 800, max(block_len, 37)):
            writer.write(recording.samples[start : start + max(block_len, 37)])
    options = {"fs": 360} if name.endswith("npy") else {}
    with open_recording(tmp_path / name, **options) as reader:
        assert reader.n_samples == 800
        blocks = list(reader.blocks(max(block_len, 37)))
    assert all(len(block) == max(block_len, 37) for block in blocks[:-1])
    np.testing.assert_array_equal(np.concatenate(blocks), recording.samples)


def write_and_raise(path, recording, fmt, error):
    with create_recording(path, recording.info, fmt) as writer:
        writer.write(recording.samples)
        raise error


@pytest.mark.parametrize(("name", "fmt"), [*TARGETS, ("rec.npy", None)])
def test_a_broken_off_write_leaves_nothing(tmp_path, name, fmt):
    recording = make()
    with pytest.raises(KeyboardInterrupt):
        write_and_raise(tmp_path / name, recording, fmt, KeyboardInterrupt())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "fmt"), [*TARGETS, ("rec.npy", None)])
def test_writing_no_sample_is_an_error(tmp_path, name, fmt):
    with (
        pytest.raises(InvalidSignalError, match="at least 1 sample"),
        create_recording(tmp_path / name, make().info, fmt),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_broken_off_write_keeps_the_old_file(tmp_path):
    old, new = make(seed=1), make(seed=2)
    write_recording(tmp_path / "rec.npz", old)
    full = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space"):
        write_and_raise(tmp_path / "rec.npz", new, None, full)
    check_same(read_recording(tmp_path / "rec.npz"), old)


def test_twelve_leads(tmp_path):
    n_leads = 12
    recording = make(
        n_leads=n_leads,
        adc_gain=(1000.0,) * n_leads,
        adc_baseline=tuple(range(n_leads)),
        units=("mV",) * n_leads,
        lead_names=tuple(f"V{i}" for i in range(n_leads)),
    )
    for name, fmt in TARGETS:
        write_recording(tmp_path / name, recording, fmt)
        check_same(read_recording(tmp_path / name), recording)
