# SPDX-License-Identifier: Apache-2.0
"""`python -m training`: what is asked for is what is trained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

from dynamic_deep.bundle import Bundle
from dynamic_deep.errors import ConfigError
from tests.signals import AWARE, COSINE
from training.__main__ import main
from training.cli_backend import show_progress
from training.datasets import Lead
from training.presets import find_preset

LEAD = Lead(record="a", lead=0, x=np.arange(2 * 8960, dtype=np.float32))


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads that were asked for; the backend of these tests runs already."""
    asked: list[int] = []
    for module in ("cli_codec", "cli_tasks", "cli_heads"):
        monkeypatch.setattr(f"training.{module}.start_backend", asked.append)
    return asked


def caught(monkeypatch: pytest.MonkeyPatch, name: str) -> dict[str, Any]:
    """Put a recorder in the place of a function."""
    calls: dict[str, Any] = {}

    def record(*args: Any, **options: Any) -> None:
        calls.update({"args": args}, **options)

    monkeypatch.setattr(name, record)
    return calls


def test_task_trains_a_task(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: list[int]
) -> None:
    call = caught(monkeypatch, "training.task_trainer.fit_task")
    run = str(tmp_path / "run")
    words = ["task", "rhythm_compact", "--codec", str(COSINE), "--run", run]
    assert main([*words, "--steps", "7", "--threads", "2"]) == 0
    preset, bundle, folder = call["args"]
    assert (preset.task, preset.n_steps) == ("rhythm", 7)
    assert bundle.name == "cosine"
    assert folder == Path(run)
    assert started == [2]


def test_aware_trains_phase_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    call = caught(monkeypatch, "training.task_aware.fit_task_aware")
    asked: dict[str, Any] = {}

    def trained(names: Any, runs: Path, *, size: str) -> str:
        asked.update(names=set(names), runs=runs, size=size)
        return "tasks"

    monkeypatch.setattr("training.task_source.trained_tasks", trained)
    folders = ["--phase-1", "one", "--tasks", "runs", "--run", str(tmp_path)]
    assert main(["aware", "standard_rpeaks", *folders]) == 0
    preset, begin, run = call["args"]
    assert (preset.phase_1, set(preset.tasks)) == ("standard", {"rpeaks"})
    assert (run, call["tasks"]) == (tmp_path, "tasks")
    assert begin.latents == find_preset("standard").networks.latents
    with pytest.raises(ConfigError, match="got 'one' without"):
        begin.load()
    assert asked == {"names": {"rpeaks"}, "runs": Path("runs"), "size": "compact"}


def test_aware_begins_from_bundles(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    call = caught(monkeypatch, "training.task_aware.fit_task_aware")
    asked: dict[str, Any] = {}

    def restored(bundle: Bundle, task: str, *, examples: Any) -> str:
        asked.update(bundle=bundle.name, n_examples=len(examples))
        return task

    monkeypatch.setattr("training.task_source.restore_task", restored)
    monkeypatch.setattr("training.task_source.load_leads", lambda *_, **__: [LEAD])
    words = ["aware", "edge", "--from-bundle", "edge", "--task-bundle", "monitor"]
    assert main([*words, "--run", str(tmp_path)]) == 0
    preset, begin, _ = call["args"]
    assert begin.latents == preset.networks.latents  # those of edge for tasks
    assert call["tasks"] == {"rhythm": "rhythm", "rpeaks": "rpeaks"}
    assert asked == {"bundle": "monitor", "n_examples": 2}


@pytest.mark.parametrize("words", [[], ["--phase-1", "a", "--from-bundle", "b"]])
def test_aware_begins_from_one_thing(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["aware", "edge", *words, "--tasks", "c", "--run", str(tmp_path)])


def named_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let trained tasks be the names of the folders that they would come from."""
    monkeypatch.setattr(
        "training.task_source.trained_tasks",
        lambda names, runs, **_: {name: f"{runs}/{name}" for name in names},
    )
    monkeypatch.setattr(
        "training.pipeline.adapted_tasks", lambda name, runs: f"{runs}/{name}_TASK"
    )


def test_aware_makes_a_bundle_on_demand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named_tasks(monkeypatch)
    caught(monkeypatch, "training.task_aware.fit_task_aware")
    call = caught(monkeypatch, "training.aware_export.export_codec")
    folders = ["--phase-1", "one", "--tasks", "runs", "--run", str(tmp_path)]
    assert main(["aware", "standard_rpeaks", *folders]) == 0
    assert not call
    assert main(["aware", "standard_rpeaks", *folders, "--out", "bundle"]) == 0
    assert call["args"][1:] == (tmp_path, Path("bundle"))
    assert call["tasks"] == {"rpeaks": "runs/rpeaks"}


def test_adapt_trains_phase_2b(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: list[int]
) -> None:
    named_tasks(monkeypatch)
    call = caught(monkeypatch, "training.task_adapt.fit_adapted")
    words = ["adapt", "rpeaks", "--codec", str(COSINE), "--tasks", "runs"]
    words += ["--run", str(tmp_path), "--steps", "5", "--threads", "2"]
    assert main(words) == 0
    preset, trained, bundles, run = call["args"]
    assert (preset.task.task, preset.n_steps) == ("rpeaks", 5)
    assert (trained, run) == ("runs/rpeaks", tmp_path)
    assert [bundle.name for bundle in bundles] == ["cosine"]
    assert started == [2]


def test_adapt_puts_the_task_in_a_copy_of_the_first_bundle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named_tasks(monkeypatch)
    monkeypatch.setattr("training.task_adapt.fit_adapted", lambda *_, **__: "adapted")
    put = caught(monkeypatch, "training.aware_export.put_tasks")
    words = ["adapt", "rpeaks_again", "--codec", str(COSINE), str(AWARE)]
    words += ["--tasks", "runs", "--run", "run", "--out", str(tmp_path / "new")]
    assert main(words) == 0
    assert put["args"] == (tmp_path / "new", {"rpeaks": "adapted"})
    assert (tmp_path / "new" / "body.tflite").exists()


def test_adapt_takes_the_mean_with_other_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named_tasks(monkeypatch)
    monkeypatch.setattr("training.task_adapt.fit_adapted", lambda *_, **__: "this")
    monkeypatch.setattr(
        "training.task_adapt.adapted_task",
        lambda preset, run: f"{run} of {preset.n_pairs} pairs",
    )
    means: list[list[str]] = []
    monkeypatch.setattr("training.averaged.mean_weights", means.append)
    caught(monkeypatch, "training.aware_export.put_tasks")
    words = ["adapt", "rpeaks_again", "--codec", str(COSINE), "--tasks", "runs"]
    words += ["--run", "run", "--mean-with", "rpeaks_again_pairs", "other"]
    assert main([*words, "--out", str(tmp_path / "new")]) == 0
    assert means == [["this", "other of 6 pairs"]]


@pytest.mark.parametrize("is_adapted", [False, True])
def test_heads_do_phase_3(
    is_adapted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named_tasks(monkeypatch)
    exported = caught(monkeypatch, "training.aware_export.export_codec")
    call = caught(monkeypatch, "training.pipeline.finish_bundle")
    words = ["heads", "edge", "--run", "run", "--tasks", "runs"]
    words += ["--adapted", "later"] if is_adapted else []
    assert main([*words, "--out", str(tmp_path / "bundle")]) == 0
    assert call["args"] == ("edge", Path("run"), tmp_path / "bundle")
    before = {"rhythm": "runs/rhythm", "rpeaks": "runs/rpeaks"}
    assert call["tasks"] == ("later/edge_TASK" if is_adapted else before)
    # A codec that isn't a bundle yet becomes one; one that is stays.
    assert exported["tasks"] == before
    exported.clear()
    assert main([*words, "--out", str(COSINE)]) == 0
    assert not exported


def test_pipeline_does_all(monkeypatch: pytest.MonkeyPatch, started: list[int]) -> None:
    call = caught(monkeypatch, "training.pipeline.run_pipeline")
    words = ["pipeline", "edge", "--runs", "runs", "--out", "bundle", "--threads", "2"]
    assert main(words) == 0
    assert call["args"] == ("edge", Path("runs"), Path("bundle"))
    assert call["progress"] is show_progress
    assert started == [2]


def test_fit_trains_and_exports_on_demand(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    call = caught(monkeypatch, "training.trainer.fit")
    assert main(["fit", "edge", "--run", str(tmp_path), "--steps", "9"]) == 0
    assert call["args"][0].n_steps == 9
    figures = {"bits_per_sample": 0.25, "prdn": 12.0, "advantage": 1.5}
    reached = {"n_steps": 9, "validation": {"gain_64": figures}, "levels": []}
    monkeypatch.setattr("training.export.export_bundle", lambda *words: reached)
    out = str(tmp_path / "bundle")
    assert main(["fit", "edge", "--run", str(tmp_path), "--out", out]) == 0
    shown = capsys.readouterr().out
    assert "edge after 9 steps" in shown
    assert "1.50 x the wavelet: left out" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["task", "rhythm", "--codec", "classical", "--run", "r"], "got 'rhythm'"),
        (["task", "rhythm_compact", "--codec", "no/such", "--run", "r"], "no/such"),
        (["fit", "huge", "--run", "r"], "got 'huge'"),
        (
            ["aware", "huge", "--phase-1", "p", "--tasks", "t", "--run", "r"],
            "got 'huge'",
        ),
        (
            ["adapt", "sleep", "--codec", "classical", "--tasks", "t", "--run", "r"],
            "got 'sleep'",
        ),
        (["heads", "huge", "--run", "r", "--tasks", "t", "--out", "o"], "got 'huge'"),
        (["pipeline", "huge", "--runs", "r", "--out", "o"], "got 'huge'"),
        (["records", "mitdb", "test"], "DYNAMIC_DEEP_DATA"),
    ],
)
def test_what_is_not_there_is_one_line(
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DYNAMIC_DEEP_DATA", "no/such/folder")
    assert main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith("training: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_row_is_one_line_a_person_reads(capsys: pytest.CaptureFixture[str]) -> None:
    show = show_progress(1000)
    row = {"step": 400, "n_new": 100, "seconds": 20.0, "loss": 0.25}
    show(row)
    show(row | {"prdn_gain_64": 16.26, "bps_gain_64": 0.2231})
    assert capsys.readouterr().out.splitlines() == [
        "400/1000, 2 min left: loss 0.2500",
        "400/1000, 2 min left: gain_64 16.3% 0.223b",
    ]


def test_a_reader_that_hangs_up_is_no_error() -> None:
    code = (
        "import training.datasets as datasets; from training.__main__ import main;"
        "datasets.record_paths = lambda *_: ['a' * 99] * 10_000;"
        "raise SystemExit(main(['records', 'mitdb', 'test']))"
    )
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "a" * 99 + "\n"
        process.stdout.close()
        assert process.stderr.read() == ""
