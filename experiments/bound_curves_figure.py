# SPDX-License-Identifier: Apache-2.0
"""Figures of the sweeps: gain, effective loss, shares of levels, number of levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bound_curves_ladder import NONE
from experiments.bound_curves_sweeps import (
    AS_PUBLISHED,
    CALIBRATED,
    LENIENT,
    PAPER_THREE,
    PAPER_TWO,
    THREE,
    TWO,
    WHOLE,
)
from experiments.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    draw_band,
    new_figure,
    save_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Label, colour and style of each choice.
LOOKS = {
    WHOLE: ("oracle, all levels", INK, "-"),
    CALIBRATED: ("calibrated", BLUE, "-"),
    LENIENT: ("calibrated, else wavelet_24", SKY, "-"),
    THREE: ("oracle 64, 32, none", GREEN, "--"),
    TWO: ("oracle 64, none", ORANGE, "--"),
    AS_PUBLISHED: ("as published", VERMILION, "-"),
    PAPER_THREE: ("its oracle 64, 32, none", PURPLE, ":"),
    PAPER_TWO: ("its oracle 64, none", GREY, ":"),
}
X_LABELS = {
    "label": "bound: cross entropy to the label, nats",
    "raw": "bound: divergence from the raw answer, nats",
    "rpeaks": "bound: 1 - F1 of R peaks at 50 ms",
    "weights": "weight of the rhythm w; bound 0.1 on w KL + (1 - w)(1 - F1)",
}
TITLES = {
    "label": "Rhythm against labels, CinC 2017",
    "raw": "Rhythm against the raw answer, CinC 2017",
    "rpeaks": "R peaks, MIT-BIH lead 0",
    "weights": "Both tasks, CinC 2017",
}
LEAST_APART = 0.062  # of labels, as a share of the axis


def draw_all(results: Mapping[str, Any], *, folder: Path | None = None) -> list[str]:
    """Write the figures and return their names."""
    return [
        _curves(results, ("label", "raw"), "bound_curves_rhythm", folder),
        _curves(results, ("rpeaks", "weights"), "bound_curves_tasks", folder),
        _shares(results, folder),
        _ladders(results, folder),
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
        _plain_ticks(above)
        _lines(below, curves, "effective_loss")
        for key, points in curves.items():
            if key in (CALIBRATED, AS_PUBLISHED):
                x, y = _xy(points, "true_loss")
                below.plot(x, y, color=LOOKS[key][1], linewidth=0.9, linestyle=":")
        points = curves[WHOLE]
        x, y = _xy(points, "bound")
        below.plot(x, y, color=INK, linestyle="--", linewidth=1.0)
        top = max(p["effective_loss"][2] for v in curves.values() for p in v)
        top = max(top, max(p["true_loss"][0] for p in curves[CALIBRATED]))
        below.set_ylim(0.0, 1.25 * top)
        seen = [i for i, value in enumerate(y) if value <= 1.15 * top]
        at = seen[len(seen) // 2] if seen else 0
        below.annotate(
            "bound",
            (x[at], min(y[at], 1.15 * top)),
            (-34, 4),
            textcoords="offset points",
            size=9,
        )
        below.set_xlabel(X_LABELS[name])
    axes[0, 0].set_ylabel("gain: thick sum over sum, thin mean of windows")
    axes[1, 0].set_ylabel("mean loss: solid effective, dotted true")
    return save_figure(figure, file, folder=folder)


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


def _plain_ticks(ax: Axes) -> None:
    low, high = ax.get_ylim()
    ticks = [v for v in (5, 10, 20, 50, 100, 200, 500, 1000) if low <= v <= high]
    ax.set_yticks(ticks, [str(v) for v in ticks])
    ax.minorticks_off()


def _shares(results: Mapping[str, Any], folder: Path | None) -> str:
    figure, axes = new_figure(2, 2, size_in=(11.5, 7.5), sharey=True, sharex="col")
    for column, name in enumerate(("label", "raw")):
        for row, key in enumerate((CALIBRATED, WHOLE)):
            ax = axes[row, column]
            _stack(ax, results["curves"][name][key])
            ax.set_title(f"{TITLES[name]}: {LOOKS[key][0]}", loc="left", fontsize=10)
            if name == "raw":
                ax.set_xscale("log")
        axes[1, column].set_xlabel(X_LABELS[name])
    for ax in axes[:, 0]:
        ax.set_ylabel("windows, %")
    return save_figure(figure, "bound_levels", folder=folder)


def _stack(ax: Axes, points: Sequence[Mapping[str, Any]]) -> None:
    from matplotlib import colormaps

    names = [NONE, *(name for name in points[0]["levels"] if name != NONE)]
    x = [point["x"] for point in points]
    shares = np.array([[100 * p["levels"][name] for p in points] for name in names])
    kinds = ["gain" if not n.startswith("wavelet") else "wavelet" for n in names]
    colours = []
    for i, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        same = [j for j, other in enumerate(kinds) if other == kind]
        depth = 0.25 + 0.6 * same.index(i) / max(1, len(same) - 1)
        cmap = colormaps["Oranges" if kind == "wavelet" else "Blues"]
        colours.append(GREY if name == NONE else cmap(depth))
    ax.stackplot(x, shares, colors=colours, linewidth=0.4, edgecolor="white")
    tops = shares.cumsum(axis=0)
    for i, name in enumerate(names):
        inner = shares[i, 1:-1]
        at = int(inner.argmax()) + 1
        if shares[i, at] < 5.0:
            continue
        middle = tops[i, at] - shares[i, at] / 2.0
        ax.text(x[at], middle, name, ha="center", va="center", size=8, color="#111")
    ax.set_ylim(0, 100)
    ax.set_xlim(x[0], x[-1])


def _ladders(results: Mapping[str, Any], folder: Path | None) -> str:
    figure, axes = new_figure(size_in=(8.5, 4.6))
    ax = axes[0, 0]
    for key, points in results["ladders"].items():
        text, colour, _ = LOOKS[key]
        x = [point["n_levels"] for point in points]
        draw_band(ax, x, [point["gain"] for point in points], colour=colour)
        for point in points[:6]:
            ax.annotate(
                f"+{point['added']}",
                (point["n_levels"], point["gain"][0]),
                (0, 8 if key == WHOLE else -12),
                textcoords="offset points",
                size=7,
                color=colour,
                ha="center",
            )
        ax.annotate(
            text,
            (x[-1], points[-1]["gain"][0]),
            (6, 0),
            textcoords="offset points",
            color=colour,
            va="center",
        )
    ax.set_yscale("log")
    ax.margins(x=0.12)
    _plain_ticks(ax)
    ax.set_xlabel("levels, none included")
    bound = results["ladders_bound"]
    ax.set_ylabel(f"gain in bytes within {bound:g} nats of the raw answer")
    return save_figure(figure, "bound_ladders", folder=folder)
