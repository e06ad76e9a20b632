# SPDX-License-Identifier: Apache-2.0
"""The page's part on promises: the table, and how far each target was reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.bound_table.rows import (
    CALIBRATED,
    FIXED,
    LOSSLESS,
    ORACLE,
    four_digits,
    row_of,
    rows_asked,
    shown,
)
from experiments.bound_table.targets import claims_of
from experiments.section import Section, Table, percent

__all__ = ["CALIBRATED", "ORACLE", "row_of", "section", "shown"]

HEADER = (
    "what was asked",
    "choice",
    "gain (95 %)",
    "over (95 %)",
    "weighted F1",
    "mean F1 of N, A, O",
    "of oracle",
)
MAIN = "monitor"  # the bundle that targets were set for


def section(results: Mapping[str, Any]) -> Section:
    """Return the tables of all bundles and the claims of the first."""
    blocks: list[str | Table] = [
        "Every window is sent at the level that a choice picks for it, and judged by "
        "the bundle's own task networks. Gains are raw bytes over bytes sent, sum over "
        "sum, in brackets 95 % intervals from a bootstrap by record. *Over* is the "
        "share of windows, or of segments where that was asked, that compression took "
        "over the bound. *Of oracle* is the gain over that of the choice that knows "
        "every window's error. Calibrations hold no test record.",
    ]
    for bundle, asked in results["asked"].items():
        blocks.append(_table(bundle, asked))
    blocks.append(_beats(results["beats"]))
    blocks.append(" ".join(_findings(results["asked"])))
    return Section(
        title="The bound",
        blocks=tuple(blocks),
        claims=claims_of(results["asked"][MAIN], results["beats"])
        if MAIN in results["asked"]
        else (),
    )


def _table(bundle: str, asked: Mapping[str, Any]) -> Table:
    rows = []
    for _, one in rows_asked(asked):
        what = f"`{one['words']}`, {_set_of(one)}"
        if one["inherent"]:
            what += f" ({percent(one['inherent'])} are over it even uncompressed)"
        for row in one["rows"]:
            if row["kind"] == LOSSLESS:
                continue
            rows.append((what, *_cells(row)))
            what = ""
    lossless = row_of(asked["rhythm"], LOSSLESS)
    if lossless is not None:
        rows.append(("no compression, CinC 2017", *_cells(lossless)))
    rows += _rows_by_length(asked["rhythm"])
    sizes = "; ".join(
        f"{_set_of(one)}: {one['n_windows']:,} windows of {one['n_records']} records"
        for name, one in rows_asked(asked)
        if name in ("rhythm", "rpeaks")
    )
    caption = f"Bundle `{bundle}`, model `{asked['model_id']}`. {sizes}."
    return Table(header=HEADER, rows=tuple(rows), caption=caption)


def _rows_by_length(one: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for name, part in one["by_length"].items():
        what = f"the {part['n_windows']} {name} windows of these"
        for row in part["rows"]:
            asked = f", `{one['words']}`" if row["kind"] == CALIBRATED else ""
            rows.append((what + asked, *_cells(row)))
    return rows


def _set_of(one: Mapping[str, Any]) -> str:
    data_set = one["split"].partition(":")[0]
    return {"cinc2017": "CinC 2017", "mitdb": "MIT-BIH lead 0"}.get(data_set, data_set)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        row["choice"],
        shown(row["gain"]),
        shown(row["over"], is_share=True) if row["over"][0] else "0",
        shown(row["weighted_f1"]),
        shown(row["nao_f1"]),
        _of_oracle(row),
    )


def _of_oracle(row: Mapping[str, Any]) -> str:
    if "of_oracle" not in row or row["kind"] in (ORACLE, LOSSLESS):
        return ""
    return percent(row["of_oracle"], 0)


def _beats(beats: Mapping[str, Any]) -> str:
    return (
        "R peaks of the task on raw windows of MIT-BIH test, lead 0, against the "
        f"annotated beats within 150 ms: F1 {four_digits(beats['f1'])}, sensitivity "
        f"{four_digits(beats['sensitivity'])}, positive predictive value "
        f"{four_digits(beats['ppv'])}, jitter {shown(beats['jitter_ms'])} ms."
    )


def _findings(asked: Mapping[str, Any]) -> list[str]:
    """Say of each bundle whether promises held and what the heads are worth."""
    found = []
    for bundle, everything in asked.items():
        broken, better = [], []
        for name, one in rows_asked(everything):
            calibrated, fixed = row_of(one, CALIBRATED), row_of(one, FIXED)
            if calibrated is None:
                continue
            share, low, _ = calibrated["over"]
            if share > one["risk"]:
                where = "within its interval" if low <= one["risk"] else "broken"
                broken.append(f"{name} {percent(share)} of {percent(one['risk'])}")
                broken[-1] += f" ({where})"
            if fixed is not None:
                more = calibrated["gain"][0] / fixed["gain"][0] - 1.0
                better.append(f"{name} {100 * more:+.0f} %")
        kept = "kept every promise" if not broken else f"was over: {', '.join(broken)}"
        found.append(
            f"`{bundle}` {kept}. Against the best fixed level its choice gains: "
            f"{', '.join(better)}."
        )
    return found
