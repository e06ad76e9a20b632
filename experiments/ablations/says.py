# SPDX-License-Identifier: Apache-2.0
"""The ablations' tables of the decision's length and of the errors' correlation."""

from __future__ import annotations

from typing import Any

from experiments.section import Figure, Table, percent, with_interval


def unit_table(found: dict[str, Any]) -> Table:
    """Return the table of the lengths that one decision is for."""
    return Table(
        header=("one decision for", "gain of the oracle", "window over it"),
        rows=tuple(
            (row["unit"], with_interval(row["gain"]), with_interval(row["over_window"]))
            for row in found["rows"]
        ),
        caption=(
            f"How long a stretch one level is chosen for: MIT-BIH test, "
            f"{found['n_records']} records, {found['n_windows']} windows; the oracle "
            "sends the fewest bytes at which no beat of the unit changes. A segment is "
            "charged a quarter of its window, which is an upper limit of its gain."
        ),
    )


def correlation_blocks(results: dict[str, Any]) -> list[str | Table | Figure]:
    """Return what the page says of the errors of signal and task."""
    by_level: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for row in results["correlation"]:
        by_level.setdefault(row["level"], {})[row["signal"], row["task"]] = row
    pairs = (("prdn", "kl"), ("mape", "kl"), ("mse", "kl"), ("prdn", "cce"))
    rows = []
    for level, found in by_level.items():
        cells = [with_interval(found[pair]["spearman"]) for pair in pairs]
        rows.append((level, *cells, with_interval(found["prdn", "kl"]["pearson"])))
    table = Table(
        header=(
            "level of `monitor`",
            "PRDN and KL",
            "eq. 1 and KL",
            "MSE and KL",
            "PRDN and CCE",
            "PRDN and KL, Pearson",
        ),
        rows=tuple(rows),
        caption=(
            "Correlation over windows of the error of the signal and that of the "
            "rhythm, to the answer on the raw window (KL) or the label (CCE); of ranks "
            "(Spearman) but in the last column."
        ),
    )
    choice = results["choice"]
    choices = Table(
        header=("violations", "by PRDN: gain", "by heads: gain", "heads over PRDN"),
        rows=tuple(
            (
                percent(row["violations"], 0),
                with_interval(row["prdn"]),
                with_interval(row["heads"]),
                with_interval(row["heads_over_prdn"]),
            )
            for row in choice["rows"]
        ),
        caption=(
            f"Levels chosen by a limit on the PRDN, which is known exactly, and by "
            f"foretold task errors, each at the setting with as many windows over "
            f"{choice['bound_nats']:g} nats; who knew the task error would make none "
            f"at gain {with_interval(choice['oracle'])}."
        ),
    )
    figures = [
        Figure(file=file, alt="Windows by PRDN and by KL; the bound is drawn in.")
        for file in results["figures"]
        if "scatter" in file
    ]
    return [table, *figures, choices]
