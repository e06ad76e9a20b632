# SPDX-License-Identifier: Apache-2.0
"""The page as Markdown, read again by a parser of Markdown that is not ours."""

from __future__ import annotations

import re

import pytest

from dynamic_deep.errors import ConfigError
from experiments.page.inline import anchor_of, inline_markdown, parse_inline
from experiments.page.markdown import WIDTH, as_markdown, markdown_table, paragraph
from experiments.page.opening import Made, is_number_column, text_blocks
from experiments.section import Claim, Figure, Section, Table

# Everything that Markdown could take for something else.
TRICKY = (
    "class ~ of A, N, O, ~; ~10 % and ~20 %",
    "2 * 3 * 4 and a*b, 5 < 6 & 7 > 3, <script>alert(1)</script>, &lt;",
    "snake_case_name and _this_ and __that__, $5 and $6, back\\slash, a`tick",
    "[0, 1) and (a)[b] and ![c], # 1. - + > | =",
    "1. begins like a list",
    "- 3 dB",
    "+ 3 dB",
    "# no heading",
    "> no quotation",
)
TABLE = Table(
    header=("level", "gain (95 %)", "a|b"),
    rows=(
        ("standard/gain_64", "86.3 (83.8-89)", "x | y, `p|q`"),
        ("**edge**", "-", "two\nlines"),
    ),
    caption="Gains, *sum over sum*.",
)
SECTIONS = (
    Section(
        title="Table I: `paper` & ours",
        blocks=(
            "A **bold** word, `code | pipe`, *italic*, [a link](bound.md#x). " * 9,
            "- one\n- two that\n  goes on\n- three",
            "### Below\n\nText.",
            TABLE,
            Figure(file="curve.svg", alt="Gain [x] against `PRDN`"),
        ),
        claims=(
            Claim(
                claim="kept",
                command="python -m experiments run bound_table",
                paper="32.65",
                ours="80.6 (77.8-83.4)",
                why="bytes | elements",
            ),
        ),
    ),
    Section(title="Claims", blocks=("The same title again.",)),
)
MADE = (Made(name="x", command="python -m experiments run x", commit="12ab34cd56ef+"),)


def rendered(markdown: str) -> str:
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark")
    return parser.enable(["table", "strikethrough"]).render(markdown)


def words_of(html: str) -> str:
    from html import unescape

    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


@pytest.mark.parametrize("text", TRICKY)
def test_plain_text_stays_what_it_was(text: str) -> None:
    html = rendered(paragraph(text))
    assert words_of(html) == " ".join(text.split())
    assert re.fullmatch(r"<p>[^<]*</p>\s*", html), html


@pytest.mark.parametrize("text", TRICKY)
def test_text_breaks_without_becoming_a_block(text: str) -> None:
    long = f"{text.replace('`', '')} - " * 40  # two ticks would be code
    html = rendered(paragraph(long))
    assert words_of(html) == " ".join(long.split())
    assert html.count("<") == 2, "one paragraph and nothing else"


def test_lines_are_short_and_code_is_whole() -> None:
    text = paragraph("some words and `python -m experiments run all --x 1` too " * 20)
    assert all(len(line) <= WIDTH for line in text.split("\n"))
    assert all(line.count("`") % 2 == 0 for line in text.split("\n"))


def test_markup_is_what_it_says() -> None:
    html = rendered(inline_markdown("**b `c`** *i* `a**b` [l *i*](x.md)"))
    assert html.strip() == (
        "<p><strong>b <code>c</code></strong> <em>i</em> <code>a**b</code> "
        '<a href="x.md">l <em>i</em></a></p>'
    )


@pytest.mark.parametrize(
    "target", ["javascript:alert", "data:text/html,x", "//evil.example", "JaVa:x"]
)
def test_a_link_of_another_scheme_is_refused(target: str) -> None:
    with pytest.raises(ConfigError, match="a link must lead to"):
        parse_inline(f"[x]({target})")


def test_a_table_keeps_its_cells() -> None:
    html = rendered(markdown_table(TABLE))
    assert html.count("<td") == 6
    assert "x | y, <code>p|q</code>" in html
    assert "two lines" in html
    assert html.count('style="text-align:right"') == 3, "the column of numbers"


@pytest.mark.parametrize(
    ("cells", "is_number"),
    [
        (("86.3 (83.8-89)", "-", ""), True),
        (("4.0 % (2.7-5.4)", "0", "**1,234**"), True),
        (("1be2504bb3e4",), False),
        (("27 layers, as published in 2018, and more",), False),
        (("-", ""), False),
        (("exact", "1.2"), False),
    ],
)
def test_only_columns_of_numbers_stand_right(
    cells: tuple[str, ...], is_number: bool
) -> None:
    table = Table(header=("x",), rows=tuple((cell,) for cell in cells))
    assert is_number_column(table, 0) is is_number


def test_a_short_row_is_refused() -> None:
    with pytest.raises(ConfigError, match="must have 2 cells as its header, got 1"):
        markdown_table(Table(header=("a", "b"), rows=(("1",),)))


def test_another_block_is_refused() -> None:
    section = Section(title="x", blocks=(3,))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="got int"):
        as_markdown([section])


def test_the_page_is_in_order_and_always_the_same() -> None:
    page = as_markdown(SECTIONS, MADE)
    assert page == as_markdown(SECTIONS, MADE)
    places = [
        page.index(text)
        for text in (
            "python -m experiments page",
            "python -m experiments run all",
            "| claim | command | paper's figure or target | ours (95 %) |",
            "| **[Table I: `paper` & ours](#table-i-paper--ours)** |  |",
            "| kept | `python -m experiments run bound_table` | 32.65 |",
            "## Contents",
            "## Table I: `paper` & ours",
            "![Gain [x] against PRDN](figures/curve.svg)",
            "| `experiments/results/x.json` | `python -m experiments run x` | `12ab",
        )
    ]
    assert places == sorted(places)
    assert page.endswith("|\n")


def test_contents_lead_to_headings() -> None:
    page = as_markdown(SECTIONS, MADE)
    headings = re.findall(r"^#{1,3} (.+)$", page, re.MULTILINE)
    seen: dict[str, int] = {}
    anchors = set()
    for title in headings:
        anchor = anchor_of(title.replace("\\", ""))
        anchors.add(f"{anchor}-{seen[anchor]}" if anchor in seen else anchor)
        seen[anchor] = seen.get(anchor, 0) + 1
    links = re.findall(r"^- \[.+\]\(#(.+)\)$", page, re.MULTILINE)
    assert links == ["claims", "table-i-paper--ours", "claims-1", "files-of-results"]
    assert set(links) <= anchors


def test_text_falls_into_blocks() -> None:
    found = text_blocks("one\ntwo\n\n- a\n- b\n  c\n\n### T\n\n\nthree")
    assert [(block.kind, block.items) for block in found] == [
        ("paragraph", ("one two",)),
        ("list", ("a", "b c")),
        ("heading", ("T",)),
        ("paragraph", ("three",)),
    ]
