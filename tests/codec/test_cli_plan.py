# SPDX-License-Identifier: Apache-2.0
"""Which file the command line writes for which file it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynamic_deep.cli.failures import UsageError
from dynamic_deep.cli.plan import plan_folder, plan_one, with_ending
from dynamic_deep.errors import InvalidSignalError


@pytest.mark.parametrize(
    ("name", "ending", "expected"),
    [
        ("100.hea", ".ddc", "100.ddc"),
        ("100", ".ddc", "100.ddc"),
        ("patient.01", ".ddc", "patient.01.ddc"),
        ("patient.01.hea", ".ddc", "patient.01.ddc"),
        ("A.EDF", ".ddc", "A.ddc"),
        ("100.ddc", "", "100"),
        ("100.ddc", ".csv", "100.csv"),
    ],
)
def test_endings(name: str, ending: str, expected: str) -> None:
    assert with_ending(Path("in", name), ending) == Path("in", expected)


def test_one_file_goes_beside_its_source_or_into_a_folder(tmp_path: Path) -> None:
    source = tmp_path / "100.hea"
    (tmp_path / "out").mkdir()
    assert plan_one(source, None, ".ddc").target == tmp_path / "100.ddc"
    into = plan_one(source, str(tmp_path / "out"), ".ddc").target
    assert into == tmp_path / "out" / "100.ddc"
    assert plan_one(source, "-", ".ddc").target is None


def test_a_file_is_not_written_over_itself(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("")
    with pytest.raises(UsageError, match="itself"):
        plan_one(source, str(source), ".ddc")


def test_a_folder_keeps_its_structure_and_its_names_apart(tmp_path: Path) -> None:
    names = ["100.hea", "sub/100.hea", "sub/a.csv", "sub/a.edf"]
    sources = [tmp_path / name for name in names]
    jobs = plan_folder(tmp_path, sources, "out", ".ddc")
    assert [str(job.target) for job in jobs] == [
        "out/100.ddc",
        "out/sub/100.ddc",
        "out/sub/a.csv.ddc",
        "out/sub/a.edf.ddc",
    ]


def test_a_folder_needs_a_folder_to_write_to(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("")
    for out in (None, "-", str(source)):
        with pytest.raises(UsageError):
            plan_folder(tmp_path, [source], out, ".ddc")


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidSignalError, match="nothing"):
        plan_folder(tmp_path, [], "out", ".ddc")
