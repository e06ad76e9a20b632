# SPDX-License-Identifier: Apache-2.0
"""The energy report as a picture: what each way costs, and where computing pays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from device_sim.break_even import SEGMENTS_PER_HOUR, BreakEven
from device_sim.energy_report import Report
from device_sim.energy_setting import Band

# Okabe and Ito's palette, which the colour-blind can tell apart.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, INK, GREY = "#56B4E9", "#222222", "#8A8A8A"
RADIO_COLOURS = (BLUE, SKY, GREEN, PURPLE, ORANGE)
RADIO_NAMES = {
    "ble_1m": "BLE 1M",
    "ble_2m": "BLE 2M",
    "wifi": "Wi-Fi",
    "lte_m": "LTE-M",
    "nb_iot": "NB-IoT",
}
_BAND_ALPHA = 0.13
LABEL_SPACING = 2.3  # between labels of encoders, a factor


def draw(report: Report, break_even: BreakEven, path: Path) -> None:
    """Draw a report, written beside `path` and then renamed.

    Args:
        report: the report.
        break_even: of it.
        path: a file that ends in .png, .svg or .pdf.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from dynamic_deep.cli.files import whole_file

    figure = Figure(figsize=(13.5, 6.4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    costs, line = figure.subplots(1, 2, width_ratios=(1.1, 1.0))
    _draw_costs(costs, report)
    _draw_break_even(line, report, break_even)
    setting = report.setting
    figure.suptitle(
        f"{setting.device.summary}; {setting.radio.summary}", x=0.01, ha="left"
    )
    # The same report gives the same file, and letters of an SVG stay letters.
    settings = {"svg.hashsalt": setting.device.name, "svg.fonttype": "none"}
    with rc_context(settings), whole_file(path) as stream:
        figure.savefig(stream, format=path.suffix[1:], metadata=_no_date(path))


def _no_date(path: Path) -> dict[str, None]:
    return {"Date": None} if path.suffix == ".svg" else {}


def _draw_costs(axes: Any, report: Report) -> None:
    lines = report.lines
    places = np.arange(len(lines))[::-1]
    rice = report.line("rice").total_mj.nominal
    axes.axvline(rice, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    for place, line in zip(places, lines, strict=True):
        total = line.total_mj
        axes.plot(
            (total.low, total.high), (place, place), color=INK, linewidth=5, alpha=0.22,
            solid_capstyle="butt",
        )  # fmt: skip
        axes.plot(line.compute_mj.nominal, place, "o", color=BLUE, markersize=6)
        axes.plot(line.radio_mj.nominal, place, "s", color=ORANGE, markersize=6)
        axes.plot(
            total.nominal, place, "|", color=INK, markersize=15, markeredgewidth=2.2
        )
    axes.set_xscale("log")
    axes.set_yticks(places, [line.name for line in lines])
    axes.set_ylim(-0.7, len(lines) + 0.5)
    low = min(min(x.compute_mj.nominal, x.radio_mj.nominal) for x in lines)
    high = max(x.total_mj.high for x in lines)
    axes.set_xlim(low / 1.6, high * 1.6)
    axes.set_xlabel("energy for an hour of signal, mJ (logarithmic)")
    axes.set_title("What each way to send costs", loc="left", fontsize=11)
    axes.grid(axis="x", color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.text(
        rice, len(lines) - 0.35, " lossless (Rice)", color=GREY, fontsize=9, va="bottom"
    )
    _bare(axes)
    _key(axes)


def _key(axes: Any) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=BLUE, marker="o", linestyle="", label="compute"),
        Line2D([], [], color=ORANGE, marker="s", linestyle="", label="radio"),
        Line2D([], [], color=INK, marker="|", markersize=14, mew=2.2, linestyle="",
               label="total"),
        Line2D([], [], color=INK, linewidth=5, alpha=0.22, label="band of the total"),
    ]  # fmt: skip
    axes.legend(
        handles=marks, loc="upper center", bbox_to_anchor=(0.45, -0.1), ncols=4,
        frameon=False, fontsize=9,
    )  # fmt: skip


def _draw_break_even(axes: Any, report: Report, break_even: BreakEven) -> None:
    saved = np.geomspace(50.0, 5000.0, 60)
    names = sorted(
        break_even.macs_per_byte, key=lambda n: break_even.macs_per_byte[n].nominal
    )
    for name, colour in zip(names, RADIO_COLOURS, strict=False):
        per_byte: Band = break_even.macs_per_byte[name]
        axes.fill_between(
            saved, per_byte.low * saved, per_byte.high * saved, color=colour,
            alpha=_BAND_ALPHA, linewidth=0,
        )  # fmt: skip
        axes.plot(saved, per_byte.nominal * saved, color=colour, linewidth=2)
        axes.annotate(
            RADIO_NAMES.get(name, name), (saved[-1], per_byte.nominal * saved[-1]),
            xytext=(5, 0), textcoords="offset points", color=colour, va="center",
            fontweight="bold", fontsize=9,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(saved[0], saved[-1])
    _draw_encoders(axes, report)
    axes.set_xlabel("bytes saved against Rice, a segment of 7.47 s (logarithmic)")
    axes.set_ylabel("multiply-accumulates of the encoder, a segment")
    axes.set_title(
        "Below its line an encoder pays; above it, sending losslessly is cheaper",
        loc="left", fontsize=11,
    )  # fmt: skip
    axes.grid(color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    _bare(axes)


def _draw_encoders(axes: Any, report: Report) -> None:
    rice = report.line("rice")
    segments = SEGMENTS_PER_HOUR * report.measured.n_leads
    windows_per_hour = len(report.measured.slot_s) / report.measured.hours
    points = []
    for kind in ("neural", "bound", "paper"):
        lines = [line for line in report.lines if line.kind == kind]
        if lines:  # levels of one encoder lie on top of each other
            line = max(lines, key=lambda line: line.macs_per_window)
            bytes_saved = (rice.bytes_per_hour - line.bytes_per_hour) / segments
            macs = line.macs_per_window * windows_per_hour / SEGMENTS_PER_HOUR
            if bytes_saved > 0:
                points.append((macs, bytes_saved, line.name))
    label_y = 0.0
    for macs, bytes_saved, name in sorted(points):
        label_y = max(macs, label_y * LABEL_SPACING)
        axes.plot(bytes_saved, macs, "D", color=INK, markersize=7)
        axes.annotate(
            f"{name}: {macs / 1e6:.3g} M", (bytes_saved, macs),
            xytext=(bytes_saved / 1.35, label_y), textcoords="data", ha="right",
            va="center", fontsize=9, color=INK,
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.8},
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1.0},
        )  # fmt: skip


def _bare(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=3)
