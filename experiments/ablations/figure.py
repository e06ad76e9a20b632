# SPDX-License-Identifier: Apache-2.0
"""The figures of the ablations: the encoder's budget curve, and PRDN against KL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.figure_style import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    draw_band,
    draw_bound,
    label_line,
    new_figure,
    save_figure,
)

FLOOR_NATS = 1e-5  # of the logarithmic axis; smaller errors are drawn on it


def draw_budget(results: dict[str, Any], *, folder: Path | None = None) -> str:
    """Draw gain at equal PRDN against the encoder's cost; return the file's name.

    Args:
        results: of `experiments.ablations.encoder.encoder_rows`.
        folder: where to; that of the documents if None.
    """
    rows = sorted(results["rows"], key=lambda row: int(row["macs"]))
    sized = [row for row in rows if row["has_rate_term"]]
    figure, axes = new_figure()
    ax = axes[0, 0]
    macs = [row["macs"] / 1e6 for row in sized]
    gains = [row["gain_at_equal_prdn"] for row in sized]
    draw_band(ax, macs, gains, colour=BLUE)
    for row, x, gain in zip(sized, macs, gains, strict=True):
        label_line(ax, x, gain[0], row["name"], colour=BLUE, offset=(-8, 13))
    for row in rows:
        if not row["has_rate_term"]:
            value, low, high = row["gain_at_equal_prdn"]
            ax.errorbar(
                row["macs"] / 1e6,
                value,
                yerr=[[value - low], [high - value]],
                fmt="X",
                color=VERMILION,
                markersize=8,
            )
            label_line(
                ax, row["macs"] / 1e6, value, "edge, no rate term", colour=VERMILION
            )
    budget = results["budget_macs"] / 1e6
    draw_bound(ax, budget, "budget of the device", is_vertical=True)
    ax.set_xscale("log")
    ticks = [0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("encoder, million multiply-accumulates a segment of 7.5 s (log)")
    ax.set_ylabel(f"gain at a PRDN of {results['equal_prdn']:g} %")
    ax.set_title(
        f"Short trainings of {sized[0]['n_steps']:,} steps that differ in the encoder",
        fontsize=11,
        loc="left",
    )
    return save_figure(figure, "ablation_budget", folder=folder)


def draw_scatter(
    prdn: npt.NDArray[np.float64],
    kl: npt.NDArray[np.float64],
    *,
    says: dict[str, Any],
    folder: Path | None = None,
) -> str:
    """Draw windows by the error of the signal and of the rhythm.

    Args:
        prdn: percent, (n,).
        kl: nats, (n,).
        says: level, its Spearman and Pearson with intervals, the bound in nats.
        folder: where to; that of the documents if None.
    """
    figure, axes = new_figure(size_in=(7.5, 5.0))
    ax = axes[0, 0]
    over = kl > says["bound_nats"]
    shown = np.maximum(kl, FLOOR_NATS)
    for mask, colour, text in (
        (~over, GREY, "within the bound"),
        (over, VERMILION, "over it"),
    ):
        label = f"{text}: {int(mask.sum())} windows"
        ax.scatter(
            prdn[mask], shown[mask], s=11, color=colour, alpha=0.6, lw=0, label=label
        )
    draw_bound(ax, says["bound_nats"], f"bound: {says['bound_nats']:g} nats")
    ax.set_yscale("log")
    ax.set_xlabel("error of the signal: PRDN, percent")
    ax.set_ylabel("error of the rhythm: KL to its answer on the raw window, nats (log)")
    ax.legend(frameon=False, loc="lower right", labelcolor=INK)
    rho, low, high = says["spearman"]
    r, r_low, r_high = says["pearson"]
    ax.set_title(
        f"{says['level']}: Spearman {rho:.2f} ({low:.2f} to {high:.2f}), "
        f"Pearson {r:.2f} ({r_low:.2f} to {r_high:.2f})",
        fontsize=11,
        loc="left",
    )
    return save_figure(figure, "ablation_scatter", folder=folder)
