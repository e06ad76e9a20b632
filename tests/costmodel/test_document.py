# SPDX-License-Identifier: Apache-2.0
"""docs/cost.md says what the command says, but for what hangs on a machine's speed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from costmodel.cli import main
from costmodel.report_text import usd


@pytest.fixture
def document(checkout: Path) -> str:
    return (checkout / "docs" / "cost.md").read_text(encoding="utf-8")


def test_the_first_table_is_that_of_the_report(
    document: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--json"]) == 0
    for row in json.loads(capsys.readouterr().out)["models"]:
        found = re.search(rf"^\| {re.escape(row['title'])} \|.*$", document, re.M)
        assert found, row["title"]
        cells = [cell.strip() for cell in found[0].split("|")[2:-1]]
        assert cells[0].split(",")[0] == f"{row['gain']:.4g}"
        assert cells[1] == usd(row["bill"]["storage_usd"])
        assert cells[2] == usd(row["bill"]["operations_usd"])


def test_its_figures_are_there(document: str, checkout: Path) -> None:
    names = re.findall(r"\]\((\w+\.svg)\)", document)
    assert names == ["cost_fetch.svg", "cost_sensitivity.svg"]
    assert all((checkout / "docs" / name).is_file() for name in names)
