# SPDX-License-Identifier: Apache-2.0
"""Curves of coders in one panel, each with its name where it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.figure_style import draw_band
from experiments.rate_distortion.curves import DRAWN, look_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, Any]
Label = tuple[float, float, str, str]  # x, y, text, colour
FONT_PT = 8.5
_WIDTH = 0.56  # of a letter, as a share of the font's height
_GAP_PT = 7.0  # between a line's end and its label
_TICKS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


def curves_of(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each curve that is drawn, by gain."""
    found: dict[str, list[Row]] = {}
    for curve in DRAWN:
        points = [row for row in rows if row["curve"] == curve]
        if points:
            found[curve] = sorted(points, key=lambda row: row["gain"][0])
    return found


def draw_curves(
    ax: Axes, rows: Sequence[Row], measure: Callable[[Row], Sequence[float]]
) -> list[Label]:
    """Draw a measure against the gain, a line with its band a curve.

    Args:
        ax: where; the gain is along x. Its limits must be set: a line is named at its
            last point within them.
        rows: of all coders.
        measure: value, lower and upper end of a row.

    Returns:
        The labels of the lines, for `place_labels`.
    """
    labels = []
    for curve, points in curves_of(rows).items():
        look = look_of(curve)
        gains = [row["gain"][0] for row in points]
        values = [measure(row) for row in points]
        draw_band(
            ax, gains, values, colour=look.colour, mark=look.mark, style=look.style
        )
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        shown = [
            (x, float(y[0]))
            for x, y in zip(gains, values, strict=True)
            if left <= x <= right and bottom <= y[0] <= top
        ]
        if shown:
            labels.append((*shown[-1], look.label, look.colour))
    return labels


def place_labels(ax: Axes, labels: Sequence[Label]) -> None:
    """Write labels beside their points, the lower ones pushed down where they overlap.

    The panel's scales and limits must be set, and its figure laid out.
    """
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    to_points = 72.0 / ax.figure.dpi
    bottom, top = (to_points * float(y) for y in (ax.bbox.ymin + 4, ax.bbox.ymax))
    right = to_points * float(ax.bbox.xmax)
    placed: list[tuple[float, float, float]] = []  # left, right, middle
    at_points = [
        tuple(to_points * v for v in ax.transData.transform((x, y)))
        for x, y, _, _ in labels
    ]
    order = sorted(range(len(labels)), key=lambda i: -at_points[i][1])
    for i in order:
        x, y, text, colour = labels[i]
        left, middle = at_points[i][0] + _GAP_PT, min(max(at_points[i][1], bottom), top)
        width = _WIDTH * FONT_PT * len(text)
        if left + width > right + 60.0:  # would leave the picture
            left = at_points[i][0] - _GAP_PT - width
        middle = _free(placed, left, left + width, middle)
        placed.append((left, left + width, middle))
        offset = left - at_points[i][0], middle - at_points[i][1]
        ax.annotate(
            text,
            (x, y),
            xytext=offset,
            textcoords="offset points",
            color=colour,
            va="center",
            fontsize=FONT_PT,
            # Not a stroke around each letter, which makes the file five times larger.
            bbox={"facecolor": "white", "alpha": 0.75, "pad": 0.6, "linewidth": 0},
            zorder=6,
        )


def _free(
    placed: Sequence[tuple[float, float, float]],
    left: float,
    right: float,
    middle: float,
) -> float:
    """Return the highest place at or below `middle` that no label has."""
    height = 1.15 * FONT_PT
    for low, high, other in sorted(placed, key=lambda box: -box[2]):
        if left < high and low < right and abs(middle - other) < height:
            middle = other - height
    return middle


def scale_gain(ax: Axes, low: float, high: float, *, is_y: bool = False) -> None:
    """Make an axis logarithmic, with plain numbers at powers of two."""
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    names = [str(tick) for tick in ticks]
    if is_y:
        ax.set_yscale("log")
        ax.set_ylim(low, high)
        ax.set_yticks(ticks, names)
    else:
        ax.set_xscale("log")
        ax.set_xlim(low, high)
        ax.set_xticks(ticks, names)
    ax.minorticks_off()
