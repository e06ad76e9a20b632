# SPDX-License-Identifier: Apache-2.0
"""The figure of rate and distortion: gain against PRDN, a panel a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.figure_style import FAMILY_COLOURS, INK, new_figure, save_figure
from experiments.rate_distortion.curves import EXACT_FAMILIES, look_of
from experiments.rate_distortion.draw import Label, curves_of, place_labels, scale_gain
from experiments.rate_distortion.page import TITLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_PRDN = 90.0  # percent: beyond it little of the signal is left
# Of the coders that lose nothing, those that are named.
NAMED = {"zlib -9": "zlib", "flac": "FLAC", "lossless": "lossless"}


def draw(results: Mapping[str, Any], *, folder: Path | None = None) -> str:
    """Write the figure and return its name.

    Args:
        results: of the experiment.
        folder: docs/figures if None.
    """
    figure, axes = new_figure(1, 2, size_in=(12.0, 5.6), sharey=True)
    panels = []
    for ax, (split, title) in zip(axes[0], TITLES.items(), strict=True):
        rows = results["splits"][split]["rows"]
        labels = [*_exact(ax, rows), *_lossy(ax, rows)]
        labels.append(_reference(ax, results["classical_2026"]))
        scale_gain(ax, 1.4, 1000.0, is_y=True)
        ax.set_xlim(-2.0, MAX_PRDN)
        ax.set_title(title, loc="left", fontsize=10)
        ax.set_xlabel("PRDN, %: error with the window's mean removed, mean of windows")
        panels.append((ax, labels))
    axes[0, 0].set_ylabel("gain: bytes of raw samples over bytes sent")
    for ax, labels in panels:
        place_labels(ax, labels)
    return save_figure(figure, "rate_distortion", folder=folder)


def _exact(ax: Axes, rows: Sequence[Mapping[str, Any]]) -> list[Label]:
    labels = []
    for row in rows:
        if row["family"] not in EXACT_FAMILIES:
            continue
        gain, colour = row["gain"][0], FAMILY_COLOURS[row["family"]]
        ax.plot([0.0], [gain], "_", color=colour, markersize=9, markeredgewidth=1.6)
        if row["name"] in NAMED:
            labels.append((0.0, gain, NAMED[row["name"]], colour))
    return labels


def _lossy(ax: Axes, rows: Sequence[Mapping[str, Any]]) -> list[Label]:
    labels = []
    for curve, found in curves_of(rows).items():
        look = look_of(curve)
        points = [row for row in found if row["prdn"][0] <= MAX_PRDN]
        if not points:
            continue
        prdn, gain = (
            [[row[name][i] for row in points] for i in range(3)]
            for name in ("prdn", "gain")
        )
        ax.fill_between(
            prdn[0], gain[1], gain[2], color=look.colour, alpha=0.18, linewidth=0
        )
        ax.hlines(gain[0], prdn[1], prdn[2], color=look.colour, linewidth=1)
        ax.plot(
            prdn[0],
            gain[0],
            look.style,
            color=look.colour,
            marker=look.mark,
            markersize=4.5,
            linewidth=1.6,
        )
        labels.append((prdn[0][-1], gain[0][-1], look.label, look.colour))
    return labels


def _reference(ax: Axes, facts: Mapping[str, Any]) -> Label:
    ax.plot(facts["prdn"], facts["gain"], ":", color=INK, linewidth=1)
    x, y = facts["prdn"][-1], facts["gain"][-1]
    return (x, y, "classical, other windows", INK)
