# SPDX-License-Identifier: Apache-2.0
"""The rate-distortion plot as SVG text: gain on a log axis against PRDN.

Colours are those of Okabe and Ito, which colour-blind readers tell apart; every level
is labelled where it stands, so that no legend has to be matched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dynamic_deep.bench.groups import (
    LOSSLESS,
    LZ77,
    NEAR_LOSSLESS,
    NEURAL,
    WAVELET,
)
from dynamic_deep.bench.result import BenchResult, BenchRow
from dynamic_deep.bench.svg import Label, draw_labels, line, text
from dynamic_deep.bench.table import number

ORANGE, SKY, GREEN = "#d55e00", "#56b4e9", "#007d5c"
BLUE, PURPLE, GREY, INK = "#0072b2", "#a8487c", "#767676", "#1a1a1a"
GROUP_COLOURS = {
    LZ77: GREY,
    LOSSLESS: GREY,
    NEAR_LOSSLESS: GREEN,
    WAVELET: ORANGE,
    NEURAL: BLUE,
}
_BUNDLE_COLOURS = (BLUE, PURPLE, GREEN, SKY)

_WIDTH, _HEIGHT = 960.0, 540.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 130.0, 16.0, 52.0
_TICKS = tuple(base * 10**power for power in range(5) for base in (1, 2, 5))


class _Axes:
    """Maps PRDN and gain to the pixels of the drawing."""

    def __init__(self, rows: Sequence[BenchRow]) -> None:
        lossy = [row.prdn for row in rows if math.isfinite(row.prdn)]
        self.max_prdn = _round_up(1.04 * max([*lossy, 4.0]))
        top = max([*(row.gain for row in rows), 10.0])
        self.max_gain = 1.15 * top
        self.min_gain = min(1.0, *(row.gain for row in rows))

    def x(self, prdn: float) -> float:
        share = (prdn if math.isfinite(prdn) else 0.0) / self.max_prdn
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, gain: float) -> float:
        share = math.log(gain / self.min_gain) / math.log(self.max_gain / self.min_gain)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def rate_distortion_svg(result: BenchResult) -> str:
    """Return the plot of all rows as one SVG element."""
    axes = _Axes(result.rows)
    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" '
        'xmlns="http://www.w3.org/2000/svg" '
        'aria-label="Compression gain against PRDN for every level">',
        *_grid(axes),
    ]
    labels: list[Label] = []
    lossless = [row for row in result.rows if row.group in (LZ77, LOSSLESS)]
    parts += _lossless_marks(axes, lossless, labels)
    for group, bundle, colour in _curves(result):
        rows = [
            row for row in result.rows if row.group == group and row.bundle == bundle
        ]
        parts += _curve(axes, rows, colour, labels)
    obstacles = [(axes.x(row.prdn), axes.y(row.gain)) for row in result.rows]
    parts += draw_labels(labels, obstacles)
    return "\n".join([*parts, "</svg>"])


def _round_up(value: float) -> float:
    step = 5.0 if value > 10 else 1.0
    return math.ceil(value / step) * step


def _curves(result: BenchResult) -> list[tuple[str, str, str]]:
    """Return (group, bundle, colour) of every line, each once."""
    found: dict[tuple[str, str], str] = {}
    n_neural = 0
    for row in result.rows:
        key = (row.group, row.bundle)
        if key in found or not row.bundle or row.group == LOSSLESS:
            continue
        found[key] = GROUP_COLOURS.get(row.group, INK)
        if row.group == NEURAL:
            found[key] = _BUNDLE_COLOURS[n_neural % len(_BUNDLE_COLOURS)]
            n_neural += 1
    return [(group, bundle, colour) for (group, bundle), colour in found.items()]


def _grid(axes: _Axes) -> list[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    for gain in _TICKS:
        if not axes.min_gain <= gain <= axes.max_gain:
            continue
        y = axes.y(gain)
        parts.append(line(_LEFT, y, right, y, colour="#e3e3e3", width=1))
        parts.append(text(_LEFT - 8, y + 4, f"{gain:g}", "#444", anchor="end"))
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 1e9) if axes.max_prdn / s <= 10)
    for i in range(int(axes.max_prdn / step) + 1):
        x = axes.x(i * step)
        parts.append(line(x, _TOP, x, bottom, colour="#e3e3e3", width=1))
        parts.append(text(x, bottom + 18, f"{i * step:g}", "#444", anchor="middle"))
    middle = (_LEFT + right) / 2
    parts.append(line(_LEFT, _TOP, _LEFT, bottom, colour="#444", width=1))
    parts.append(line(_LEFT, bottom, right, bottom, colour="#444", width=1))
    parts.append(
        text(middle, _HEIGHT - 12, "PRDN, mean over windows (%)", INK, anchor="middle")
    )
    turn = f'transform="rotate(-90 16 {bottom / 2:g})"'
    parts.append(
        text(
            16,
            bottom / 2,
            "gain (raw bytes / coded bytes)",
            INK,
            anchor="middle",
            more=turn,
        )
    )
    return parts


def _lossless_marks(
    axes: _Axes, rows: Sequence[BenchRow], labels: list[Label]
) -> list[str]:
    """Draw the lossless coders on the axis; label ours and the best of each group."""
    parts = []
    best: dict[tuple[str, bool], BenchRow] = {}
    for row in rows:
        y = axes.y(row.gain)
        colour = INK if row.bundle else GREY
        width = 3 if row.bundle else 1.5
        parts.append(line(_LEFT, y, _LEFT + 12, y, colour=colour, width=width))
        key = (row.group, bool(row.bundle))
        if key not in best or row.gain > best[key].gain:
            best[key] = row
    for row in best.values():
        name = f"{row.name}  {number(row.gain)}"
        place = (_LEFT + 16, axes.y(row.gain) + 4)
        labels.append(Label(*place, name, INK if row.bundle else GREY))
    return parts


def _curve(
    axes: _Axes, rows: Sequence[BenchRow], colour: str, labels: list[Label]
) -> list[str]:
    """Draw the levels of one group and bundle, joined by a line."""
    rows = sorted(rows, key=lambda row: row.prdn)
    points = [(axes.x(row.prdn), axes.y(row.gain)) for row in rows]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    is_wavelet = bool(rows) and rows[0].group == WAVELET
    dash = ' stroke-dasharray="7 4"' if is_wavelet else ""
    parts = [
        f'<polyline points="{path}" fill="none" stroke="{colour}" '
        f'stroke-width="2"{dash}/>'
    ]
    for row, (x, y) in zip(rows, points, strict=True):
        if not is_wavelet:
            parts += _whiskers(axes, row, colour, (x, y))
        parts.append(_marker(row.group, x, y, colour))
        if not is_wavelet:
            labels.append(_label_beside(row, x, y, colour))
    if is_wavelet:
        x, y = points[-1]
        prefix = f"{rows[-1].bundle}/"
        name = f"{prefix if rows[-1].name.startswith(prefix) else ''}wavelet"
        labels.append(Label(x + 9, y + 4, name, colour))
    return parts


def _label_beside(row: BenchRow, x: float, y: float, colour: str) -> Label:
    name = f"{row.name}  {number(row.gain)}"
    if row.group == NEURAL:  # above the curve, where a good level has free space
        return Label(x - 8, y - 7, name, colour, "end")
    return Label(x + 9, y + 4, name, colour)


def _whiskers(
    axes: _Axes, row: BenchRow, colour: str, point: tuple[float, float]
) -> list[str]:
    parts = []
    if row.gain_interval is not None:
        low = axes.y(row.gain_interval.low)
        high = axes.y(min(row.gain_interval.high, axes.max_gain))
        parts.append(line(point[0], low, point[0], high, colour=colour, width=1))
    if row.prdn_interval is not None:
        left = axes.x(row.prdn_interval.low)
        right = axes.x(min(row.prdn_interval.high, axes.max_prdn))
        parts.append(line(left, point[1], right, point[1], colour=colour, width=1))
    return parts


def _marker(group: str, x: float, y: float, colour: str) -> str:
    fill = f'fill="{colour}" stroke="#fff" stroke-width="1"'
    if group == WAVELET:
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" {fill}/>'
    if group == NEAR_LOSSLESS:
        place = f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z"
        return f'<path d="{place}" {fill}/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" {fill}/>'
