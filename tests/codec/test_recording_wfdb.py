# SPDX-License-Identifier: Apache-2.0
"""WFDB records as others write them: all formats, segments, odd dates, damage."""

from __future__ import annotations

import warnings
from datetime import datetime

import numpy as np
import pytest

from dynamic_deep.errors import (
    ConfigError,
    DynamicDeepError,
    FormatError,
    InvalidSignalError,
)
from dynamic_deep.recording import (
    UNKNOWN_DATE,
    Recording,
    open_recording,
    read_recording,
    write_recording,
)
from dynamic_deep.recording.wfdb_header import parse_start_time

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import wfdb

BITS = {"80": 8, "508": 8, "212": 12, "310": 10, "311": 10, "24": 24, "524": 24}
BITS |= {"16": 16, "61": 16, "160": 16, "516": 16, "32": 32}
# Within the limits of every format that wfdb writes, the lowest value (a gap) left out.
RNG = np.random.default_rng(3)


def ramp(n_samples, n_leads, bits):
    top = (1 << (bits - 1)) - 1
    samples = RNG.integers(-top, top, (n_samples, n_leads))
    samples[0], samples[-1] = -top, top
    return samples


def wrsamp(folder, name, samples, fmt="16", **changes):
    n_leads = samples.shape[1]
    fields = {
        "fs": 250,
        "units": ["mV"] * n_leads,
        "sig_name": [f"L{i}" for i in range(n_leads)],
        "adc_gain": [200.0] * n_leads,
        "baseline": [0] * n_leads,
        "fmt": [fmt] * n_leads,
    }
    wfdb.wrsamp(name, d_signal=samples, write_dir=str(folder), **{**fields, **changes})
    return folder / name


@pytest.mark.parametrize("fmt", ["80", "212", "16", "24", "32", "508", "516", "524"])
def test_formats(tmp_path, fmt):
    samples = ramp(1001, 3, BITS[fmt])
    root = wrsamp(tmp_path, "rec", samples, fmt)
    back = read_recording(root)
    np.testing.assert_array_equal(back.samples, samples)
    assert back.adc_bits == max(16, BITS[fmt])
    with open_recording(root) as reader:
        blocks = list(reader.blocks(97))
    np.testing.assert_array_equal(np.concatenate(blocks), samples)


def test_format_160_has_an_offset(tmp_path):
    samples = ramp(300, 2, 16)
    (tmp_path / "r.dat").write_bytes((samples + 32768).astype("<u2").tobytes())
    line = "r.dat 160 200 16 0 0 0 0"
    (tmp_path / "r.hea").write_text(f"r 2 250 300\n{line} I\n{line} II\n")
    np.testing.assert_array_equal(read_recording(tmp_path / "r").samples, samples)


def test_format_61_is_refused_with_advice(tmp_path):
    (tmp_path / "r.dat").write_bytes(bytes(600))
    (tmp_path / "r.hea").write_text("r 1 250 300\nr.dat 61 200 16 0 0 0 0 I\n")
    with pytest.raises(FormatError, match="convert it to format 16"):
        read_recording(tmp_path / "r")


def test_path_forms_are_one_record(tmp_path):
    samples = ramp(100, 2, 12)
    root = wrsamp(tmp_path, "rec", samples, "212")
    for path in (root, str(root), root.with_suffix(".hea"), root.with_suffix(".dat")):
        np.testing.assert_array_equal(read_recording(path).samples, samples)


def test_format_8_is_summed_from_its_start(tmp_path):
    steps = RNG.integers(-100, 100, (500, 1))
    (tmp_path / "rec.dat").write_bytes(steps.astype(np.int8).tobytes())
    (tmp_path / "rec.hea").write_text("rec 1 250 500\nrec.dat 8 200 12 0 7 0 0 I\n")
    expected = 7 + np.cumsum(steps, axis=0)
    with open_recording(tmp_path / "rec") as reader:
        blocks = np.concatenate(list(reader.blocks(64)))
    np.testing.assert_array_equal(blocks, expected)


def write_segments(folder):
    first, second = ramp(300, 2, 16), ramp(200, 2, 16)
    wrsamp(folder, "m_0001", first)
    wrsamp(folder, "m_0002", second)
    (folder / "m.hea").write_text("m/2 2 250 500 10:11:12 3/04/2005\nm_0001 300\n")
    with (folder / "m.hea").open("a") as stream:
        stream.write("m_0002 200\n")
    return np.concatenate([first, second])


def test_fixed_segments_join(tmp_path):
    samples = write_segments(tmp_path)
    back = read_recording(tmp_path / "m")
    np.testing.assert_array_equal(back.samples, samples)
    assert back.start_time == datetime(2005, 4, 3, 10, 11, 12)
    with open_recording(tmp_path / "m.hea") as reader:
        np.testing.assert_array_equal(np.concatenate(list(reader.blocks(77))), samples)


def test_variable_segments_keep_gaps(tmp_path):
    first, second = ramp(100, 2, 16), ramp(50, 1, 16)
    wrsamp(tmp_path, "v_0001", first, sig_name=["II", "V"])
    wrsamp(tmp_path, "v_0002", second, sig_name=["V"])
    (tmp_path / "v_layout.hea").write_text(
        "v_layout 2 250 0\n~ 0 200/mV 16 0 0 0 0 II\n~ 0 200/mV 16 0 0 0 0 V\n"
    )
    (tmp_path / "v.hea").write_text(
        "v/4 2 250 180\nv_layout 0\nv_0001 100\n~ 30\nv_0002 50\n"
    )
    back = read_recording(tmp_path / "v")
    gap = np.iinfo(np.int16).min
    np.testing.assert_array_equal(back.samples[:100], first)
    assert (back.samples[100:130] == gap).all()
    assert (back.samples[130:, 0] == gap).all()
    np.testing.assert_array_equal(back.samples[130:, 1], second[:, 0])
    assert back.lead_names == ("II", "V")


def test_segments_that_change_gain_are_refused(tmp_path):
    write_segments(tmp_path)
    header = tmp_path / "m_0002.hea"
    header.write_text(header.read_text().replace("200.0(0)", "100.0(0)"))
    with pytest.raises(InvalidSignalError, match="must stay the same"):
        read_recording(tmp_path / "m")


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("2013-09-23 04:09:11", datetime(2013, 9, 23, 4, 9, 11)),
        ("05:05:15 1/05/2000", datetime(2000, 5, 1, 5, 5, 15)),
        ("1/05/2000 05:05:15.25", datetime(2000, 5, 1, 5, 5, 15, 250000)),
        ("2013-09-23T04:09:11", datetime(2013, 9, 23, 4, 9, 11)),
        ("23.09.2013 04:09", datetime(2013, 9, 23, 0, 4, 9)),
        ("15:18:00", datetime.combine(UNKNOWN_DATE, datetime(1, 1, 1, 15, 18).time())),
        ("31/02/2000 05:05:15", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_cinc_header_with_any_date(tmp_path, tail, expected):
    samples = ramp(200, 1, 16)
    header = bytes.fromhex("1e00000001000000c80000000000000004000000") + b"val\0"
    (tmp_path / "A00001.mat").write_bytes(header + samples.astype("<i2").tobytes())
    (tmp_path / "A00001.hea").write_text(
        f"A00001 1 300 200 {tail}\nA00001.mat 16+24 1000/mV 16 0 -127 0 0 ECG \n"
    )
    for path in ("A00001.hea", "A00001.mat", "A00001"):
        back = read_recording(tmp_path / path)
        np.testing.assert_array_equal(back.samples, samples)
        assert (back.fs, back.adc_gain, back.units) == (300.0, (1000.0,), ("mV",))
        assert back.start_time == expected
        assert parse_start_time(tail) == expected


def test_cinc_form_is_written_bit_for_bit(tmp_path):
    samples = ramp(200, 1, 16)
    recording = Recording(
        samples=samples,
        fs=300,
        adc_gain=(1000.0,),
        adc_baseline=(0,),
        units=("mV",),
        lead_names=("ECG",),
    )
    write_recording(tmp_path / "A1.mat", recording)
    header = bytes.fromhex("1e00000001000000c80000000000000004000000") + b"val\0"
    expected = header + samples.astype("<i2").tobytes()
    assert (tmp_path / "A1.mat").read_bytes() == expected
    import scipy.io

    np.testing.assert_array_equal(
        scipy.io.loadmat(tmp_path / "A1.mat")["val"], samples.T
    )


def test_written_header_states_initial_value_and_checksum(tmp_path):
    samples = ramp(5000, 2, 16)
    root = wrsamp(tmp_path, "theirs", samples)
    write_recording(tmp_path / "ours", read_recording(root))
    theirs, ours = (wfdb.rdheader(str(tmp_path / n)) for n in ("theirs", "ours"))
    assert ours.init_value == theirs.init_value
    assert [c % 65536 for c in ours.checksum] == [c % 65536 for c in theirs.checksum]
    record = wfdb.rdrecord(str(tmp_path / "ours"), physical=False)
    assert [c % 65536 for c in record.checksum] == record.calc_checksum()
    np.testing.assert_array_equal(record.d_signal, samples)


def test_slow_leads_are_left_out(tmp_path):
    _write_frames(tmp_path)
    with open_recording(tmp_path / "mixed") as reader:
        assert (reader.info.fs, reader.info.lead_names) == (400.0, ("I", "II"))
        assert reader.left_out == ("temp",)
        blocks = np.concatenate(list(reader.blocks(33)))
    np.testing.assert_array_equal(blocks[:, 0], np.arange(400))
    np.testing.assert_array_equal(blocks[:, 1], np.arange(400, 800))


def _write_frames(folder):
    frames = np.concatenate(
        [
            np.arange(400).reshape(100, 4),
            np.arange(400, 800).reshape(100, 4),
            np.arange(100).reshape(100, 1),
        ],
        axis=1,
    )
    (folder / "mixed.dat").write_bytes(frames.astype("<i2").tobytes())
    (folder / "mixed.hea").write_text(
        "mixed 3 100 100\nmixed.dat 16x4 200/mV 16 0 0 0 0 I\n"
        "mixed.dat 16x4 200/mV 16 0 400 0 0 II\nmixed.dat 16 10/degC 16 0 0 0 0 temp\n"
    )


def test_missing_and_damaged_files_are_named(tmp_path):
    root = wrsamp(tmp_path, "rec", ramp(1000, 2, 16))
    with pytest.raises(InvalidSignalError, match="got no header at"):
        read_recording(tmp_path / "other")
    data = (tmp_path / "rec.dat").read_bytes()
    for length in (0, 1, len(data) // 2, len(data) - 1):
        (tmp_path / "rec.dat").write_bytes(data[:length])
        with pytest.raises(FormatError, match="match its header"):
            read_recording(root)
    (tmp_path / "rec.dat").unlink()
    with pytest.raises(InvalidSignalError, match=r"rec\.dat"):
        read_recording(root)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "rec\n",
        "rec 0 250 100\n",
        "rec 1 250 0\nrec.dat 16 200 16 0 0 0 0 I\n",
        "rec 1 0 100\nrec.dat 16 200 16 0 0 0 0 I\n",
        "rec 2 250 100\nrec.dat 16 200 16 0 0 0 0 I\n",
        "rec 1 250 99999999999999\nrec.dat 16 200 16 0 0 0 0 I\n",
        "rec 1 250 100\nrec.dat 999 200 16 0 0 0 0 I\n",
        "rec 300 250 100\n" + "rec.dat 16 200 16 0 0 0 0 I\n" * 300,
        "rec/2 1 250 100\nrec 50\nrec 50\n",
        "\0\xff\xfe binary",
    ],
)
def test_bad_headers_give_our_errors(tmp_path, text):
    (tmp_path / "rec.dat").write_bytes(bytes(200 * 300))
    (tmp_path / "rec.hea").write_bytes(text.encode("latin-1"))
    with pytest.raises(DynamicDeepError):
        read_recording(tmp_path / "rec")


def test_names_that_wfdb_cannot_hold_are_refused(tmp_path):
    recording = read_recording(wrsamp(tmp_path, "rec", ramp(10, 1, 16)))
    with pytest.raises(ConfigError, match="letters, digits"):
        write_recording(tmp_path / "my record", recording)
    with pytest.raises(ConfigError, match="must exist"):
        write_recording(tmp_path / "missing" / "rec", recording)


def test_an_inverted_lead_keeps_its_sign(tmp_path):
    root = wrsamp(tmp_path, "rec", ramp(10, 1, 16))
    header = root.with_suffix(".hea")
    header.write_text(header.read_text().replace(" 200.0(0)", " -200.0(0)"))
    recording = read_recording(root)
    assert recording.adc_gain == (-200.0,)
    for name in ("a.hea", "rec.edf", "a.csv"):
        write_recording(tmp_path / name, recording)
        back = read_recording(tmp_path / name)
        assert back.adc_gain == (-200.0,)
        np.testing.assert_array_equal(back.samples, recording.samples)
