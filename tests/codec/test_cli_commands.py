# SPDX-License-Identifier: Apache-2.0
"""The commands, called as a user calls them, on real files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep import read_recording, write_recording
from dynamic_deep.cli import main
from dynamic_deep.synthetic import simulate_ecg
from tests.signals import CONTEXT

CLASSICAL = ("--bundle", "classical")
LOSSLESS = (*CLASSICAL, "--level", "lossless")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a WFDB record, its lossless file and a record further down."""
    folder = tmp_path_factory.mktemp("records")
    (folder / "sub").mkdir()
    for name, n_leads in (("a", 2), ("sub/b", 1)):
        recording = simulate_ecg(
            8.0, n_leads=n_leads, adc_gain=200.0, name=Path(name).name
        )
        write_recording(folder / f"{name}.hea", recording)
    assert main(["encode", str(folder / "a"), *LOSSLESS, "--quiet"]) == 0
    return folder


@pytest.fixture
def records(folder: Path, tmp_path: Path) -> Path:
    """A copy of that folder that a test may write to."""
    return Path(shutil.copytree(folder, tmp_path / "records"))


def run(*argv: object) -> int:
    return main([str(argument) for argument in argv])


def run_json(capsys: Capture, *argv: object, status: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run(*argv, "--json") == status
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


def damage(path: Path) -> None:
    """Change a byte in the payload of the first frame."""
    data = bytearray(path.read_bytes())
    data[len(data) // 4] ^= 0x55
    path.write_bytes(data)


def test_encode_and_decode_give_the_samples_back(
    records: Path, capsys: Capture
) -> None:
    facts = run_json(
        capsys, "encode", records / "a.hea", "-o", records / "new.ddc", *LOSSLESS
    )
    assert facts["n_bytes"] == (records / "new.ddc").stat().st_size
    assert facts["raw_bytes"] == 8 * 300 * 2 * 2
    assert facts["compression_gain"] == facts["raw_bytes"] / facts["n_bytes"]
    assert facts["levels"] == {"lossless": 2}
    assert run("decode", records / "new.ddc", "-o", records / "back") == 0
    original, back = read_recording(records / "a"), read_recording(records / "back")
    np.testing.assert_array_equal(back.samples, original.samples)
    assert (back.adc_gain, back.lead_names) == (original.adc_gain, original.lead_names)


@pytest.mark.parametrize("fmt", ["wfdb", "edf", "csv", "mat", "npz"])
def test_decode_writes_every_format(records: Path, capsys: Capture, fmt: str) -> None:
    out = records / "out"
    out.mkdir()
    facts = run_json(capsys, "decode", records / "a.ddc", "-o", out, "--format", fmt)
    assert sorted(facts["files"]) == sorted(str(path) for path in out.iterdir())
    back = read_recording(facts["target"])
    np.testing.assert_array_equal(back.samples, read_recording(records / "a").samples)


def test_nothing_is_overwritten_without_force(records: Path, capsys: Capture) -> None:
    before = (records / "a.hea").read_bytes()
    assert run("encode", records / "a.hea", *LOSSLESS) == 1
    assert run("decode", records / "a.ddc") == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert all("--force" in line for line in errors)
    assert (records / "a.hea").read_bytes() == before
    assert run("encode", records / "a.hea", *LOSSLESS, "--force") == 0
    assert run("decode", records / "a.ddc", "--force") == 0


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_goes_through_and_reports_a_bad_file(
    records: Path, capsys: Capture, jobs: int
) -> None:
    (records / "a.ddc").unlink()
    (records / "bad.hea").write_text("bad 1 300 10\nbad.dat 16 200 16 0 0 0 0 I\n")
    out = records.parent / "coded"
    assert run("encode", records, "-o", out, *LOSSLESS, "--jobs", jobs) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("dynamic-deep: ")
    assert "bad" in printed.err
    assert "2 recordings" in printed.out
    found = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert found == ["a.ddc", "sub/b.ddc"]
    back = records.parent / "back"
    facts = run_json(capsys, "decode", out, "-o", back, "--jobs", jobs)
    assert (facts["n_files"], facts["n_damaged"], facts["failed"]) == (2, 0, [])
    np.testing.assert_array_equal(
        read_recording(back / "sub" / "b").samples,
        read_recording(records / "sub" / "b").samples,
    )


def test_info_describes_the_file(records: Path, capsys: Capture) -> None:
    facts = run_json(capsys, "info", records / "a.ddc")
    assert facts["n_bytes"] == (records / "a.ddc").stat().st_size
    assert [lead["adc_gain"] for lead in facts["leads"]] == [200.0, 200.0]
    assert facts["damage"] == []
    (level,) = facts["levels"]
    assert (level["name"], level["n_frames"]) == ("lossless", 2)
    assert level["payload_bytes"] + facts["framing_bytes"] == facts["n_bytes"]
    assert run("info", records / "a.ddc") == 0
    shown = capsys.readouterr().out
    assert "every checksum right" in shown
    (line,) = [line for line in shown.splitlines() if line.startswith("lossless")]
    assert line.endswith("#" * 30)  # all frames: a whole bar


def test_damage_is_reported_and_the_rest_is_written(
    records: Path, capsys: Capture
) -> None:
    damage(records / "a.ddc")
    assert run("info", records / "a.ddc") == 1
    assert "DAMAGED" in capsys.readouterr().out
    facts = run_json(
        capsys, "decode", records / "a.ddc", "-o", records / "back", status=1
    )
    assert sum(place["n_frames"] for place in facts["damage"]) == 1
    original, back = read_recording(records / "a"), read_recording(records / "back")
    np.testing.assert_array_equal(back.samples[:, 1], original.samples[:, 1])
    assert set(back.samples[:, 0]) == {original.adc_baseline[0]}
    facts = run_json(capsys, "verify", records / "a.ddc", records / "a", status=1)
    assert not facts["passed"]


def test_a_file_that_is_none_is_one_line(records: Path, capsys: Capture) -> None:
    for path in (records / "a.hea", records / "missing.ddc", records):
        for command in (["info", path], ["verify", path, records / "a"]):
            assert run(*command) == 1
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith("dynamic-deep: ")


def test_verify_measures_and_judges(records: Path, capsys: Capture) -> None:
    exact = run_json(capsys, "verify", records / "a.ddc", records / "a.hea")
    assert exact["passed"]
    assert exact["exact"]
    coded = records / "near.ddc"
    assert (
        run("encode", records / "a", "-o", coded, *CLASSICAL, "--max-error-uv", 20) == 0
    )
    near = run_json(
        capsys, "verify", coded, records / "a", "--max-error-uv", 20, "--max-prdn", 50
    )
    assert near["max_error_adu"] == 4  # 20 uV at 200 units per mV
    assert near["max_error_uv"] == pytest.approx(20)
    assert near["n_bytes"] < exact["n_bytes"]
    strict = ("verify", coded, records / "a", "--max-prdn", 0.01)
    assert "PRDN" in run_json(capsys, *strict, status=1)["problems"][0]
    assert run("verify", coded, records / "a", "--max-error-uv", 10) == 1


def test_verify_has_the_distortions_of_the_glossary(
    records: Path, capsys: Capture
) -> None:
    from dynamic_deep import metrics

    coded = records / "near.ddc"
    run("encode", records / "sub" / "b", "-o", coded, *CLASSICAL, "--max-error-uv", 50)
    run("decode", coded, "-o", records / "back")
    x = read_recording(records / "sub" / "b").samples[:, 0]  # one window, one lead
    x_hat = read_recording(records / "back").samples[:, 0]
    facts = run_json(capsys, "verify", coded, records / "sub" / "b")
    assert facts["prd"] == pytest.approx(metrics.prd(x, x_hat))
    assert facts["prd1"] == pytest.approx(metrics.prd1(x, x_hat, baseline=0))
    assert facts["prdn"] == pytest.approx(metrics.prdn(x, x_hat))
    assert facts["prd01"] == pytest.approx(metrics.prd01(x, x_hat))


def test_verify_refuses_another_recording(records: Path, capsys: Capture) -> None:
    assert run("verify", records / "a.ddc", records / "sub" / "b") == 1
    assert "1 lead x 2,400 samples at 300 Hz" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["encode"],
        ["nonsense"],
        ["encode", "a.hea", "--level", "lossless", "--max-error-uv", "5"],
        ["encode", "a.hea", "--max-prdn", "5", "--max-error-uv", "5"],
        ["encode", "a.hea", "--max-prdn", "5", "--level", "lossless"],
        ["encode", "a.hea", "--level", "near_lossless"],
        ["encode", "a.hea", "--level", "gain_sixty"],
        ["encode", "a.hea", "--level", "lossless", "--jobs", "0"],
        ["encode", "a.hea", "--level", "lossless", "--json", "-o", "-"],
        ["encode", "a.hea", "--level", "lossless", "--format", "csv"],
        ["encode", "-", "--level", "lossless"],
        ["encode", ".", "--level", "lossless"],
        ["decode", "a.ddc", "-o", "a.csv", "--format", "edf"],
        ["decode", "a.ddc", "-o", "a.ddc"],
        ["decode", "a.ddc", "-o", "-", "--format", "wfdb"],
        ["decode", "."],
        ["verify", "a.ddc"],
        ["verify", "a.ddc", "a", "--max-prdn", "nan"],
        ["verify", "a.ddc", "a", "--bound", "0.1", "--risk", "5"],
        ["verify", "a.ddc", "a", "--risk", "0.1"],
        ["encode", "a.hea", "--bound", "rhythm"],
        ["calibrate", "classical", "a.hea"],
        ["evaluate", "a.hea", "--lead", "I"],
        ["data", "fetch", "everything"],
    ],
)
def test_wrong_usage_is_2(
    records: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    monkeypatch.chdir(records)
    before = sorted(os.listdir(records))
    bundle = list(CLASSICAL) if argv[:1] == ["encode"] else []
    assert main([*argv, *bundle]) == 2
    assert "usage: dynamic-deep" in capsys.readouterr().err
    assert sorted(os.listdir(records)) == before


def test_help_and_version_are_0(capsys: Capture) -> None:
    import dynamic_deep

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"dynamic-deep {dynamic_deep.__version__}\n"
    assert main(["encode", "--help"]) == 0
    assert "microvolts" in capsys.readouterr().out


def test_levels_lists_the_ladder(capsys: Capture) -> None:
    facts = run_json(capsys, "levels", *CLASSICAL)
    names = [level["name"] for level in facts["levels"]]
    assert names[:2] == ["lossless", "near_lossless"]
    assert run("levels", *CLASSICAL) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in names)
    assert "by a small network" not in text
    assert run("levels", "--bundle", CONTEXT) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if "by a small" in line] == ["wavelet_16"]


def test_the_demo_runs_and_keeps_its_files(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "demo"
    facts = run_json(capsys, "demo", *CLASSICAL, "-o", out)
    assert all(level["passed"] for level in facts["levels"])
    gains = {level["level"]: level["compression_gain"] for level in facts["levels"]}
    assert 2 < gains["lossless"] < gains["near_lossless"]
    assert (out / "demo.hea").is_file()
    assert run("info", out / "demo_lossless.ddc") == 0
    assert run("demo", *CLASSICAL, "-o", out) == 1  # nothing is overwritten


def test_a_cut_file_gives_what_is_there(records: Path, capsys: Capture) -> None:
    path = records / "a.ddc"
    path.write_bytes(path.read_bytes()[:-10])
    assert run("info", path) == 1
    assert "about 29.9 s" in capsys.readouterr().out  # a whole window is supposed
    assert run("verify", path, records / "a") == 1
    assert "end mark" in capsys.readouterr().err
    assert run("decode", path, "-o", records / "back") == 1
    original, back = read_recording(records / "a"), read_recording(records / "back")
    assert back.n_leads == original.n_leads
    path.write_bytes(path.read_bytes()[:200])
    assert run("decode", path, "-o", records / "none") == 1
    assert "whole frame" in capsys.readouterr().err
    assert not list(records.glob("none*"))
