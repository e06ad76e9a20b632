# SPDX-License-Identifier: Apache-2.0
"""The figure of noise: gain, broken promises and scores against the ratio in dB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.figure_style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    VERMILION,
    draw_band,
    draw_bound,
    label_line,
    new_figure,
    save_figure,
)
from experiments.noise.sources import KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLEAN_AT_DB = 30.0  # where windows without added noise stand on the axis
COLOURS = {
    "calibrated": VERMILION,
    "gain_64": BLUE,
    "wavelet_64": ORANGE,
    "lossless": GREY,
    "raw": INK,
}
MARKS = {"calibrated": "*", "gain_64": "o", "wavelet_64": "s", "lossless": "x"}
LABELS = {"calibrated": "by the bound", "raw": "not compressed"}


@dataclass(frozen=True, kw_only=True)
class _Panel:
    """One row of panels: a figure of one task's rows."""

    task: str
    figure: str
    lines: tuple[str, ...]
    label: str
    is_percent: bool = False


PANELS = (
    _Panel(
        task="rhythm",
        figure="gain",
        lines=("calibrated", "gain_64", "wavelet_64", "lossless"),
        label="gain\n(rhythm, CinC 2017)",
    ),
    _Panel(
        task="rhythm",
        figure="over",
        lines=("calibrated", "gain_64", "wavelet_64"),
        label="windows over the bound, %\n(dashed: promised)",
        is_percent=True,
    ),
    _Panel(
        task="rhythm",
        figure="score",
        lines=("raw", "calibrated", "gain_64", "wavelet_64"),
        label="rhythm,\nweighted F1",
    ),
    _Panel(
        task="rpeaks",
        figure="gain",
        lines=("calibrated", "gain_64", "wavelet_64", "lossless"),
        label="gain\n(R peaks, MIT-BIH)",
    ),
    _Panel(
        task="rpeaks",
        figure="over",
        lines=("calibrated", "gain_64", "wavelet_64"),
        label="segments with other beats, %\n(dashed: promised)",
        is_percent=True,
    ),
    _Panel(
        task="rpeaks",
        figure="score",
        lines=("raw", "calibrated", "gain_64", "wavelet_64"),
        label="R peaks,\nF1 at 150 ms",
    ),
)


def draw(results: Mapping[str, Any], *, folder: Path | None = None) -> str:
    """Write the figure and return its name.

    Args:
        results: of the experiment.
        folder: docs/figures if None.
    """
    figure, axes = new_figure(
        len(PANELS), len(KINDS), size_in=(11.0, 14.0), sharex=True, sharey="row"
    )
    for row, panel in zip(axes, PANELS, strict=True):
        for ax, kind in zip(row, KINDS, strict=True):
            _draw_panel(ax, panel, results, kind)
        row[0].set_ylabel(panel.label)
    figure.align_ylabels(axes[:, 0])
    of = "" if results["source"] == "nstdb" else ", model"
    for ax, name in zip(axes[0], KINDS.values(), strict=True):
        ax.set_title(f"{name}{of}", loc="left", fontsize=11)
    for ax in axes[-1]:
        ax.set_xlabel("signal to noise, dB")
    return save_figure(figure, "noise", folder=folder)


def _draw_panel(ax: Axes, panel: _Panel, results: Mapping[str, Any], kind: str) -> None:
    rows = [
        row for row in results[panel.task]["rows"] if row["noise"] in ("none", kind)
    ]
    at = [CLEAN_AT_DB if row["snr_db"] is None else row["snr_db"] for row in rows]
    scale = 100.0 if panel.is_percent else 1.0
    ends = {}
    for name in panel.lines:
        points = [(x, row[panel.figure][name]) for x, row in zip(at, rows, strict=True)]
        known = [(x, v) for x, v in points if v[0] is not None]
        measures = [[scale * part for part in v] for _, v in known]
        draw_band(
            ax,
            [x for x, _ in known],
            measures,
            colour=COLOURS[name],
            mark=MARKS.get(name, "d"),
            style=":" if name == "raw" else "-",
        )
        ends[name] = measures[-1][0]
    if panel.figure == "gain":
        ax.set_yscale("log")
        ticks = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
        ax.set_yticks(ticks, [str(tick) for tick in ticks])
        ax.minorticks_off()
    if panel.is_percent:
        draw_bound(ax, 100.0 * results["risk"], "")
    ax.set_xlim(CLEAN_AT_DB + 1.5, -1.5)  # from clean to noisy
    ticks_db = [CLEAN_AT_DB, *sorted({x for x in at if x != CLEAN_AT_DB}, reverse=True)]
    ax.set_xticks(ticks_db, ["clean", *(f"{x:g}" for x in ticks_db[1:])])
    if kind == list(KINDS)[-1]:
        _label(ax, ends, is_log=panel.figure == "gain")


def _label(ax: Axes, ends: Mapping[str, float], *, is_log: bool) -> None:
    """Write what the lines are at the right edge, one under the other."""
    import numpy as np

    low, high = ax.get_ylim()
    place = np.log if is_log else np.asarray
    span = float(place(high) - place(low))
    gap, last = 0.13, -np.inf  # of the panel's height
    for name, value in sorted(ends.items(), key=lambda item: item[1]):
        wanted = float(place(value) - place(low)) / span
        shown = max(wanted, last + gap)
        last = shown
        points = (shown - wanted) * ax.get_window_extent().height * 72 / ax.figure.dpi
        label_line(
            ax,
            -1.5,
            value,
            LABELS.get(name, name),
            colour=COLOURS[name],
            offset=(4, points),
        )
