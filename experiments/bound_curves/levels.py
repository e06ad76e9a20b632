# SPDX-License-Identifier: Apache-2.0
"""Figures of the levels that are used, and of how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.bound_curves.ladder import NONE
from experiments.bound_curves.looks import LOOKS, TITLES, X_LABELS, plain_ticks
from experiments.bound_curves.sweeps import (
    CALIBRATED,
    WHOLE,
)
from experiments.figure_style import (
    GREY,
    draw_band,
    new_figure,
    save_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_shares(results: Mapping[str, Any], folder: Path | None) -> str:
    """Write the figure of the shares of levels and return its name."""
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
        # Not at an edge, where a name would be cut.
        at = int(shares[i, 1 : max(2, len(x) - 1)].argmax()) + 1
        if shares[i, at] < 5.0:
            continue
        middle = tops[i, at] - shares[i, at] / 2.0
        ax.text(
            x[at],
            middle,
            name,
            ha="center",
            va="center",
            size=8,
            color=_ink_on(colours[i]),
        )
    ax.set_ylim(0, 100)
    ax.set_xlim(x[0], x[-1])


def _ink_on(colour: Any) -> str:
    """Return the colour of text that can be read on another."""
    from matplotlib.colors import to_rgb

    return "white" if float(np.dot(to_rgb(colour), (0.3, 0.6, 0.1))) < 0.5 else "#111"


def draw_ladders(results: Mapping[str, Any], folder: Path | None) -> str:
    """Write the figure of the number of levels and return its name."""
    figure, axes = new_figure(size_in=(8.5, 4.6))
    ax = axes[0, 0]
    for key, points in results["ladders"].items():
        text, colour, _ = LOOKS[key]
        x = [point["n_levels"] for point in points]
        draw_band(ax, x, [point["gain"] for point in points], colour=colour)
        for i, point in enumerate(points[:6]):
            ax.annotate(
                f"+{point['added']}",
                (point["n_levels"], point["gain"][0]),
                (0, (8 if key == WHOLE else -12) * (1 + i % 2)),
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
    plain_ticks(ax)
    ax.set_xlabel("levels, none included")
    bound = results["ladders_bound"]
    ax.set_ylabel(f"gain in bytes within {bound:g} nats of the raw answer")
    return save_figure(figure, "bound_ladders", folder=folder)
