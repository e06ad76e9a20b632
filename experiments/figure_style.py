# SPDX-License-Identifier: Apache-2.0
"""How figures look: one palette, labels where the lines are, files that do not change.

Colours are those of Okabe and Ito, which colour-blind readers tell apart.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "figures"

ORANGE, SKY, GREEN, YELLOW = "#e69f00", "#56b4e9", "#009e73", "#c9b800"
BLUE, VERMILION, PURPLE, GREY, INK = "#0072b2", "#d55e00", "#a8487c", "#767676", "#222"
# Of the curves of coders, the same in every figure.
FAMILY_COLOURS = {
    "lz77": GREY,
    "lossless": GREY,
    "near_lossless": GREEN,
    "sz3": SKY,
    "wavelet": ORANGE,
    "dct": YELLOW,
    "cae": PURPLE,
    "paper": VERMILION,
    "standard": INK,
    "monitor": BLUE,
    "edge": GREEN,
}
FAMILY_MARKS = {
    "lz77": "x",
    "lossless": "x",
    "near_lossless": "v",
    "sz3": "^",
    "wavelet": "s",
    "dct": "D",
    "cae": "P",
    "paper": "X",
    "standard": "o",
    "monitor": "o",
    "edge": "o",
}
_SETTINGS = {
    "svg.hashsalt": "dynamic-deep",  # the same file from the same figures
    "svg.fonttype": "path",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "axes.axisbelow": True,
    "figure.constrained_layout.use": True,
}


def new_figure(
    n_rows: int = 1,
    n_columns: int = 1,
    *,
    size_in: tuple[float, float] = (7.5, 4.5),
    **options: Any,
) -> tuple[Figure, npt.NDArray[np.object_]]:
    """Return a figure and its axes, always as an array (n_rows, n_columns)."""
    matplotlib.use("Agg")
    matplotlib.rcParams.update(_SETTINGS)
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=size_in, squeeze=False, **options
    )
    return figure, axes


def save_figure(figure: Figure, name: str, *, folder: Path | None = None) -> str:
    """Write a figure as SVG beside, then rename; return the file's name."""
    from matplotlib import pyplot as plt

    folder = folder or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    plt.close(figure)
    path = folder / f"{name}.svg"
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(stream.getvalue())
    os.replace(beside, path)
    return path.name


def label_line(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    *,
    colour: str,
    offset: tuple[float, float] = (6, 0),
) -> None:
    """Write what a line is, where it ends; `offset` in points."""
    ax.annotate(
        text,
        (x, y),
        xytext=offset,
        textcoords="offset points",
        color=colour,
        va="center",
        fontsize=9,
    )


def draw_band(
    ax: Axes,
    x: Sequence[float],
    measures: Sequence[Sequence[float]],
    *,
    colour: str,
    mark: str = "o",
    style: str = "-",
) -> None:
    """Draw a line through values with its interval as a band.

    Args:
        ax: where.
        x: of each point.
        measures: value, lower and upper end of each point.
        colour: of line and band.
        mark: of points.
        style: of the line.
    """
    value, low, high = np.asarray(measures, np.float64).T
    ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    ax.plot(x, value, style, color=colour, marker=mark, markersize=4, linewidth=1.6)


def draw_bound(ax: Axes, value: float, text: str, *, is_vertical: bool = False) -> None:
    """Draw what was asked for as a dashed line that says so."""
    place: Any
    offset = (4, 4)
    if is_vertical:
        ax.axvline(value, color=INK, linestyle="--", linewidth=1)
        at, place = (value, 0.0), ("data", "axes fraction")  # lines end higher up
    else:
        ax.axhline(value, color=INK, linestyle="--", linewidth=1)
        at, place = (0.0, value), ("axes fraction", "data")
    ax.annotate(
        text,
        at,
        xycoords=place,
        xytext=offset,
        textcoords="offset points",
        fontsize=9,
        color=INK,
    )
