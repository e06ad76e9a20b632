# SPDX-License-Identifier: Apache-2.0
"""The few SVG elements that the plots are made of, and labels that keep apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_LABEL_HEIGHT = 15.0
_LETTER_WIDTH = 7.0


@dataclass(frozen=True)
class Label:
    """A text that wants to stand at a point."""

    x: float
    y: float
    text: str
    colour: str
    anchor: str = "start"


def draw_labels(
    labels: Sequence[Label], obstacles: Sequence[tuple[float, float]]
) -> list[str]:
    """Draw each label near its point, moved up or down until it covers nothing."""
    boxes = [(x - 5, x + 5, y - 5, y + 5) for x, y in obstacles]
    parts = []
    for label in sorted(labels, key=lambda label: label.y):
        width = _LETTER_WIDTH * len(label.text)

        def box(shift: float, label: Label = label, width: float = width) -> _Box:
            y = label.y + shift
            left = label.x - width * (label.anchor == "end")
            return left, left + width, y - _LABEL_HEIGHT + 3, y + 3

        shift = _free_shift(box, boxes)
        boxes.append(box(shift))
        parts.append(
            text(
                label.x, label.y + shift, label.text, label.colour, anchor=label.anchor
            )
        )
    return parts


_Box = tuple[float, float, float, float]


def _free_shift(box: Callable[[float], _Box], boxes: Sequence[_Box]) -> float:
    for distance in range(0, 90, 3):
        for shift in (-distance, distance):
            left, right, top, bottom = box(shift)
            if not any(
                left < b[1] and b[0] < right and top < b[3] and b[2] < bottom
                for b in boxes
            ):
                return shift
    return 0.0


def line(
    x1: float, y1: float, x2: float, y2: float, *, colour: str, width: float
) -> str:
    """Return a straight line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="{width:g}"/>'
    )


def text(
    x: float,
    y: float,
    words: str,
    colour: str,
    *,
    anchor: str = "start",
    more: str = "",
) -> str:
    """Return a text with a white rim, legible on any line below it."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" '
        f'paint-order="stroke" stroke="#fff" stroke-width="3" {more}>'
        f"{escape(words)}</text>"
    )
