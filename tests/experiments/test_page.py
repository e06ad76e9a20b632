# SPDX-License-Identifier: Apache-2.0
"""The page of the committed results: it can be written, and it is not stale."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from experiments import registry
from experiments.page import DOCS, README, made, page_files, sections, write_page
from experiments.results_file import read_results
from experiments.section import Figure, Section, Table

MAX_HTML_BYTES = 3_000_000


@pytest.fixture(scope="module")
def texts() -> dict[Path, str]:
    return page_files()


def test_the_generated_files_are_what_the_results_give(texts: dict[Path, str]) -> None:
    stale = [
        path.name
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, (
        f"{', '.join(stale)}: not what experiments/results gives; run `python -m "
        "experiments page` and commit what it writes"
    )


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    figures = tmp_path / "docs" / "figures"
    figures.mkdir(parents=True)
    for path in (DOCS / "figures").glob("*.svg"):
        shutil.copy(path, figures)
    readme = tmp_path / "README.md"
    shutil.copy(README, readme)
    write_page(tmp_path / "docs", readme)
    first = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    write_page(tmp_path / "docs", readme)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == first
    assert {"results.md", "results.html"} <= {path.name for path in first}


def test_every_part_says_something(texts: dict[Path, str]) -> None:
    page = texts[DOCS / "results.md"]
    parts = sections()
    assert parts
    assert len(made()) == len(parts)
    assert len({part.title for part in parts}) == len(parts), "a title comes twice"
    for part in parts:
        assert isinstance(part, Section)
        assert part.blocks
        assert f"## {part.title}" in page.replace("\\", "")
        for claim in part.claims:
            assert all((claim.claim, claim.command, claim.ours, claim.why)), claim
            assert re.search(r"python -m \w+ \w+|dynamic-deep \w+", claim.command)


def test_every_figure_is_there_and_says_what_it_shows() -> None:
    shown = {
        block.file: block
        for part in sections()
        for block in part.blocks
        if isinstance(block, Figure)
    }
    for file, figure in shown.items():
        assert (DOCS / "figures" / file).is_file()
        assert len(figure.alt) > 20, f"{file}: say what a reader must know"
    kept = {path.name for path in (DOCS / "figures").glob("*")}
    assert kept == set(shown), "each figure that is kept is on the page"


def test_no_table_is_without_rows() -> None:
    tables = [b for part in sections() for b in part.blocks if isinstance(b, Table)]
    assert tables
    assert all(table.rows for table in tables)


def test_links_of_the_page_lead_somewhere(texts: dict[Path, str]) -> None:
    page = texts[DOCS / "results.md"]
    targets = set(re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page))
    assert "glossary.md" in targets
    missing = [name for name in targets if not (DOCS / name).exists()]
    assert not missing
    anchors = re.findall(r"\]\(tried\.md#([^)]+)\)", page)
    tried = (DOCS / "tried.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", tried, re.MULTILINE)
    assert set(anchors) <= {title.lower().replace(" ", "-") for title in headings}


def test_the_html_is_one_file_that_can_be_mailed(texts: dict[Path, str]) -> None:
    page = texts[DOCS / "results.html"]
    assert len(page.encode()) < MAX_HTML_BYTES
    assert not re.search(r"<(script|link|img|iframe)\b|@import|url\((?!#)", page)


def test_results_of_an_experiment_that_is_gone_are_gone() -> None:
    results = (Path(registry.__file__).parent / "results").glob("*.json")
    assert {path.stem for path in results} <= set(registry.NAMES)
    assert any(read_results(name) for name in registry.NAMES)
