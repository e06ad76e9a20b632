# SPDX-License-Identifier: Apache-2.0
"""The figure of rate and task: four scores against the gain, a line a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.figure_style import (
    FAMILY_COLOURS,
    INK,
    draw_bound,
    new_figure,
    save_figure,
)
from experiments.rate_distortion.draw import draw_curves, place_labels, scale_gain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, Any]
LOW, HIGH = 3.5, 2000.0  # gains that are shown


def draw(results: Mapping[str, Any], *, folder: Path | None = None) -> str:
    """Write the figure and return its name.

    Args:
        results: of the experiment.
        folder: docs/figures if None.
    """
    figure, axes = new_figure(2, 2, size_in=(13.0, 10.0))
    risk, nats = 100.0 * results["risk"], results["bound_nats"]
    rhythm, peaks = results["rhythm"], results["rpeaks"]
    panels = (
        (axes[0, 0], rhythm, _f1, "weighted F1 of the rhythm"),
        (axes[0, 1], rhythm, _lost, f"windows over {nats:g} nats, %"),
        (axes[1, 0], peaks, _f1, "F1 of R peaks against annotations, 150 ms"),
        (axes[1, 1], peaks, _kept, "segments with unchanged R peaks, %"),
    )
    _score_limits(axes[0, 0], rhythm)
    _score_limits(axes[1, 0], peaks)
    axes[0, 1].set_ylim(0.0, 60.0)
    axes[1, 1].set_ylim(40.0, 101.0)
    draw_bound(axes[0, 1], risk, f"promised: {risk:.0f} %")
    draw_bound(axes[1, 1], 100.0 - risk, f"promised: {100.0 - risk:.0f} %")
    all_labels = []
    for ax, found, measure, title in panels:
        scale_gain(ax, LOW, HIGH)
        labels = draw_curves(ax, found["rows"], measure)
        labels += _stars(ax, found["chosen"], measure)
        ax.set_title(title, loc="left", fontsize=10.5)
        ax.set_xlabel("gain, raw bytes over bytes sent")
        all_labels.append((ax, labels))
    for ax, labels in all_labels:
        place_labels(ax, labels)
    return save_figure(figure, "rate_task", folder=folder)


def _f1(row: Row) -> Sequence[float]:
    return list(row["f1"])


def _lost(row: Row) -> Sequence[float]:
    return [100.0 * value for value in row["lost"]]


def _kept(row: Row) -> Sequence[float]:
    value, low, high = row["lost"]
    return [100.0 - 100.0 * share for share in (value, high, low)]


def _stars(
    ax: Axes, chosen: Sequence[Row], measure: Callable[[Row], Sequence[float]]
) -> list[tuple[float, float, str, str]]:
    labels = []
    for row in chosen:
        value, low, high = measure(row)
        gain, gain_low, gain_high = row["gain"]
        colour = FAMILY_COLOURS[row["name"]]
        ax.errorbar(
            [gain],
            [value],
            xerr=[[gain - gain_low], [gain_high - gain]],
            yerr=[[value - low], [high - value]],
            fmt="*",
            color=colour,
            markersize=14,
            markeredgecolor="white",
            zorder=5,
        )
        labels.append((gain, value, f"{row['name']}, calibrated", colour))
    return labels


def _score_limits(ax: Axes, found: Mapping[str, Any]) -> None:
    """Show the score of the raw windows and what lies not too far below it."""
    raw = found["raw"]["f1"]
    best = [raw, *(row["f1"] for row in found["chosen"])]
    top, floor = max(one[2] for one in best), min(one[1] for one in best)
    ax.set_ylim(max(0.0, floor - 4.0 * (top - floor)), top + 0.3 * (top - floor))
    ax.axhspan(raw[1], raw[2], color=INK, alpha=0.05, linewidth=0)
    draw_bound(ax, raw[0], f"uncompressed: {raw[0]:.3f}")
