# SPDX-License-Identifier: Apache-2.0
"""The figure of yearly cost: against the share fetched, the paper's ways and ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    VERMILION,
    new_figure,
    save_figure,
)
from experiments.rate_distortion.draw import place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of each panel: model, what is written at the end of its line, colour, style.
PANELS = {
    "The paper's ways, at its nominal gain and at its bytes": (
        ("none", "no compression", INK, "-"),
        ("paper_bytes", "the paper's codec, in bytes: {gain:.2f}", VERMILION, "-"),
        ("lossless_paper", "lossless: {gain:.3g}", GREY, "-"),
        ("paper", "the paper's codec, nominal: {gain:.2f}", PURPLE, "-"),
        ("paper_uncompressed", "the same, raw sent too", PURPLE, "--"),
    ),
    "Bytes as measured": (
        ("none", "no compression", INK, "-"),
        ("lossless", "our lossless: {gain:.3g}", ORANGE, "-"),
        ("lz77", "LZ77: {gain:.3g}", GREY, "-"),
        ("edge", "edge, calibrated: {gain:.3g}", GREEN, "-"),
        ("ladder", "monitor, calibrated: {gain:.3g}", BLUE, "-"),
        ("ladder_uncompressed", "the same, raw sent too", BLUE, "--"),
    ),
}
_TICKS = (10, 20, 50, 100, 200, 500, 1000)


def draw(results: Mapping[str, Any], *, folder: Path | None = None) -> str:
    """Write the figure and return its name.

    Args:
        results: of the experiment.
        folder: docs/figures if None.
    """
    figure, axes = new_figure(1, 2, size_in=(13.0, 5.0), sharey=True)
    panels = []
    for ax, title in zip(axes[0], PANELS, strict=True):
        panels.append((ax, _panel(ax, results, title)))
        ax.set_title(title, loc="left", fontsize=10)
        ax.set_xlabel("share of a year's recordings fetched and decoded, %")
    axes[0, 0].set_ylabel("storage, operations and decoding, USD a year")
    for ax, labels in panels:
        place_labels(ax, labels)
    return save_figure(figure, "yearly_cost", folder=folder)


def _panel(
    ax: Axes, results: Mapping[str, Any], title: str
) -> list[tuple[float, float, str, str]]:
    gains = {row["name"]: row["gain"] for row in results["models"]}
    curves = results["by_fetch"]
    x = [100.0 * share for share in curves["share"]]
    labels = []
    for name, label, colour, style in PANELS[title]:
        y = curves["coding_usd"][name]
        ax.plot(x, y, style, color=colour, linewidth=1.8)
        labels.append((x[-1], y[-1], label.format(gain=gains[name]), colour))
    ax.set_yscale("log")
    ax.set_xlim(0.0, 165.0)
    ax.set_xticks([0, 20, 40, 60, 80, 100])
    ax.set_yticks(_TICKS, [str(tick) for tick in _TICKS])
    ax.minorticks_off()
    share = 100.0 * results["fetch_share"]
    ax.axvline(share, color=INK, linestyle=":", linewidth=1)
    ax.annotate("the table's", (share + 1.5, 11.0), fontsize=8.5, color=INK)
    ax.set_ylim(bottom=10.0)
    return labels
