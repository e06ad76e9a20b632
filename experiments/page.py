# SPDX-License-Identifier: Apache-2.0
"""The page of all results: docs/results.md, and docs/results.html with its figures."""

from __future__ import annotations

import os
from pathlib import Path

from experiments import registry
from experiments.page_html import as_html
from experiments.page_markdown import as_markdown
from experiments.results_file import CHECKOUT, read_results
from experiments.section import Section

DOCS = CHECKOUT / "docs"


def sections() -> list[Section]:
    """Return the part of every experiment that has results, in order."""
    found = []
    for name in registry.NAMES:
        results = read_results(name)
        if results is not None:
            found.append(registry.find_experiment(name).section(results))
    return found


def write_page(folder: Path = DOCS) -> None:
    """Write both forms beside, then rename."""
    parts = sections()
    _write(folder / "results.md", as_markdown(parts))
    _write(folder / "results.html", as_html(parts, folder / "figures"))


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
