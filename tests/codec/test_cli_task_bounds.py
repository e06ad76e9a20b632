# SPDX-License-Identifier: Apache-2.0
"""Bounds on a task's error from the command line, on a bundle of rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep import Codec, read_recording, write_recording
from dynamic_deep.bound_policy import Calibrated
from dynamic_deep.bundle import load_bundle
from dynamic_deep.calibration import load_calibration
from dynamic_deep.cli import main
from dynamic_deep.synthetic import simulate_ecg
from tests.foretelling import LEVELS, foretelling_bundle, install
from tests.signals import COSINE

BUNDLE = ("--bundle", COSINE)
OWN_TASK = """
import numpy as np

class Spread:
    name, references = "spread", ("raw",)
    def answer(self, x): return np.array([x.std()])
    def error(self, reference, answer): return float(abs(answer / reference - 1)[0])
    def label_error(self, label, answer): raise ValueError(label)

def make(): return Spread()
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module", autouse=True)
def _rules() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        yield
    with pytest.MonkeyPatch.context() as patch:
        install(patch)  # empties the caches of the rules' bundle


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three records of two leads, their calibration, labels and a task."""
    folder = tmp_path_factory.mktemp("bounds")
    (folder / "records").mkdir()
    for seed in (1, 2, 3):
        recording = simulate_ecg(130.0, fs=300.0, n_leads=2, seed=seed, name=f"r{seed}")
        write_recording(folder / "records" / f"r{seed}.hea", recording)
    (folder / "own.py").write_text(OWN_TASK)
    (folder / "labels.csv").write_text("r1,N\nr2,A\nr3,N\n")
    calibrate = ["calibrate", COSINE, folder / "records", "-o", folder / "own.npz"]
    assert run(*calibrate, "--same-patients", "--quiet") == 0
    return folder


def run(*argv: object) -> int:
    return main([str(argument) for argument in argv])


def run_json(capsys: Capture, *argv: object, status: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run(*argv, "--json") == status
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


def test_a_bound_is_encoded_as_by_the_policy_of_the_calibration(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    source, coded = folder / "records" / "r1.hea", tmp_path / "r1.ddc"
    options = ("--bound", 0.2, "--risk", 0.3, "--calibration", folder / "own.npz")
    facts = run_json(capsys, "encode", source, "-o", coded, *BUNDLE, *options)
    assert set(facts["levels"]) <= {*LEVELS, "lossless"}
    from dynamic_deep.cli.requirements import requirement_of
    from tests.codec.test_cli_requirements import parse

    args = parse("--bound", "0.2", "--risk", "0.3")
    bundle = foretelling_bundle(load_bundle(COSINE))
    calibration = load_calibration(bundle, folder / "own.npz")
    policy: Any = Calibrated(requirement_of(args.bound, args), calibration)
    expected = Codec(bundle).encode(read_recording(source), policy=policy)
    assert coded.read_bytes() == expected


def test_check_keeps_every_window_and_verify_sees_it(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    source, coded = folder / "records" / "r1.hea", tmp_path / "r1.ddc"
    bound = ("--bound", "rhythm=0.2,rpeaks=0.5")
    facts = run_json(capsys, "encode", source, "-o", coded, *BUNDLE, *bound, "--check")
    assert facts["compression_gain"] > 8
    verify = ("verify", coded, source, *BUNDLE)
    tasks = run_json(capsys, *verify, *bound)["tasks"]
    assert (tasks["n_parts"], tasks["n_violations"]) == (10, 0)
    assert max(w["errors"]["rhythm"] for w in tasks["windows"]) > 0
    # A stricter bound is broken by just those windows whose error is above it.
    errors = [w["errors"]["rhythm"] for w in tasks["windows"]]
    limit = sorted(errors)[4]
    strict = run_json(capsys, *verify, "--bound", limit, status=1)
    assert strict["tasks"]["n_violations"] == sum(e > limit for e in errors) > 0
    assert "at most 5 % of the windows" in strict["problems"][0]
    lenient = run_json(capsys, *verify, "--bound", limit, "--risk", 0.7)
    assert lenient["passed"]


def test_verify_counts_leads_and_segments(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    source, coded = folder / "records" / "r2.hea", tmp_path / "r2.ddc"
    run("encode", source, "-o", coded, *BUNDLE, "--level", "gain_64")
    verify = ("verify", coded, source, *BUNDLE, "--bound", "rpeaks=0", "--risk", 0.99)
    windows = run_json(capsys, *verify)["tasks"]
    assert [lead["n_parts"] for lead in windows["leads"]] == [5, 5]
    parts = run_json(capsys, *verify, "--per", "segment")["tasks"]
    # 130 s at 300 Hz: four whole windows and 3160 samples, 18 segments a lead.
    assert [lead["n_parts"] for lead in parts["leads"]] == [18, 18]
    over = [w["errors"]["rpeaks"] > 0 for w in windows["windows"]]
    assert [w["n_violations"] > 0 for w in parts["windows"]] == over
    capsys.readouterr()
    run(*verify, "--per", "segment")
    shown = capsys.readouterr().out
    assert f"{parts['n_violations']} of 36 segments with changed beats" in shown
    # A window whose rhythm is lost counts whole, as in what is promised.
    both = ("--bound", "rhythm=0,rpeaks=0", "--risk", 0.99, "--per", "segment")
    found = run_json(capsys, *verify[:5], *both, status=1)["tasks"]["windows"]
    lost = [w for w in found if w["errors"]["rhythm"] > 0]
    assert len(lost) > 0
    assert all(w["n_violations"] == w["n_parts"] for w in lost)


def test_a_lossless_file_breaks_no_bound(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    source, coded = folder / "records" / "r1.hea", tmp_path / "exact.ddc"
    run("encode", source, "-o", coded, *BUNDLE, "--level", "lossless")
    facts = run_json(
        capsys, "verify", coded, source, *BUNDLE, "--bound", "rhythm=0,rpeaks=0"
    )
    assert facts["tasks"]["n_violations"] == 0


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_task_of_the_user_is_kept_in_every_process(
    folder: Path, tmp_path: Path, capsys: Capture, jobs: int
) -> None:
    task = f"{folder / 'own.py'}:make"
    classical = ("--bundle", "classical")
    options = ("--bound", f"{task}=0.01", "--check", "--jobs", jobs)
    out = tmp_path / "coded"
    facts = run_json(
        capsys, "encode", folder / "records", "-o", out, *classical, *options
    )
    assert facts["n_failed"] == 0
    assert facts["compression_gain"] > 8
    for name in ("r1", "r2", "r3"):
        verify = ("verify", out / f"{name}.ddc", folder / "records" / name)
        found = run_json(capsys, *verify, "--bound", 0.01, "--task", task)["tasks"]
        assert found["n_violations"] == 0
        assert found["tasks"][0]["worst"]["error"] > 0


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        ([], 1, "make one by `dynamic-deep calibrate`"),
        (["--bundle", "classical"], 1, "no error heads"),
        (["--calibration", "OWN", "--risk", "0.001"], 1, "can certify"),
        (["--calibration", "OWN", "--task", "own.py:make"], 2, "needs --check"),
        (["--calibration", "OWN", "--fallback", "gain_1"], 2, "--fallback"),
        (["--calibration", "OWN", "--reference", "label"], 1, "labelled windows"),
        (["--check", "--reference", "label"], 2, "leave --reference out"),
        (["--check", "--risk", "0.1"], 2, "--risk contradicts --check"),
        (["--check", "--task", "beats"], 1, "rhythm, rpeaks, FILE.py:FUNCTION"),
        (["--level", "gain_64"], 2, "--level contradicts --bound"),
        (["--max-prdn", "9"], 2, "--max-prdn contradicts --bound"),
        (["--fallback", "near_lossless"], 2, "no bound of its own"),
    ],
)
def test_what_can_not_be_is_one_clear_error(
    folder: Path,
    tmp_path: Path,
    capsys: Capture,
    options: list[str],
    status: int,
    told: str,
) -> None:
    options = [str(folder / "own.npz") if o == "OWN" else o for o in options]
    bundle = () if "--bundle" in options else BUNDLE
    coded = tmp_path / "a.ddc"
    argv = ("encode", folder / "records" / "r1", "-o", coded, "--bound", "0.1")
    assert run(*argv, *bundle, *options) == status
    assert told in capsys.readouterr().err
    assert not coded.exists()


def test_calibrate_tells_what_it_can_promise(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "b.npz"
    argv = ("calibrate", COSINE, folder / "records", "-o", out, "--lead", 0)
    facts = run_json(capsys, *argv, "--max-windows", 3)
    assert (facts["n_windows"], facts["n_recordings"], facts["n_left_out"]) == (9, 3, 0)
    assert facts["least_risk"] == 0.25  # of three patients, and one to come
    same = ("--same-patients", "--force")
    facts = run_json(capsys, *argv, "--max-windows", 3, *same)
    assert facts["least_risk"] == 0.1  # of nine windows
    assert run(*argv, "--max-windows", 3, "--force") == 0
    shown = capsys.readouterr().out
    assert "from 25 % up, for other patients" in shown
    assert "3 are few" in shown
    assert "--risk 0.25" in shown  # what is told to be typed must work
    trials = load_calibration(foretelling_bundle(load_bundle(COSINE)), out).trials
    assert list(np.unique(trials.records)) == ["r1", "r2", "r3"]
    assert trials.levels == LEVELS
    assert run(*argv) == 1
    assert "--force" in capsys.readouterr().err
    assert run(*argv[:4], tmp_path / "b.bin") == 2
    assert run("calibrate", "classical", folder, "-o", tmp_path / "c.npz") == 1
    assert "no error heads" in capsys.readouterr().err


def test_evaluate_prints_the_table(folder: Path, capsys: Capture) -> None:
    argv = ("evaluate", folder / "records", *BUNDLE, "--labels", folder / "labels.csv")
    options = ("--calibration", folder / "own.npz", "--risk", 0.3)
    bounds = ("--bound", 0.2, "--bound", "rpeaks=0.1")
    facts = run_json(capsys, *argv, *options, *bounds)
    rhythm, rpeaks = facts["bounds"]
    assert (facts["n_windows"], facts["n_labelled"]) == (30, 3)
    assert (rhythm["limits"], rpeaks["limits"]) == ({"rhythm": 0.2}, {"rpeaks": 0.1})
    by_name = {choice["name"]: choice for choice in rhythm["choices"]}
    gains = {name: choice["gain"]["value"] for name, choice in by_name.items()}
    oracle = gains["oracle, whole ladder"]
    assert gains["raw windows, lossless"] < gains["oracle, gain_64, none"] <= oracle
    assert gains["oracle, gain_64, none"] <= gains["oracle, gain_64, gain_32, none"]
    assert by_name["oracle, whole ladder"]["violations"]["value"] == 0
    # Calibrated on these same windows, so the promise holds on them.
    assert by_name["calibrated"]["violations"]["value"] <= 0.3
    assert 0 <= by_name["calibrated"]["weighted_f1"]["value"] <= 1
    capsys.readouterr()
    assert run(*argv, *options) == 0
    shown = capsys.readouterr().out
    assert "rhythm <= 0.1" in shown
    assert max(map(len, shown.splitlines())) <= 130
    assert all(name in shown for name in by_name if not name.startswith("fixed"))


def test_evaluate_without_a_calibration_has_the_oracles(
    folder: Path, capsys: Capture
) -> None:
    argv = ("evaluate", folder / "records" / "r1", *BUNDLE, "--max-windows", 2)
    facts = run_json(capsys, *argv)
    names = [choice["name"] for choice in facts["bounds"][0]["choices"]]
    assert names[:2] == ["raw windows, lossless", "oracle, whole ladder"]
    assert facts["calibration"] is None
    assert facts["bounds"][0]["choices"][0]["weighted_f1"]["value"] is None
    assert run(*argv, "--reference", "label") == 2
    assert "label of every recording" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "told"),
    [("r1,X\n", "A, N, O, ~"), ("r9,N\n", "none of them"), ("", "none in")],
)
def test_wrong_labels_are_told(
    folder: Path, tmp_path: Path, capsys: Capture, content: str, told: str
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(content)
    argv = ("evaluate", folder / "records" / "r1", *BUNDLE, "--labels", labels)
    assert run(*argv) == 1
    assert told in capsys.readouterr().err


def test_labels_may_have_a_header(tmp_path: Path) -> None:
    from dynamic_deep.cli.labels import read_labels

    path = tmp_path / "labels.csv"
    path.write_text("split,label,record\ntest,N,A1\ntest,~,A2\n\n")
    assert read_labels(path) == {"A1": "N", "A2": "~"}


def test_levels_names_the_tasks(capsys: Capture) -> None:
    facts = run_json(capsys, "levels", *BUNDLE)
    assert (facts["tasks"], facts["calibrations"]) == (["rhythm", "rpeaks"], [])
    assert tuple(facts["bound_levels"]) == LEVELS
    assert run("levels", *BUNDLE) == 0
    shown = capsys.readouterr().out
    assert "rhythm, rpeaks" in shown
    assert f"among {', '.join(LEVELS)}\n" in shown
