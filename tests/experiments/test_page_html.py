# SPDX-License-Identifier: Apache-2.0
"""The page as HTML: whole, of one file, and no figure takes another's names."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dynamic_deep.errors import ConfigError
from experiments.figure_style import draw_band, new_figure, save_figure
from experiments.page.html import as_html
from experiments.page.opening import Made
from experiments.page.svg import inline_svg
from experiments.section import Claim, Figure, Section, Table

VOID = {"meta", "br", "link", "img", "input", "hr"}
EVIL = '<script>alert("1")</script> & "quoted"'


class Page(HTMLParser):
    """Every element of a page; fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.styles: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, "left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {tag} {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"{tag} was not open"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.styles.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two figures whose clip paths have the same names, since they look the same."""
    folder = tmp_path_factory.mktemp("figures")
    for name in ("one", "two"):
        figure, axes = new_figure(size_in=(3.0, 2.0))
        draw_band(axes[0, 0], [0, 1], [(1, 0.5, 2), (2, 1, 3)], colour="#0072b2")
        save_figure(figure, name, folder=folder)
    return folder


@pytest.fixture(scope="module")
def text(figures: Path) -> str:
    table = Table(
        header=("level", "gain (95 %)"),
        rows=((EVIL, "86.3 (83.8-89)"), ("edge", "-")),
        caption=EVIL,
    )
    claim = Claim(
        claim=EVIL, command="python -m experiments run x", paper="1", ours="2", why="3"
    )
    sections = [
        Section(
            title="First & *foremost*",
            blocks=(
                EVIL,
                "- `a`\n- [b](bound.md)",
                table,
                Figure(file="one.svg", alt=EVIL),
            ),
            claims=(claim,),
        ),
        Section(title="Claims", blocks=(Figure(file="two.svg", alt="again"),)),
    ]
    made = [Made(name="x", command="python -m experiments run x", commit="12ab+")]
    return as_html(sections, figures, made)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_page_is_whole(page: Page) -> None:
    assert page.of("html") == [{"lang": "en"}]
    assert len(page.of("title")) == len(page.of("h1")) == len(page.of("main")) == 1
    assert {"charset": "utf-8"} in page.of("meta")
    assert any(meta.get("name") == "viewport" for meta in page.of("meta"))
    assert len(page.of("figure")) == len(page.of("figcaption")) == 2
    assert len(page.of("section")) == 2
    assert all(head["scope"] == "col" for head in page.of("th"))


def test_nothing_is_loaded_and_nothing_runs(page: Page, text: str) -> None:
    for name in ("script", "link", "img", "iframe", "object", "embed", "foreignobject"):
        assert not page.of(name), name
    for tag, attrs in page.elements:
        assert not any(key.startswith("on") for key in attrs), tag
        assert "src" not in attrs
    sheets = " ".join(page.styles)
    assert "@import" not in sheets
    assert not re.search(r"url\((?!#)", text)


def test_text_is_escaped(text: str) -> None:
    assert text.count("&lt;script&gt;") >= 5  # paragraph, cell, captions, claim
    assert "<script" not in text


def test_names_are_unique_and_references_lead_to_them(page: Page, text: str) -> None:
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = set(re.findall(r"url\(#([^)]+)\)", text))
    assert len(wanted) >= 2, "each figure clips its band"
    wanted |= {
        str(attrs["href"])[1:]
        for _, attrs in page.elements
        if str(attrs.get("href", "")).startswith("#")
    }
    wanted |= {
        str(attrs["aria-labelledby"])
        for _, attrs in page.elements
        if "aria-labelledby" in attrs
    }
    assert wanted <= set(ids)


def test_a_style_sheet_of_a_figure_speaks_of_it_alone(page: Page) -> None:
    own = [sheet for sheet in page.styles if "stroke-linejoin" in sheet]
    assert len(own) == 2
    for sheet in own:
        assert re.fullmatch(r"#figure-\d-\w+ \*\{[^}]*\}", sheet.strip()), sheet


def test_a_figure_keeps_its_shape(figures: Path) -> None:
    svg = inline_svg(figures / "one.svg", "name", "what it shows")
    original = (figures / "one.svg").read_text()
    assert re.findall(r'viewBox="[^"]+"', original)[0] in svg
    assert svg.count("<path") == original.count("<path")
    assert svg.count("<use") == original.count("<use")
    numbers = [re.findall(r'\sd="([^"]+)"', one) for one in (original, svg)]
    old, new = (
        [float(n) for path in paths for n in re.findall(r"-?\d+\.?\d*", path)]
        for paths in numbers
    )
    assert old == pytest.approx(new, abs=0.011)
    assert "rdf" not in svg.lower()
    assert 'transform="scale(0.015625)"' in svg, "glyphs must not be rounded away"


def test_a_missing_figure_says_what_to_do(figures: Path) -> None:
    with pytest.raises(ConfigError, match="python -m experiments run NAME"):
        inline_svg(figures / "three.svg", "x", "x")


@pytest.mark.parametrize("text", ["no xml", "<html></html>"])
def test_a_figure_that_is_no_svg_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.svg").write_text(text)
    with pytest.raises(ConfigError, match="must be SVG"):
        inline_svg(tmp_path / "x.svg", "x", "x")


def test_a_short_row_and_another_block_are_refused(figures: Path) -> None:
    table = Table(header=("a", "b"), rows=(("1",),))
    with pytest.raises(ConfigError, match="must have 2 cells"):
        as_html([Section(title="x", blocks=(table,))], figures)
    with pytest.raises(ConfigError, match="got float"):
        as_html([Section(title="x", blocks=(1.0,))], figures)  # type: ignore[arg-type]
