# SPDX-License-Identifier: Apache-2.0
"""Fig. 2: quartiles of the rhythm's loss over test windows, level by level.

The cross entropy to the label, on CinC 2017 test: the classic autoencoder at 64, 32 and
16, levels of ours at like gains, and the raw windows.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.bootstrap import Bootstrap
from experiments.bound_table.rows import shown
from experiments.coders.roster import load_all
from experiments.figure_style import FAMILY_COLOURS, INK, new_figure, save_figure
from experiments.measured import Measured
from experiments.measuring import RAW, Wanted, measure_all
from experiments.outcome import plain, triple
from experiments.section import Claim, Figure, Section, Table, number, percent
from experiments.windows import CINC_TEST

COMMAND = "python -m experiments run loss_quartiles"
SOURCES = ("wavelet", "cae", "monitor")
BOUND_NATS = 0.75
# Title, coder, family; from the top of the figure.
ROWS = (
    ("classic CAE64", "cae64 cinc float32", "cae"),
    ("monitor gain_64", "monitor/gain_64", "monitor"),
    ("classic CAE32", "cae32 cinc float32", "cae"),
    ("wavelet_32", "wavelet_32", "wavelet"),
    ("classic CAE16", "cae16 cinc float32", "cae"),
    ("wavelet_16", "wavelet_16", "wavelet"),
    ("none: raw", RAW, "raw"),
)
# Read off the notebook's plot: first quartile, median, third quartile, mean.
PAPER_NATS = {
    "cae64 cinc float32": (0.20, 0.68, 1.81, 1.03),
    "cae32 cinc float32": (0.04, 0.14, 0.72, 0.60),
    RAW: (0.02, 0.06, 0.22, 0.31),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the figure goes."""
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="(default: docs/figures)"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the loss of every level and draw it.

    Returns:
        A row a level, the bound, what is missing, and the figure's name.

    Raises:
        ConfigError: If the records are not there.
    """
    tables = measure_all(Wanted(CINC_TEST, SOURCES))
    missing = load_all(SOURCES)[1]
    for source, why in missing.items():
        print(f"left out: {source}: {why}")
    draws = Bootstrap(tables[RAW].records)
    rows = [
        {"title": title, "coder": name, "family": family}
        | quartiles(tables[name], draws)
        for title, name, family in ROWS
        if name in tables
    ]
    results: dict[str, Any] = {
        "bound_nats": BOUND_NATS,
        "n_windows": len(tables[RAW]),
        "missing": missing,
        "rows": rows,
    }
    results["figure"] = draw(results, folder=options.figures)
    return results


def quartiles(table: Measured, draws: Bootstrap) -> dict[str, Any]:
    """Return gain, quartiles, mean, and the share of windows within the bound."""
    low, middle, high = np.percentile(table.cce, (25, 50, 75))
    return {
        "gain": triple(draws.ratio(table.raw_bytes, table.n_bytes)),
        "quartiles": [plain(float(v)) for v in (low, middle, high)],
        "mean": triple(draws.mean(table.cce)),
        "within": triple(draws.mean((table.cce <= BOUND_NATS).astype(np.float64))),
    }


def draw(results: Mapping[str, Any], *, folder: Path | None = None) -> str:
    """Write the figure and return its name."""
    figure, axes = new_figure(size_in=(8.0, 4.4))
    ax = axes[0, 0]
    rows = results["rows"]
    for y, row in enumerate(rows):
        colour = FAMILY_COLOURS.get(row["family"], INK)
        low, middle, high = row["quartiles"]
        ax.barh(y, high - low, left=low, height=0.55, color=colour, alpha=0.35)
        ax.plot([middle, middle], [y - 0.275, y + 0.275], color=colour, linewidth=2.5)
        mean, mean_low, mean_high = row["mean"]
        ax.plot([mean_low, mean_high], [y, y], color=colour, linewidth=1.2)
        ax.plot(mean, y, "D", color=colour, markersize=5)
        right = max(high, mean_high)
        text = f"{100 * row['within'][0]:.0f} % within; gain {row['gain'][0]:.0f}"
        ax.annotate(
            text,
            (right, y),
            (6, 0),
            textcoords="offset points",
            va="center",
            size=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
    bound = results["bound_nats"]
    ax.axvline(bound, color=INK, linestyle="--", linewidth=1)
    ax.annotate(
        f"bound {bound:g}",
        (bound, len(rows) - 0.5),
        (4, 2),
        textcoords="offset points",
        size=9,
    )
    ax.set_yticks(range(len(rows)), [row["title"] for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ends = [max(row["quartiles"][2], row["mean"][2]) for row in rows]
    ax.set_xlim(0.0, 1.3 * max(ends))
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("cross entropy to the label, nats (box: quartiles; diamond: mean)")
    return save_figure(figure, "loss_quartiles", folder=folder)


def section(results: Mapping[str, Any]) -> Section:
    """Return figure, table and claims."""
    rows = results["rows"]
    cells = tuple(
        (
            row["title"],
            shown(row["gain"]),
            ", ".join(number(v) for v in row["quartiles"]),
            shown(row["mean"]),
            shown(row["within"], is_share=True),
        )
        for row in rows
    )
    bound = results["bound_nats"]
    spoken = "; ".join(
        f"{row['title']} {percent(row['within'][0], 0)} within the bound"
        for row in rows
    )
    blocks: list[str | Figure | Table] = [
        f"Cross entropy of the rhythm to the label over {results['n_windows']} windows "
        "of CinC 2017 test, judged by the network of `monitor`. The classic "
        "autoencoders are fine-tuned on CinC 2017; their gains are in bytes, with "
        "latents of 4 bytes an element.",
        Figure(file=results["figure"], alt=f"Boxes of the loss by level: {spoken}."),
        Table(
            header=(
                "level",
                "gain (95 %)",
                "quartiles, nats",
                "mean, nats (95 %)",
                f"within {bound:g} (95 %)",
            ),
            rows=cells,
            caption="Rhythm loss by level.",
        ),
    ]
    blocks += [f"Left out: {name}. {why}." for name, why in results["missing"].items()]
    return Section(title="Fig. 2", blocks=tuple(blocks), claims=_claims(rows))


def _claims(rows: list[dict[str, Any]]) -> tuple[Claim, ...]:
    why = "Another rhythm network and other windows; the paper's figures are read off "
    why += "its plot. A mean far above the median says that few windows fail badly."
    claims = []
    for row in rows:
        paper = PAPER_NATS.get(row["coder"])
        if paper is None:
            continue
        quarter, middle, upper, mean = (number(v, 2) for v in paper)
        ours = ", ".join(number(v) for v in row["quartiles"])
        claims.append(
            Claim(
                claim=f"Rhythm loss, {row['title']}: quartiles and mean, nats",
                command=COMMAND,
                paper=f"about {quarter}, {middle}, {upper}; mean {mean}",
                ours=f"{ours}; mean {shown(row['mean'])}; "
                f"{percent(row['within'][0], 0)} within 0.75",
                why=why,
            )
        )
    return tuple(claims)
