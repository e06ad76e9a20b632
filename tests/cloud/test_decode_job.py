# SPDX-License-Identifier: Apache-2.0
"""Decode jobs on this machine, and the command line: what is done, told and kept."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from dynamic_deep.cli import main
from dynamic_deep.cli.parser_cloud_decode import names, time_utc
from dynamic_deep.cloud.decode_job import DecodeJob, read_report
from dynamic_deep.cloud.decode_report import (
    MAX_NAMED,
    MAX_TOLD,
    JobReport,
    SessionReport,
)
from dynamic_deep.cloud.pool_run import run_local
from dynamic_deep.cloud.store import open_store
from dynamic_deep.errors import ConfigError
from tests.cloud.sessions import (
    START,
    aware_codec,
    aware_settings,
    ecg_session,
    everything,
    put_session,
)
from tests.signals import AWARE


@pytest.fixture(scope="module")
def coded() -> bytes:
    return aware_codec().encode(ecg_session(40.0), level="gain_32")


@pytest.fixture
def ward(tmp_path: Path, coded: bytes) -> Path:
    """A store with four whole sessions and two that are none."""
    folder = tmp_path / "ward"
    for hour in (0, 1):
        put_session(folder, coded, device="bed-1", hour=hour)
        put_session(folder, coded, device="bed-2", hour=hour)
    put_session(folder, coded[:-40], device="bed-3")
    put_session(folder, b"nothing", device="bed-4")
    return folder


def job_of(store: Path | str, out: Path | str, **changes: object) -> DecodeJob:
    job = DecodeJob(
        store_url=str(store), out_url=str(out), settings=aware_settings(wfdb=True)
    )
    return dataclasses.replace(job, **changes)  # type: ignore[arg-type]


def test_one_process_and_several_write_the_same_bytes(
    ward: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    one = run_local(job_of(ward, tmp_path / "a"), told=lambda r: told.append(r.name))
    two = run_local(job_of(ward, tmp_path / "b"), n_processes=2)
    assert one == two
    assert (one.n_done, one.n_failed, one.n_incomplete) == (5, 1, 1)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    assert len(set(told)) == 6
    assert read_report(open_store(tmp_path / "b")) == two
    named = [session.name.split("/")[1] for session in two.incomplete]
    assert named == ["bed-3", "bed-4"]


def test_only_the_sessions_in_question_are_decoded(ward: Path, tmp_path: Path) -> None:
    chosen = job_of(
        ward,
        tmp_path / "out",
        devices=("bed-1", "bed-9"),
        start=START + timedelta(minutes=90),
        end=START + timedelta(hours=9),
    )
    report = run_local(chosen)
    assert report.n_sessions == 1
    (name,) = [n for n in everything(tmp_path / "out") if n.endswith(".parquet")]
    assert "bed-1/2026/11/27/10/" in name


def test_again_does_what_is_done(ward: Path, tmp_path: Path) -> None:
    job = job_of(ward, tmp_path / "out")
    assert run_local(job).n_kept == 0
    assert (run_local(job).n_kept, run_local(job).n_done) == (5, 0)
    assert run_local(dataclasses.replace(job, again=True)).n_done == 5


def test_a_killed_job_goes_on_where_it_was(
    ward: Path, tmp_path: Path, command_env: Callable[..., dict[str, str]]
) -> None:
    script = (
        "import os, signal\n"
        "from dynamic_deep.cloud.pool_run import run_local\n"
        "from tests.cloud.test_decode_job import job_of\n"
        "def stop(report):\n"
        "    if 'bed-2' in report.name: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"run_local(job_of({str(ward)!r}, {str(tmp_path / 'out')!r}), told=stop)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], env=command_env())
    assert killed.returncode == -signal.SIGKILL
    report = run_local(job_of(ward, tmp_path / "out"))
    assert (report.n_kept, report.n_done, report.n_failed) == (3, 2, 1)
    whole = run_local(job_of(ward, tmp_path / "fresh"))
    assert whole.n_rows == report.n_rows
    rows = {n: d for n, d in everything(tmp_path / "out").items() if "report" not in n}
    fresh = everything(tmp_path / "fresh")
    assert rows == {name: data for name, data in fresh.items() if "report" not in name}


def test_a_job_in_cloud_storage_is_that_of_a_folder(
    ward: Path, tmp_path: Path, emulator_url: str
) -> None:
    pytest.importorskip("google.cloud.storage")
    run_local(job_of(ward, tmp_path / "out"))
    remote = open_store(f"{emulator_url}/in")
    for name, data in everything(ward).items():
        remote.put(name, data)
    report = run_local(job_of(f"{emulator_url}/in", f"{emulator_url}/out"))
    assert (report.n_done, report.n_failed) == (5, 1)
    out = open_store(f"{emulator_url}/out")
    local = everything(tmp_path / "out")
    for name in local:
        if not name.startswith(("done/", "report")):  # they name generations, or errors
            assert out.get(name) == local[name]
    assert run_local(job_of(f"{emulator_url}/in", f"{emulator_url}/out")).n_kept == 5


def test_reports_add_up_in_any_order() -> None:
    problems = tuple(f"problem {i}" for i in range(20))
    sessions = [
        SessionReport(name=f"s{i:05}", status="failed", n_rows=i, problems=problems)
        for i in range(MAX_NAMED + 5)
    ]
    parts = [JobReport.of(session) for session in sessions]
    whole = JobReport.sum(parts)
    assert JobReport.sum(reversed(parts)) == whole
    assert JobReport.sum([JobReport.sum(parts[:7]), JobReport.sum(parts[7:])]) == whole
    assert (whole.n_failed, len(whole.incomplete)) == (MAX_NAMED + 5, MAX_NAMED)
    assert whole.n_rows == sum(range(MAX_NAMED + 5))
    assert len(whole.incomplete[0].problems) == MAX_TOLD + 1
    assert whole.incomplete[0].problems[-1] == "and 15 more"
    assert JobReport.from_json(json.loads(json.dumps(whole.as_json()))) == whole
    assert JobReport.sum([]) == JobReport()


def decode_args(ward: Path, out: Path) -> list[str]:
    tail = ["-o", str(out), "--bundle", str(AWARE), "--jobs", "1"]
    return ["cloud", "decode", str(ward), *tail]


def test_the_command_tells_what_is_wrong_and_exits_1(
    ward: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*decode_args(ward, tmp_path / "out"), "--json"]) == 1
    printed = capsys.readouterr()
    facts = json.loads(printed.out)
    assert (facts["n_done"], facts["n_failed"], facts["n_incomplete"]) == (5, 1, 1)
    lines = printed.err.strip().splitlines()
    assert len(lines) == 2
    assert "bed-3" in lines[0]
    assert "end mark" in lines[0]
    assert "bed-4" in lines[1]
    assert "failed" in lines[1]


def test_the_command_exits_0_where_all_is_whole(
    ward: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = ["--devices", "bed-1,bed-2", "--from", "2026-11-27T10:30"]
    only += ["--to", "2026-11-28"]
    assert main([*decode_args(ward, tmp_path / "out"), *only]) == 0
    printed = capsys.readouterr()
    assert "2 sessions: 2 done" in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (["--tasks", "rhythm,stress"], 1, "'stress'"),
        (["--task-bundle", "nowhere"], 1, "'nowhere'"),
        (["--beam", "--x"], 2, "--beam needs a --runner"),
        (["--runner", "FnApiRunner"], 2, "--jobs is for"),
        (["--runner", "CarrierPigeon"], 2, "invalid choice"),
        (["--from", "yesterday"], 2, "yesterday"),
    ],
)
def test_wrong_options_are_told(
    ward: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    status: int,
    told: str,
) -> None:
    assert main([*decode_args(ward, tmp_path / "out"), *options]) == status
    assert told in capsys.readouterr().err


def test_a_store_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(decode_args(tmp_path / "none", tmp_path / "out")) == 1
    assert "must be a folder" in capsys.readouterr().err


def test_a_missing_pyarrow_is_told(
    ward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"dynamic-deep\[cloud\]"):
        run_local(job_of(ward, tmp_path / "out"))


def test_times_and_names_are_read_as_meant() -> None:
    assert time_utc("2026-11-27T09:00") == datetime(2026, 11, 27, 9, tzinfo=UTC)
    summer = timezone(timedelta(hours=2))
    assert time_utc("2026-06-27T09:00+02:00") == datetime(2026, 6, 27, 9, tzinfo=summer)
    assert names("rhythm, rpeaks") == ("rhythm", "rpeaks")
    assert names("none") == ()
    with pytest.raises(argparse.ArgumentTypeError):
        names("rhythm,")
