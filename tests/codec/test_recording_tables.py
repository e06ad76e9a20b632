# SPDX-License-Identifier: Apache-2.0
"""Files that say little about themselves, EDF files of others, and the folder walk."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from dynamic_deep.errors import (
    ConfigError,
    CorruptError,
    DynamicDeepError,
    InvalidSignalError,
    TruncatedError,
)
from dynamic_deep.recording import (
    Recording,
    RecordingInfo,
    find_recordings,
    open_recording,
    read_recording,
    write_recording,
)


def text_file(tmp_path, text, name="x.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def info(**changes):
    fields = {
        "fs": 300.0,
        "adc_gain": (1000.0,),
        "adc_baseline": (0,),
        "units": ("mV",),
        "lead_names": ("I",),
    }
    return {**fields, **changes}


def test_integer_columns_are_adc_units(tmp_path):
    path = text_file(tmp_path, "II,V5\n10,-20\n11,-21\n")
    back = read_recording(path, fs=250, adc_gain=200)
    assert back.samples.tolist() == [[10, -20], [11, -21]]
    assert (back.lead_names, back.adc_gain) == (("II", "V5"), (200.0, 200.0))


def test_float_columns_are_mv(tmp_path):
    path = text_file(tmp_path, "0.5,1\n-0.25,2\n0.0004,3\n")
    back = read_recording(path, fs=250)
    assert back.samples.tolist() == [[500, 1000], [-250, 2000], [0, 3000]]
    coarse = read_recording(path, fs=250, adc_gain=(200, 100), adc_baseline=1024)
    assert coarse.samples.tolist() == [[1124, 1124], [974, 1224], [1024, 1324]]


@pytest.mark.parametrize(
    ("header", "step", "fs"),
    [
        ("time,I", 0.004, 250.0),
        ("Time,I", 1 / 360, 360.0),
        ("time_ms,I", 2.0, 500.0),
        ("t\tI", 0.002, 500.0),
        ("time;I", 1 / 128.5, 128.5),
    ],
)
def test_rate_comes_from_a_time_column(tmp_path, header, step, fs):
    mark = next(c for c in ",\t;" if c in header)
    rows = "".join(f"{i * step:.6f}{mark}{i}\n" for i in range(5000))
    back = read_recording(text_file(tmp_path, f"{header}\n{rows}"))
    assert back.fs == pytest.approx(fs, rel=1e-6)
    assert back.samples[:, 0].tolist() == list(range(5000))


def test_moments_give_rate_and_start(tmp_path):
    rows = "".join(f"2024-05-06 07:08:{9 + i / 100:09.6f},{i}\n" for i in range(100))
    back = read_recording(text_file(tmp_path, f"timestamp,I\n{rows}"))
    assert (back.fs, back.start_time) == (100.0, datetime(2024, 5, 6, 7, 8, 9))


def test_physiobank_form(tmp_path):
    rows = "".join(f"{i / 360:.3f},{i / 1000},{-i / 1000}\n" for i in range(3600))
    head = "'Elapsed time','MLII','V5'\n'seconds','mV','mV'\n"
    back = read_recording(text_file(tmp_path, head + rows))
    assert (back.fs, back.lead_names) == (360.0, ("MLII", "V5"))
    assert back.samples[-1].tolist() == [3599, -3599]


def test_a_column_of_counts_is_no_lead(tmp_path):
    path = text_file(tmp_path, "'sample #','MLII'\n0,995\n1,996\n")
    assert read_recording(path, fs=360).samples.tolist() == [[995], [996]]


def test_names_that_look_like_something_else_survive(tmp_path):
    names = ("time", "sample", "#1", 'a,"b"', "2")
    recording = Recording(
        samples=np.arange(10).reshape(2, 5),
        **info(
            lead_names=names,
            adc_gain=(1.0,) * 5,
            adc_baseline=(0,) * 5,
            units=("mV",) * 5,
        ),
    )
    write_recording(tmp_path / "x.csv", recording)
    back = read_recording(tmp_path / "x.csv")
    assert back.lead_names == names
    np.testing.assert_array_equal(back.samples, recording.samples)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("I,II\n1,2\n3,\n", {"fs": 250}, "NaN"),
        ("0.5\nnan\n", {"fs": 250}, "NaN"),
        ("0.5\ninf\n", {"fs": 250}, "infinity"),
        ("1\n2\n", {}, "give fs"),
        ("1\n2\n", {"fs": 0}, "fs must lie"),
        ("1\n2\n", {"fs": -5}, "fs must lie"),
        ("1\n2\n", {"fs": float("nan")}, "fs must lie"),
        ("1\n2\n", {"fs": 250, "gain": 3}, "options of a table"),
        ("1\n2\n", {"fs": 250, "adc_gain": (1, 2)}, "one entry for each"),
        ("1\n2\n", {"fs": 250, "adc_gain": 0}, "not zero"),
        ("I,II\n", {"fs": 250}, "table of numbers"),
        ("record,label\nA01,N\n", {"fs": 250}, "table of numbers"),
        ("1\n99999999999\n", {"fs": 250}, "fit 32 bit"),
        ("1\nabc\n", {"fs": 250}, "numbers"),
        ("time,I\n0.0,1\n0.1,2\n0.9,3\n", {}, "evenly spaced"),
        ("time,I\n1,1\n1,2\n", {}, "must rise"),
        (",".join("1" * 256) + "\n", {"fs": 250}, "255 leads"),
        ("", {"fs": 250}, "an empty one"),
    ],
)
def test_bad_tables_are_explained(tmp_path, text, options, message):
    with pytest.raises(DynamicDeepError, match=message):
        read_recording(text_file(tmp_path, text), **options)


def test_wide_integers_choose_their_width(tmp_path):
    for top, bits in ((32767, 16), (32768, 24), (1 << 23, 32)):
        path = text_file(tmp_path, f"{top}\n0\n")
        assert read_recording(path, fs=250).adc_bits == bits


def test_npz_of_others(tmp_path):
    np.savez(tmp_path / "x.npz", ecg=np.arange(6).reshape(3, 2), fs=500)
    back = read_recording(tmp_path / "x.npz")
    assert (back.fs, back.samples.shape) == (500.0, (3, 2))
    np.savez(tmp_path / "y.npz", a=np.arange(3), b=np.arange(3))
    with pytest.raises(CorruptError, match="named 'samples'"):
        read_recording(tmp_path / "y.npz", fs=500)


def test_pickles_are_never_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "x.npz", samples=np.array([{"a": 1}], dtype=object))
    for name in ("x.npy", "x.npz"):
        with pytest.raises(CorruptError, match="pickle"):
            read_recording(tmp_path / name, fs=300)


@pytest.mark.parametrize(
    "array", [np.zeros((3, 300)), np.zeros((2, 2, 2)), np.zeros(0)]
)
def test_npy_shapes_that_are_no_recording(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(InvalidSignalError):
        read_recording(tmp_path / "x.npy", fs=300)


@pytest.mark.parametrize("version", ["4", "5"])
def test_mat_without_header(tmp_path, version):
    import scipy.io

    samples = np.arange(600, dtype=np.int16).reshape(2, 300)
    scipy.io.savemat(tmp_path / "x.mat", {"val": samples}, format=version)
    back = read_recording(tmp_path / "x.mat", fs=300)
    np.testing.assert_array_equal(back.samples, samples.T)


@pytest.mark.parametrize("name", ["x.mat", "x.npz", "x.npy", "x.edf", "x.csv"])
def test_garbage_is_a_format_error(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x93garbage" * 100)
    with pytest.raises(CorruptError):
        read_recording(tmp_path / name)


def test_unknown_paths(tmp_path):
    with pytest.raises(ConfigError, match="suffix"):
        read_recording(tmp_path / "x.docx")
    with pytest.raises(ConfigError, match="suffix"):
        write_recording(tmp_path / "x.docx", Recording(samples=[[1]], **info()))
    with pytest.raises(ConfigError, match="format must be one of"):
        write_recording(tmp_path / "x", Recording(samples=[[1]], **info()), "wav")
    for name in ("x.csv", "x.edf", "x.mat", "x.npz", "x.hea"):
        with pytest.raises(InvalidSignalError, match="must"):
            read_recording(tmp_path / name)
    write_recording(tmp_path / "y", Recording(samples=[[1]], **info()))
    with pytest.raises(ConfigError, match="describes itself"):
        open_recording(tmp_path / "y", fs=300)


def test_edf_of_others_maps_digital_to_physical(tmp_path):
    import pyedflib

    path = tmp_path / "x.edf"
    rates, dimensions = (256, 256, 1), ("uV", "uV", "degC")
    with pyedflib.EdfWriter(str(path), 3) as writer:
        for i, (rate, unit) in enumerate(zip(rates, dimensions, strict=True)):
            writer.setSignalHeader(
                i,
                {
                    "label": f"S{i}",
                    "dimension": unit,
                    "sample_frequency": rate,
                    "physical_min": -3276.8,
                    "physical_max": 3276.7,
                    "digital_min": -32768,
                    "digital_max": 32767,
                    "transducer": "",
                    "prefilter": "",
                },
            )
        writer.setStartdatetime(datetime(2020, 1, 2, 3, 4, 5))
        ramps = [np.arange(rate * 4, dtype=np.int32) for rate in rates]
        writer.writeSamples(ramps, digital=True)
    with open_recording(path) as reader:
        recording = reader.read()
        assert reader.left_out == ("S2",)
    assert (recording.fs, recording.lead_names) == (256.0, ("S0", "S1"))
    assert recording.adc_gain == (10.0, 10.0)
    assert recording.adc_baseline == (0, 0)
    assert recording.start_time == datetime(2020, 1, 2, 3, 4, 5)
    np.testing.assert_array_equal(recording.samples[:, 0], np.arange(1024))
    with pyedflib.EdfReader(str(path)) as reference:
        expected = reference.readSignal(0)
    np.testing.assert_allclose(recording.physical()[:, 0], expected, atol=1e-9)


def test_edf_of_ours_is_right_for_others(tmp_path):
    import pyedflib

    samples = np.random.default_rng(0).integers(-2000, 2000, (1000, 1))
    recording = Recording(
        samples=samples, **info(adc_gain=(213.7,), adc_baseline=(1024,))
    )
    write_recording(tmp_path / "x.edf", recording)
    with pyedflib.EdfReader(str(tmp_path / "x.edf")) as reference:
        assert reference.getSignalLabels() == ["I"]
        physical = reference.readSignal(0)[:1000]
    np.testing.assert_allclose(physical, recording.physical()[:, 0], atol=1e-3)


@pytest.mark.parametrize("name", ["x.edf", "x.bdf"])
def test_a_cut_edf_file_is_truncated(tmp_path, capfd, name):
    write_recording(
        tmp_path / name, Recording(samples=np.ones((900, 1), int), **info())
    )
    whole = (tmp_path / name).read_bytes()
    for cut, kind in ((whole[:-1], TruncatedError), (whole + b"0", CorruptError)):
        (tmp_path / name).write_bytes(cut)
        with pytest.raises(kind, match="as long as its header says"):
            read_recording(tmp_path / name)
    assert capfd.readouterr().out == ""


def test_find_recordings(tmp_path):
    recording = Recording(samples=[[1], [2]], **info())
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    wanted = ["a.hea", "b.mat", "c.csv", "sub/d.edf", "sub/e.npz", "sub/f.npy"]
    for name in [*wanted, ".hidden/g.csv"]:
        write_recording(tmp_path / name, recording)
    (tmp_path / "multi.hea").write_text("multi/2 1 300 4\na 2\na 2\n")
    (tmp_path / "REFERENCE-v3.csv").write_text("A00001,N\nA00002,A\n")
    (tmp_path / "RECORDS").write_text("a\n")
    (tmp_path / "empty.hea").write_text("empty 0 300 0\n")
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    found = [p.relative_to(tmp_path).as_posix() for p in find_recordings(tmp_path)]
    assert found == ["b.hea", "c.csv", "multi.hea", *wanted[3:]]
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    outside = tmp_path / ".hidden"
    (tmp_path / "linked").symlink_to(outside)
    linked = [p.relative_to(tmp_path).as_posix() for p in find_recordings(tmp_path)]
    assert linked == ["b.hea", "c.csv", "linked/g.csv", "multi.hea", *wanted[3:]]
    with pytest.raises(InvalidSignalError, match="folder"):
        find_recordings(tmp_path / "none")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fs": 0}, "fs must lie"),
        ({"fs": float("inf")}, "fs must lie"),
        ({"adc_gain": (0.0,)}, "not zero"),
        ({"adc_gain": (float("nan"),)}, "finite"),
        ({"adc_gain": 200.0}, "sequence"),
        ({"adc_baseline": (2**31,)}, "32-bit"),
        ({"units": ("mV", "mV")}, "leads"),
        ({"lead_names": ("a\nb",)}, "printable"),
        ({"adc_bits": 12}, "adc_bits must"),
        (
            {
                "adc_gain": (1.0,) * 256,
                "adc_baseline": (0,) * 256,
                "units": ("mV",) * 256,
                "lead_names": ("x",) * 256,
            },
            "255 leads",
        ),
    ],
)
def test_descriptions_are_checked(changes, message):
    with pytest.raises(InvalidSignalError, match=message):
        RecordingInfo(**info(**changes))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((0, 1), int), "at least 1 sample"),
        (np.zeros((5, 1)), "must be integers"),
        (np.array([[np.nan]]), "must be integers"),
        (np.zeros(5, int), "shape"),
        (np.zeros((5, 2), int), "shape"),
        (np.array([[40000]]), "16 bit"),
        (np.array([[40000]], np.uint16), "16 bit"),
    ],
)
def test_samples_are_checked(samples, message):
    with pytest.raises(InvalidSignalError, match=message):
        Recording(samples=samples, **info())


def test_a_recording_knows_its_units():
    samples = np.array([[1224, 5], [1024, 0]])
    recording = Recording(
        samples=samples,
        fs=2,
        adc_gain=(200.0, 1.0),
        adc_baseline=(1024, 0),
        units=("mV", "uV"),
        lead_names=("a", "b"),
    )
    assert recording.samples.dtype == np.int16
    assert (recording.n_samples, recording.n_leads, recording.duration_s) == (2, 2, 1.0)
    assert recording.physical().tolist() == [[1.0, 5.0], [0.0, 0.0]]
    np.testing.assert_allclose(recording.to_mv(), [[1.0, 0.005], [0.0, 0.0]])
    assert type(recording.info) is RecordingInfo
    other = Recording(**{**vars(recording), "samples": samples + 1})
    assert recording != other
    assert recording.info == other.info
    with pytest.raises(ConfigError, match="voltage"):
        Recording(samples=[[1]], **info(units=("bpm",))).to_mv()


@pytest.mark.parametrize(
    ("name", "fmt", "options"),
    [
        ("x.hea", None, {}),
        ("x.edf", None, {}),
        ("x.csv", None, {}),
        ("x.npz", None, {}),
        ("x.npy", None, {"fs": 300}),
        ("x.mat", "mat5", {}),
    ],
)
def test_damaged_bytes_give_our_errors_only(tmp_path, name, fmt, options):
    rng = np.random.default_rng(5)
    recording = Recording(samples=rng.integers(-99, 99, (300, 1)), **info())
    write_recording(tmp_path / name, recording, fmt)
    whole = (tmp_path / name).read_bytes()
    outcomes = set()
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 900), 2):
            damaged[place] = rng.choice(list(b"0123456789 -./\x00\xff"))
        (tmp_path / name).write_bytes(damaged[: rng.integers(1, 4 * len(whole))])
        try:
            outcomes.add(read_recording(tmp_path / name, **options).n_leads)
        except DynamicDeepError:
            outcomes.add("error")
    assert "error" in outcomes
