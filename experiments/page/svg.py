# SPDX-License-Identifier: Apache-2.0
"""A figure's SVG as a part of an HTML page, which holds others beside it.

Names are made its own, so that a clip path of one figure is not taken for another's,
and its style sheet speaks of it alone. What says how the file was made is left out.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from xml.etree import ElementTree

from dynamic_deep.errors import ConfigError

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_LEFT_OUT = {"metadata", "title", "desc"}
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_DECIMALS = re.compile(r"(\.\d\d)\d+")  # a hundredth of a point is seen by nobody
_ROUNDED = {"d", "x", "y"}


def inline_svg(path: Path, name: str, label: str) -> str:
    """Return the element `svg` of a file, ready to stand in a page.

    Args:
        path: of the file.
        name: goes before each of its names; unique in the page.
        label: what a reader who can't see it hears.

    Raises:
        ConfigError: If there is no such file, or it is no SVG.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError as error:
        raise ConfigError(
            f"a figure of the page must be in docs/figures, {path.name} is not; run "
            "its experiment again, `python -m experiments run NAME`"
        ) from error
    except ElementTree.ParseError as error:
        raise ConfigError(
            f"a figure must be SVG, {path.name} is not: {error}"
        ) from None
    if root.tag != f"{_SVG}svg":
        raise ConfigError(f"a figure must be SVG, {path.name} holds {root.tag!r}")
    width = root.get("width", "").removesuffix("pt")
    kept = {"viewBox": root.get("viewBox", "")}
    if re.fullmatch(r"[\d.]+", width):
        kept["style"] = f"max-width: {float(width) / 72:.3g}in"
    _drop_idle_names(root)
    root.attrib.clear()
    root.attrib.update({"id": "", **kept, "role": "img", "aria-label": label})
    return _element(root, name)


def _drop_idle_names(root: ElementTree.Element) -> None:
    """Leave out the names that nothing refers to: most of them."""
    used = set()
    for node in root.iter():
        for key, value in node.attrib.items():
            used |= set(_REFERENCE.findall(value))
            if key in (_HREF, "href"):
                used.add(value.removeprefix("#"))
    for node in root.iter():
        if node.get("id") not in used:
            node.attrib.pop("id", None)


def _element(node: ElementTree.Element, name: str) -> str:
    tag = node.tag.removeprefix(_SVG)
    attributes = "".join(
        f' {key}="{escape(value)}"'
        for key, value in (_attribute(k, v, name) for k, v in node.attrib.items())
    )
    inside = escape(node.text or "", quote=False).strip()
    if tag == "style":
        inside = _own_style(node.text or "", name)
    children = (child for child in node if _is_kept(child))
    inside += "".join(_element(child, name) for child in children)
    tail = escape(node.tail or "", quote=False).strip()
    return f"<{tag}{attributes}>{inside}</{tag}>{tail}\n"


def _is_kept(node: ElementTree.Element) -> bool:
    return node.tag.removeprefix(_SVG) not in _LEFT_OUT


def _attribute(key: str, value: str, name: str) -> tuple[str, str]:
    if key == "id":
        return key, f"{name}-{value}" if value else name
    if key in (_HREF, "href"):
        return "href", f"#{name}-{value[1:]}" if value.startswith("#") else value
    value = _REFERENCE.sub(rf"url(#{name}-\1)", value)
    if key in _ROUNDED:
        value = _DECIMALS.sub(r"\1", " ".join(value.split()))
    return key, value


def _own_style(text: str, name: str) -> str:
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", text)
    return "".join(
        f"#{name} {selector.strip()}{{{body.strip()}}}" for selector, body in rules
    )
