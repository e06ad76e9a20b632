# SPDX-License-Identifier: Apache-2.0
"""The page of all results: docs/results.md, and docs/results.html with its figures.

README's front table is made of the same results and written with it.
"""

from __future__ import annotations

import os
from pathlib import Path

from experiments import registry
from experiments.page.front_table import front_block, with_front
from experiments.page.html import as_html
from experiments.page.markdown import as_markdown
from experiments.page.opening import Made, made_of
from experiments.results_file import CHECKOUT, read_results
from experiments.section import Section

DOCS = CHECKOUT / "docs"
README = CHECKOUT / "README.md"
OF_README = ("rate_distortion", "bound_table")


def sections() -> list[Section]:
    """Return the part of every experiment that has results, in order."""
    found = []
    for name in registry.NAMES:
        results = read_results(name)
        if results is not None:
            found.append(registry.find_experiment(name).section(results))
    return found


def made() -> list[Made]:
    """Return what made the results of every experiment that has some."""
    found = ((name, read_results(name)) for name in registry.NAMES)
    return [made_of(name, results) for name, results in found if results is not None]


def page_files(folder: Path = DOCS, readme: Path = README) -> dict[Path, str]:
    """Return what each generated file must hold.

    Args:
        folder: of the page, its figures in `figures` below.
        readme: whose front is replaced; left out while its results are missing.

    Raises:
        ConfigError: If a figure is missing, or README's marks are.
    """
    parts, files = sections(), made()
    texts = {
        folder / "results.md": as_markdown(parts, files),
        folder / "results.html": as_html(parts, folder / "figures", files),
    }
    rates, bounds = (read_results(name) for name in OF_README)
    if rates is not None and bounds is not None:
        old = readme.read_text(encoding="utf-8")
        texts[readme] = with_front(old, front_block(rates, bounds))
    return texts


def write_page(folder: Path = DOCS, readme: Path = README) -> None:
    """Write both forms and README's front beside, then rename."""
    for path, text in page_files(folder, readme).items():
        _write(path, text)


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
