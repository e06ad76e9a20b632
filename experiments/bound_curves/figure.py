# SPDX-License-Identifier: Apache-2.0
"""Figures of the sweeps: gain, effective loss, shares of levels, number of levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.bound_curves.levels import draw_ladders, draw_shares
from experiments.bound_curves.looks import LOOKS, TITLES, X_LABELS, plain_ticks
from experiments.bound_curves.sweeps import (
    AS_PUBLISHED,
    CALIBRATED,
    WHOLE,
)
from experiments.figure_style import (
    INK,
    draw_band,
    new_figure,
    save_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_APART = 0.062  # of labels, as a share of the axis


def draw_all(results: Mapping[str, Any], *, folder: Path | None = None) -> list[str]:
    """Write the figures and return their names."""
    return [
        _curves(results, ("label", "raw"), "bound_curves_rhythm", folder),
        _curves(results, ("rpeaks", "weights"), "bound_curves_tasks", folder),
        draw_shares(results, folder),
        draw_ladders(results, folder),
    ]


def _curves(
    results: Mapping[str, Any], names: tuple[str, ...], file: str, folder: Path | None
) -> str:
    figure, axes = new_figure(2, 2, size_in=(11.5, 8.0), sharex="col")
    for column, name in enumerate(names):
        curves = results["curves"][name]
        above, below = axes[0, column], axes[1, column]
        above.set_title(TITLES[name], loc="left", fontsize=10)
        above.set_yscale("log")
        is_log = name in ("raw", "rpeaks")
        for ax in (above, below):
            if is_log:
                ax.set_xscale("log")
        _lines(above, curves, "gain")
        for key, points in curves.items():
            x, y = _xy(points, "mean_gain")
            above.plot(x, y, color=LOOKS[key][1], linewidth=0.7, alpha=0.7)
        plain_ticks(above)
        _lines(below, curves, "effective_loss")
        for key, points in curves.items():
            if key in (CALIBRATED, AS_PUBLISHED):
                x, y = _xy(points, "true_loss")
                below.plot(x, y, color=LOOKS[key][1], linewidth=0.9, linestyle=":")
        _bound_line(below, curves)
        below.set_xlabel(X_LABELS[name])
    axes[0, 0].set_ylabel("gain: thick sum over sum, thin mean of windows")
    axes[1, 0].set_ylabel("mean loss: solid effective, dotted true")
    return save_figure(figure, file, folder=folder)


def _bound_line(ax: Axes, curves: Mapping[str, Any]) -> None:
    """Draw the bound itself, as far as it is within view."""
    top = max(p["effective_loss"][2] for points in curves.values() for p in points)
    top = 1.25 * max(top, *(p["true_loss"][0] for p in curves[CALIBRATED]))
    x, y = _xy(curves[WHOLE], "bound")
    ax.plot(x, y, color=INK, linestyle="--", linewidth=1.0)
    ax.set_ylim(0.0, top)
    seen = [i for i, value in enumerate(y) if value <= 0.9 * top]
    if seen:
        place, text = (x[seen[-1]], y[seen[-1]]), "bound"
        ax.annotate(text, place, (-36, 2), textcoords="offset points", size=9)
    else:
        text = f"the bound, {min(y):g}, lies above"
        ax.annotate(text, (0.03, 0.95), xycoords="axes fraction", size=9)


def _lines(ax: Axes, curves: Mapping[str, Any], what: str) -> None:
    """Draw every choice with its band, and its name at its right end."""
    ends = []
    for key, points in curves.items():
        text, colour, style = LOOKS[key]
        x = [point["x"] for point in points]
        measures = [point[what] for point in points]
        draw_band(ax, x, measures, colour=colour, style=style, mark=".")
        ends.append((measures[-1][0], x[-1], text, colour))
    ax.autoscale_view()
    if what != "gain":
        ax.set_ylim(bottom=0.0)
    _write_ends(ax, ends)


def _write_ends(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Write labels right of the axis, none on another."""
    to_axes = ax.transScale + ax.transLimits
    spots = [
        (float(to_axes.transform((x, y))[1]), text, colour)
        for y, x, text, colour in ends
    ]
    spots.sort()
    floor = -1.0
    for height, text, colour in spots:
        floor = max(height, floor + LEAST_APART)
        ax.annotate(
            text,
            (1.02, floor),
            xycoords="axes fraction",
            color=colour,
            va="center",
            size=8,
            annotation_clip=False,
        )


def _xy(points: Sequence[Mapping[str, Any]], what: str) -> tuple[list[Any], list[Any]]:
    values = [point[what] for point in points]
    return (
        [point["x"] for point in points],
        [v[0] if isinstance(v, Sequence) else v for v in values],
    )
