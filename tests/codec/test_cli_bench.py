# SPDX-License-Identifier: Apache-2.0
"""`bench` and `data`, whose work is tested where it is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dynamic_deep import Recording, write_recording
from dynamic_deep.cli import data, main

Capture = pytest.CaptureFixture[str]
SMALL = ["--bundle", "classical", "--levels", "lossless", "--baselines", "zlib -9"]


@pytest.fixture
def record(tmp_path: Path, recording: Recording) -> Path:
    write_recording(tmp_path / "a.hea", recording)
    return tmp_path / "a.hea"


def test_bench_prints_a_table_and_writes_a_page(record: Path, capsys: Capture) -> None:
    page = record.with_name("page.html")
    argv = ["bench", str(record), *SMALL, "--max-windows", "1"]
    assert main([*argv, "--html", str(page)]) == 0
    table = capsys.readouterr().out
    assert "zlib -9" in table
    assert "lossless" in table
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html")
    assert main([*argv, "--html", str(page)]) == 1
    assert "--force" in capsys.readouterr().err
    assert main([*argv, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in facts["rows"]} == {"zlib -9", "lossless"}


def test_bench_reports_what_it_could_not_read(record: Path, capsys: Capture) -> None:
    argv = ["bench", str(record), str(record.with_name("no.hea")), *SMALL]
    assert main([*argv, "--max-windows", "1"]) == 1
    printed = capsys.readouterr()
    assert "no.hea" in printed.err
    assert "zlib -9" in printed.out


@pytest.mark.parametrize("variable", [True, False])
def test_data_goes_where_it_is_told(
    record: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, variable: bool
) -> None:
    asked: list[tuple[str, Path]] = []

    def fetch(name: str, dest: Path, *, progress: Callable[..., None]) -> Path:
        progress(name, 1, 2)
        asked.append((name, dest))
        return record.parent

    monkeypatch.setattr(data, "fetch", fetch)
    monkeypatch.setenv("DYNAMIC_DEEP_DATA", "from-variable")
    dest = [] if variable else ["--dest", "from-option"]
    assert main(["data", "fetch", "mitdb", *dest]) == 0
    assert asked == [("mitdb", Path("from-variable" if variable else "from-option"))]
    assert "1 record," in capsys.readouterr().out
