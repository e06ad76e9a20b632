# SPDX-License-Identifier: Apache-2.0
"""The page of all results as one HTML file that needs nothing beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from dynamic_deep.errors import ConfigError
from experiments.page.inline import inline_html, plain_text
from experiments.page.look import STYLE
from experiments.page.opening import (
    CLAIMS,
    FILES,
    TITLE,
    Made,
    anchors,
    check_rows,
    claims_table,
    files_table,
    introduction,
    is_number_column,
    one_line,
    text_blocks,
)
from experiments.page.svg import inline_svg
from experiments.section import Figure, Section, Table

CLAIMS_CLASS = "claims"
TITLE_HTML = f"Dynamic-Deep: {TITLE.lower()}"


def as_html(
    sections: Sequence[Section], figures_folder: Path, made: Sequence[Made] = ()
) -> str:
    """Return the page.

    Args:
        sections: of the experiments, in order.
        figures_folder: where their SVG files are.
        made: what made each file of results.

    Raises:
        ConfigError: If a figure is missing or no SVG, or a table's row has not as many
            cells as its header.
    """
    titles = [CLAIMS, *(section.title for section in sections), FILES]
    places = anchors(titles)
    table = claims_table(sections, places[1:-1])
    claims = _table(table, CLAIMS_CLASS, label=CLAIMS)
    body = [_heading(CLAIMS, places[0]), claims, _contents(titles, places)]
    figures = _Figures(figures_folder)
    for section, place in zip(sections, places[1:-1], strict=True):
        body.append(f'<section aria-labelledby="{place}">')
        body.append(_heading(section.title, place))
        body += [_block(block, figures) for block in section.blocks]
        body.append("</section>")
    body += [_heading(FILES, places[-1]), _table(files_table(made), label=FILES)]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(TITLE_HTML)}</title>",
            f"<style>{STYLE}</style>\n</head>\n<body>\n<header>",
            f"<h1>{escape(TITLE_HTML)}</h1>",
            *(f"<p>{inline_html(text)}</p>" for text in introduction()),
            "</header>\n<main>",
            *body,
            "</main>\n</body>\n</html>\n",
        ]
    )


class _Figures:
    """Figures of a folder; each that is shown gets a name of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._n_shown = 0

    def show(self, figure: Figure) -> str:
        """Return a figure on its card, with what it shows below."""
        self._n_shown += 1
        stem = re.sub(r"[^a-z0-9]+", "-", Path(figure.file).stem.lower())
        alt = one_line(figure.alt)
        svg = inline_svg(
            self._folder / figure.file,
            f"figure-{self._n_shown}-{stem}",
            plain_text(alt),
        )
        return (
            f'<figure><div class="card">{svg}</div>'
            f"<figcaption>{inline_html(alt)}</figcaption></figure>"
        )


def _contents(titles: Sequence[str], places: Sequence[str]) -> str:
    items = "".join(
        f'<li><a href="#{place}">{inline_html(title)}</a></li>'
        for title, place in zip(titles, places, strict=True)
    )
    return f'<nav aria-label="Contents"><h2>Contents</h2><ul>{items}</ul></nav>'


def _heading(title: str, place: str) -> str:
    return f'<h2 id="{place}"><a href="#{place}">{inline_html(title)}</a></h2>'


def _block(block: str | Table | Figure, figures: _Figures) -> str:
    if isinstance(block, str):
        return _text(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Figure):
        return figures.show(block)
    raise ConfigError(
        f"a block must be text, a Table or a Figure, got {type(block).__name__}"
    )


def _text(text: str) -> str:
    parts = []
    for block in text_blocks(text):
        if block.kind == "list":
            items = "".join(f"<li>{inline_html(item)}</li>" for item in block.items)
            parts.append(f"<ul>{items}</ul>")
        elif block.kind == "heading":
            parts.append(f"<h3>{inline_html(block.items[0])}</h3>")
        else:
            parts.append(f"<p>{inline_html(block.items[0])}</p>")
    return "\n".join(parts)


def _table(table: Table, kind: str = "", *, label: str = "") -> str:
    check_rows(table)
    columns = range(len(table.header))
    classes = [' class="n"' if is_number_column(table, i) else "" for i in columns]
    head = "".join(
        f'<th scope="col"{name}>{inline_html(text)}</th>'
        for name, text in zip(classes, table.header, strict=True)
    )
    marks = classes
    if kind == CLAIMS_CLASS:  # on a phone each cell says what it is
        marks = [
            f'{name} data-of="{escape(plain_text(of))}"'
            for name, of in zip(classes, table.header, strict=True)
        ]
    rows = "\n".join(_row(row, marks) for row in table.rows)
    caption = (
        f"<caption>{inline_html(table.caption)}</caption>" if table.caption else ""
    )
    label = escape(plain_text(label or table.caption or "Table"))
    name = f' class="{kind}"' if kind else ""
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{label}">'
        f"<table{name}>{caption}<thead><tr>{head}</tr></thead>\n"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(cells: Sequence[str], marks: Sequence[str]) -> str:
    texts = (
        f"<td{mark}>{inline_html(one_line(cell))}</td>"
        for cell, mark in zip(cells, marks, strict=True)
    )
    return f"<tr>{''.join(texts)}</tr>"
