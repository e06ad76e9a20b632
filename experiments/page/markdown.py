# SPDX-License-Identifier: Apache-2.0
"""The page of all results as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dynamic_deep.errors import ConfigError
from experiments.page.inline import escape_markdown, inline_markdown, plain_text
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
from experiments.section import Figure, Section, Table

FIGURES = "figures"  # beside the page
WIDTH = 120
# A line that began with one of these would be no longer part of its paragraph.
_BLOCK_MARK = re.compile(r"[-+>#=|]|\d+(?=[.)]$)")
_WORD = re.compile(r"(?:`[^`]*`|\S)+")  # code is not broken


def as_markdown(sections: Sequence[Section], made: Sequence[Made] = ()) -> str:
    """Return the page.

    Args:
        sections: of the experiments, in order.
        made: what made each file of results.

    Raises:
        ConfigError: If a table's row has not as many cells as its header.
    """
    titles = [CLAIMS, *(section.title for section in sections), FILES]
    places = _anchors(titles)
    contents = [
        f"- [{inline_markdown(title)}](#{place})"
        for title, place in zip(titles, places, strict=True)
    ]
    claims = claims_table(sections, places[1:-1])
    parts = [f"# {TITLE}", *(paragraph(text) for text in introduction())]
    parts += [f"## {CLAIMS}", markdown_table(claims)]
    parts += ["## Contents", "\n".join(contents)]
    for section in sections:
        parts += [f"## {inline_markdown(section.title)}", *_blocks(section.blocks)]
    parts += [f"## {FILES}", *_table(files_table(made))]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """Return a table without its caption.

    Raises:
        ConfigError: If a row has not as many cells as the header.
    """
    check_rows(table)
    n_columns = len(table.header)
    rule = "|".join(
        "---:" if is_number_column(table, i) else "---" for i in range(n_columns)
    )
    return "\n".join([_row(table.header), f"|{rule}|", *(_row(r) for r in table.rows)])


def _anchors(titles: Sequence[str]) -> list[str]:
    # "Contents" stands between the first heading and the others, "Results" before all.
    all_titles = [TITLE, titles[0], "Contents", *titles[1:]]
    found = anchors(all_titles)
    return [found[1], *found[3:]]


def _blocks(blocks: Iterable[str | Table | Figure]) -> list[str]:
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, str):
            parts += _text(block)
        elif isinstance(block, Table):
            parts += _table(block)
        elif isinstance(block, Figure):
            alt = escape_markdown(one_line(plain_text(block.alt)))
            parts.append(f"![{alt}]({FIGURES}/{block.file})")
        else:
            raise ConfigError(
                f"a block must be text, a Table or a Figure, got {type(block).__name__}"
            )
    return parts


def _text(text: str) -> list[str]:
    parts = []
    for block in text_blocks(text):
        if block.kind == "list":
            parts.append("\n".join(paragraph(item, "- ") for item in block.items))
        elif block.kind == "heading":
            parts.append(f"### {inline_markdown(block.items[0])}")
        else:
            parts.append(paragraph(block.items[0]))
    return parts


def _table(table: Table) -> list[str]:
    parts = [paragraph(table.caption)] if table.caption else []
    return [*parts, markdown_table(table)]


def _row(cells: Sequence[str]) -> str:
    texts = (inline_markdown(one_line(cell)).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(texts)} |"


def paragraph(text: str, mark: str = "") -> str:
    """Return a text in lines; those after the first stand under the mark."""
    lines, line = [], mark
    words = _WORD.findall(inline_markdown(one_line(text)))
    if words and (begun := _BLOCK_MARK.match(words[0])):
        at = begun.end() if begun[0].isdigit() else 0
        words[0] = f"{words[0][:at]}\\{words[0][at:]}"
    for word in words:
        is_first = line.strip() in ("", mark.strip())
        is_full = len(line) + 1 + len(word) > WIDTH
        if is_full and not is_first and not _BLOCK_MARK.match(word):
            lines.append(line)
            line = " " * len(mark) + word
        else:
            line = line + word if is_first else f"{line} {word}"
    return "\n".join([*lines, line])
