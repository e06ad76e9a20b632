# SPDX-License-Identifier: Apache-2.0
"""Draws the report: cost against what is fetched, and against batching and gain.

Colours are Okabe and Ito's, which most colour-blind readers can tell apart; lines bear
their names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from costmodel.models import NO_COMPRESSION
from dynamic_deep.cli.files import whole_file
from dynamic_deep.errors import ConfigError

GREY, ORANGE, SKY, GREEN = "#555555", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"

SUFFIXES = (".svg", ".png", ".pdf")
DPI = 110
FONT_SIZE = 9
LINE_HEIGHT = 0.042  # of a text, as a share of a panel's height
NO_DATE = {".svg": {"Date": None}, ".png": {}, ".pdf": {"CreationDate": None}}

# By panel: model, what is written beside its line, colour, line style.
PAPER_LINES = (
    (NO_COMPRESSION, "no compression", GREY, "-"),
    ("paper_bytes", "Dynamic-Deep, gain 3.8", VERMILION, "-"),
    ("paper_bytes_uncompressed", "Dynamic-Deep, 3.8, raw sent too", VERMILION, "--"),
    ("lossless_paper", "lossless, gain 2.7", ORANGE, "-"),
    ("paper", "Dynamic-Deep, gain 48.31", BLUE, "-"),
    ("paper_uncompressed", "Dynamic-Deep, 48.31, raw sent too", BLUE, "--"),
)
OUR_LINES = (
    (NO_COMPRESSION, "no compression", GREY, "-"),
    ("lossless", "lossless, gain {gain:.3g}", ORANGE, "-"),
    ("ladder", "ladder, gain {gain:.3g}", GREEN, "-"),
    ("ladder_uncompressed", "ladder, raw sent too", GREEN, "--"),
)


def check_suffix(path: Path) -> None:
    """Check that a figure can be written to a path.

    Raises:
        ConfigError: If its suffix is none of `SUFFIXES`.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(
            f"a figure must end in {', '.join(SUFFIXES)}, got {path.name}; rename it"
        )


def draw_fetch(report: dict[str, Any], path: Path) -> None:
    """Draw yearly cost against the share of history that is fetched.

    Args:
        report: of `make_report`.
        path: to write; its suffix names the format.

    Raises:
        ConfigError: If the suffix is none that can be written.
    """
    figure, axes = _panels(path, 2, (10.6, 4.4))
    titles = (
        "The paper's figure: its nominal gain, and its bytes",
        "This codec: bytes and times as measured",
    )
    axes[0].set_ylim(*_limits(report))
    for axis, lines, title in zip(axes, (PAPER_LINES, OUR_LINES), titles, strict=True):
        _draw_lines(axis, report, lines)
        axis.set_title(title, fontsize=FONT_SIZE + 1, loc="left")
        axis.set_xlabel("share of a year's recordings fetched and decoded, %")
    axes[0].set_ylabel("storage, operations and decoding, USD a year")
    _finish(figure, path)


def draw_sensitivity(report: dict[str, Any], path: Path) -> None:
    """Draw what batching in the store, batching of messages and gain change.

    Args:
        report: of `make_report`.
        path: to write; its suffix names the format.

    Raises:
        ConfigError: If the suffix is none that can be written.
    """
    figure, axes = _panels(path, 3, (12.6, 4.2), share_y=False)
    axes[1].set_yscale("linear")
    _draw_objects(axes[0], report["by_object"])
    _draw_messages(axes[1], report["by_message"])
    _draw_gain(axes[2], report)
    for axis in axes:
        axis.set_ylabel("USD a year")
    _finish(figure, path)


def _panels(
    path: Path, n: int, size: tuple[float, float], *, share_y: bool = True
) -> tuple[Any, Any]:
    check_suffix(path)
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "costmodel"
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, n, sharey=share_y)
    for axis in axes:
        axis.set_yscale("log")
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", color="#DDDDDD", linewidth=0.6)
        axis.tick_params(labelsize=FONT_SIZE)
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    return figure, axes


def _draw_lines(axis: Any, report: dict[str, Any], lines: Any) -> None:
    gains = {row["name"]: row["gain"] for row in report["models"]}
    curve = report["by_fetch"]
    x = [100 * share for share in curve["fetch_share"]]
    ends = []
    for name, label, colour, style in lines:
        y = curve["coding_usd"][name]
        axis.plot(x, y, style, color=colour, linewidth=1.8)
        ends.append((y[-1], label.format(gain=gains[name]), colour))
    axis.set_xlim(0, 100)
    _label_ends(axis, 102, ends)
    now = 100 * report["inputs"]["fetch_share"]
    axis.axvline(now, color="#BBBBBB", linewidth=0.8, linestyle=":")
    ticks = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]
    low, high = axis.get_ylim()
    axis.set_yticks([tick for tick in ticks if low <= tick <= high])


def _label_ends(axis: Any, x: float, ends: list[tuple[float, str, str]]) -> None:
    """Write names beside the ends of lines, pushed apart where they would overlap."""
    bottom, top = axis.get_ylim()
    least = (
        top / bottom
    ) ** LINE_HEIGHT  # ratio of neighbours; the axis is logarithmic
    at = 0.0
    for y, label, colour in sorted(ends):
        at = max(y, at * least)
        axis.annotate(
            label,
            (x, at),
            color=colour,
            fontsize=FONT_SIZE,
            va="center",
            annotation_clip=False,
        )


def _limits(report: dict[str, Any]) -> tuple[float, float]:
    curves = report["by_fetch"]["coding_usd"].values()
    costs = [usd for curve in curves for usd in curve]
    return 0.7 * min(costs), 1.25 * max(costs)


def _draw_objects(axis: Any, objects: dict[str, Any]) -> None:
    minutes = [seconds / 60 for seconds in objects["object_s"]]
    lines = (
        (NO_COMPRESSION, "storage_usd", "storage, raw", GREY, "-"),
        (NO_COMPRESSION, "operations_usd", "operations, raw", GREY, "--"),
        ("ladder", "storage_usd", "storage, ladder", GREEN, "-"),
        ("ladder", "operations_usd", "operations, ladder", GREEN, "--"),
    )
    for name, item, label, colour, style in lines:
        y = objects["models"][name][item]
        axis.plot(minutes, y, style, color=colour, linewidth=1.8, label=label)
    axis.set_xscale("log")
    axis.set_xticks([0.1, 1, 10, 60, 1440], ["0.1", "1", "10", "60", "1440"])
    axis.minorticks_off()
    axis.set_xlabel("signal in an object of the store, min")
    axis.set_title("Small objects cost more than what is in them", **_title())
    axis.legend(frameon=False, fontsize=FONT_SIZE)


def _draw_messages(axis: Any, messages: dict[str, Any]) -> None:
    service, costs = next(iter(messages["ingest_usd"].items()))
    colours = {NO_COMPRESSION: GREY, "lossless": ORANGE, "ladder": GREEN}
    titles = {NO_COMPRESSION: "raw", "lossless": "lossless", "ladder": "ladder"}
    x = messages["windows_per_message"]
    for name, y in costs.items():
        axis.plot(x, y, "-", color=colours[name], linewidth=1.8)
        _label_inside(axis, (x[-1], y[-1]), titles[name], colours[name])
    axis.set_ylim(bottom=0)
    axis.set_xscale("log")
    axis.set_xticks([0.25, 1, 5, 30], ["¼", "1", "5", "30"])
    axis.minorticks_off()
    axis.set_xlabel("windows of 30 s a message")
    title = f"Messages through {service.replace('pubsub', 'Pub/Sub')}"
    axis.set_title(f"{title}, 1 kB at least each", **_title())


def _label_inside(
    axis: Any, end: tuple[float, float], label: str, colour: str, rise: float = 6.0
) -> None:
    """Write a name above (or below) the end of a line."""
    axis.annotate(
        label,
        end,
        xytext=(0, rise),
        textcoords="offset points",
        ha="right",
        color=colour,
        fontsize=FONT_SIZE,
    )


def _draw_gain(axis: Any, report: dict[str, Any]) -> None:
    curve = report["by_gain"]
    lines = {
        "coding_usd": ("together", BLUE),
        "storage_usd": ("storage", GREY),
        "decode_usd": ("decoding", VERMILION),
        "operations_usd": ("operations", PURPLE),
    }
    for item, (_, colour) in lines.items():
        axis.plot(curve["gain"], curve[item], "-", color=colour, linewidth=1.8)
    ends = [(curve[item][-1], *lines[item]) for item in lines]
    _label_ends(axis, 1.12 * curve["gain"][-1], ends)
    gain = next(row["gain"] for row in report["models"] if row["name"] == "ladder")
    axis.axvline(gain, color="#BBBBBB", linewidth=0.8, linestyle=":")
    axis.set_xscale("log", base=2)
    axis.set_xlim(1, curve["gain"][-1])
    axis.set_xticks([1, 4, 16, 64, 256], ["1", "4", "16", "64", "256"])
    axis.minorticks_off()
    axis.set_xlabel("gain of the ladder in bytes (dotted: measured)")
    axis.set_title("Beyond some gain only the rest is left", **_title())


def _title() -> dict[str, Any]:
    return {"fontsize": FONT_SIZE + 1, "loc": "left"}


def _finish(figure: Any, path: Path) -> None:
    with whole_file(path) as stream:
        figure.savefig(
            stream, format=path.suffix[1:], dpi=DPI, metadata=NO_DATE[path.suffix]
        )
