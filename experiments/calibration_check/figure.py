# SPDX-License-Identifier: Apache-2.0
"""The figures of calibration: observed against promised risk, a panel a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.calibration_check.page import Cell, places_of
from experiments.figure_style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    label_line,
    new_figure,
    save_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = (
    ("rhythm", ("monitor",)),
    ("rhythm", ("edge",)),
    ("rpeaks", ("monitor", "edge")),
)
TITLES = {"rhythm": "rhythm", "rpeaks": "R peaks"}
STYLES = {"monitor": ("o", "-"), "edge": ("s", "--")}
COLOURS = (SKY, GREEN, BLUE, PURPLE, ORANGE)
PEAK_COLOURS = (BLUE, VERMILION)
LOW, HIGH = 0.1, 100.0  # percent; what is less is drawn at the lower edge
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def draw(results: Mapping[str, Any], kind: str, *, folder: Path | None = None) -> str:
    """Write the figure of a kind and return its name.

    Args:
        results: of the experiment.
        kind: home or shift.
        folder: docs/figures if None.
    """
    places = places_of(results["cells"], kind)
    figure, axes = new_figure(
        len(places), 3, size_in=(13.0, 4.2 * len(places)), sharex=True, sharey=True
    )
    for row, (place, cells) in zip(axes, places.items(), strict=True):
        for ax, (task, bundles) in zip(row, PANELS, strict=True):
            of_panel = [
                cell
                for cell in cells
                if cell["task"] == task and cell["bundle"] in bundles
            ]
            _panel(ax, of_panel)
            title = f"{TITLES[task]}, {' and '.join(bundles)}\n{place}"
            ax.set_title(title, loc="left", fontsize=8.5)
        row[0].set_ylabel("found over the bound, % of windows\n(or of segments)")
    for ax in axes[-1]:
        ax.set_xlabel("promised, %")
    _name_bundles(axes[0, -1])
    return save_figure(figure, f"calibration_{kind}", folder=folder)


def _panel(ax: Axes, cells: Sequence[Cell]) -> None:
    risks = np.array(sorted({100.0 * cell["risk"] for cell in cells}))
    edges = np.array([0.7 * risks[0], 1.4 * risks[-1]])
    ax.fill_between(edges, edges, HIGH, color="#f6e3dc", linewidth=0, zorder=0)
    ax.plot(edges, edges, color=INK, linewidth=1, linestyle="--")
    asked = list(dict.fromkeys(cell["asked"] for cell in cells))
    palette = COLOURS if len(asked) > len(PEAK_COLOURS) else PEAK_COLOURS
    ends: list[tuple[float, str, str]] = []
    for i, name in enumerate(asked):
        for k, bundle in enumerate(STYLES):
            line = [c for c in cells if (c["asked"], c["bundle"]) == (name, bundle)]
            if not line:
                continue
            shift = 1.0 + 0.06 * (i - len(asked) / 2 + 0.5 * k)  # side by side
            end = _line(ax, line, palette[i], shift=shift)
            if all(name != other for _, other, _ in ends):
                ends.append((end, name, palette[i]))
    _label_ends(ax, edges[1], ends)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(edges[0], 4.4 * edges[1])
    ax.set_ylim(LOW, HIGH)
    ax.set_xticks(risks, [f"{risk:g}" for risk in risks])
    ax.set_yticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    ax.minorticks_off()
    ax.annotate(
        "more than was promised",
        (0.02, 0.97),
        xycoords="axes fraction",
        va="top",
        fontsize=8.5,
        color=VERMILION,
    )


def _line(ax: Axes, cells: Sequence[Cell], colour: str, *, shift: float) -> float:
    """Draw one bound of one bundle; return where its line ends."""
    mark, style = STYLES[cells[0]["bundle"]]
    x = [100.0 * shift * cell["risk"] for cell in cells]
    value, low, high = np.clip(
        100.0 * np.array([cell["observed"] for cell in cells]), LOW, HIGH
    ).T
    ax.vlines(x, low, high, color=colour, linewidth=0.9, alpha=0.7)
    ax.plot(x, value, style, color=colour, marker=mark, markersize=4, linewidth=1.3)
    return float(value[-1])


def _label_ends(ax: Axes, x: float, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write the bounds right of their lines, the higher ones pushed up."""
    at = 0.0
    for y, name, colour in sorted(ends):
        at = max(y, 1.32 * at)
        label_line(ax, x, at, name, colour=colour, offset=(0, 0))


def _name_bundles(ax: Axes) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=INK, marker=mark, linestyle=style, markersize=4)
        for mark, style in STYLES.values()
    ]
    ax.legend(handles, list(STYLES), frameon=False, loc="lower right", fontsize=8.5)
