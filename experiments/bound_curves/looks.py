# SPDX-License-Identifier: Apache-2.0
"""How the choices of the sweeps look, the same in every figure of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.bound_curves.sweeps import (
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


def plain_ticks(ax: Axes) -> None:
    """Write gains on a logarithmic axis as plain numbers."""
    low, high = ax.get_ylim()
    ticks = [v for v in (5, 10, 20, 50, 100, 200, 500, 1000) if low <= v <= high]
    ax.set_yticks(ticks, [str(v) for v in ticks])
    ax.minorticks_off()
