# SPDX-License-Identifier: Apache-2.0
"""The figure of transfer: windows changed against gain, by own and by second judge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.figure_style import (
    FAMILY_COLOURS,
    FAMILY_MARKS,
    INK,
    VERMILION,
    draw_band,
    draw_bound,
    label_line,
    new_figure,
    save_figure,
)
from experiments.transfer.ways import LEVELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RIGHT = 1600.0  # end of the axis of gains
# Of labels, points up: two curves may end beside each other.
OFFSETS = {"monitor": 0, "standard": -7, "wavelet": 7}
PANELS = {
    "own": "By the network of monitor, which it was trained with",
    "second": "By a network that no codec was trained with",
}


def draw(results: Mapping[str, Any], *, folder: Path | None = None) -> str:
    """Write the figure and return its name.

    Args:
        results: of the experiment.
        folder: docs/figures if None.
    """
    figure, axes = new_figure(1, 2, size_in=(10.0, 4.6), sharey=True)
    for ax, (judge, title) in zip(axes[0], PANELS.items(), strict=True):
        _panel(ax, results, judge)
        ax.set_title(title, loc="left", fontsize=10)
        ax.set_xlabel("gain, raw bytes over bytes sent")
    bound = results["bound_nats"]
    axes[0, 0].set_ylabel(f"windows whose rhythm changed by over {bound:g} nats, %")
    return save_figure(figure, "transfer", folder=folder)


def _panel(ax: Axes, results: Mapping[str, Any], judge: str) -> None:
    rows = results["rhythm"]["rows"]
    for family in LEVELS:
        curve = [row for row in rows if row["family"] == family]
        curve.sort(key=lambda row: row["gain"][0])
        gains = [row["gain"][0] for row in curve]
        shares = [[100.0 * v for v in row[judge]["over"]] for row in curve]
        colour, mark = FAMILY_COLOURS[family], FAMILY_MARKS[family]
        draw_band(ax, gains, shares, colour=colour, mark=mark)
        offset = (6, OFFSETS[family])
        label_line(ax, gains[-1], shares[-1][0], family, colour=colour, offset=offset)
    chosen = next(row for row in rows if row["family"] == "chosen")
    gain, (value, low, high) = chosen["gain"][0], chosen[judge]["over"]
    share, span = 100.0 * value, [[100.0 * (value - low)], [100.0 * (high - value)]]
    ax.errorbar([gain], [share], yerr=span, fmt="*", color=VERMILION, markersize=10)
    label_line(ax, gain, share, "monitor, calibrated", colour=VERMILION, offset=(9, -8))
    limit, text = 100.0 * results["risk"], f"promised: {results['risk']:.0%}"
    draw_bound(ax, limit, "")
    label_line(ax, RIGHT, limit, text, colour=INK, offset=(-78, 7))
    ax.set_xscale("log")
    ticks = [32, 64, 128, 256, 512]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set_xlim(28, RIGHT)
    ax.set_ylim(0.0, 100.0)
