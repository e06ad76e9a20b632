# SPDX-License-Identifier: Apache-2.0
"""The page's part on Table II."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.section import Claim, Section, Table

COMMAND = "python -m experiments run table_2"
HEADER = (
    "encoder",
    "parameters",
    "the paper's",
    "memory, float",
    "weights, 8 bits",
    "M MACs a segment",
    "M MACs a second of ECG",
    "largest layer in and out, values",
)


def section(results: Mapping[str, Any]) -> Section:
    """Return the table and its claims."""
    rows = results["rows"]
    blocks: list[str | Table] = [
        "Parameters of the device's part, error heads left out, moving statistics of "
        "batch normalisation counted as the paper does. Work is multiply-accumulates "
        "for one segment, 2000 samples in the paper and 2240 in ours, all levels; per "
        f"second at {results['fs']:g} Hz. Memory in KB of 1000 bytes.",
        Table(
            header=HEADER,
            rows=tuple(_cells(row) for row in rows),
            caption="Encoders of the paper and ours.",
        ),
    ]
    for row in rows:
        if row.get("arena_bytes"):
            blocks.append(
                f"{row['title']}: file {_kb(row['file_bytes'])}, flash with all tables "
                f"and heads {_kb(row['flash_bytes'])}, arena {_kb(row['arena_bytes'])} "
                "as TensorFlow Lite Micro needs it."
            )
    blocks += [f"Left out: {name}. {why}." for name, why in results["missing"].items()]
    return Section(title="Table II", blocks=tuple(blocks), claims=_claims(rows))


def _kb(n_bytes: int) -> str:
    return f"{n_bytes / 1000:,.0f} KB"


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    paper = row["paper"]
    return (
        row["title"],
        f"{row['n_params']:,}",
        f"{paper['params_k']}K, {paper['kilobytes']:,} KB" if paper else "",
        _kb(row["float_bytes"]) if row["float_bytes"] else "",
        _kb(row["int8_bytes"]),
        f"{row['macs_per_segment'] / 1e6:.2f}",
        f"{row['macs_per_s'] / 1e6:.3f}",
        f"{row['live_values']:,}",
    )


def _claims(rows: list[dict[str, Any]]) -> tuple[Claim, ...]:
    claims = []
    for row in rows:
        if row["paper"] is None:
            continue
        n_bytes, said = row["float_bytes"], 1000 * row["paper"]["kilobytes"]
        is_same = row["n_params"] // 1000 in (
            row["paper"]["params_k"],
            row["paper"]["params_k"] - 1,
            row["paper"]["params_k"] + 1,
        )
        why = "The same." if is_same else "Another count."
        if abs(n_bytes / said - 1.0) > 0.008:
            why += f" At 4 bytes each that is {_kb(n_bytes)}, not {_kb(said)}."
        if "twice" in row["title"]:
            why += " The paper doubles one encoder; the two that its code runs have "
            why += f"{_params(rows, 'as run')}."
        claims.append(
            Claim(
                claim=f"Encoder, {row['title']}: parameters and memory",
                command=COMMAND,
                paper=f"{row['paper']['params_k']}K, {row['paper']['kilobytes']:,} KB",
                ours=f"{row['n_params']:,}, {_kb(n_bytes)}",
                why=why,
            )
        )
    small = [row for row in rows if row.get("arena_bytes")]
    if small:
        row = small[0]
        claims.append(
            Claim(
                claim="Encoder for a microcontroller: parameters and memory",
                command=COMMAND,
                paper="83K, 332 KB",
                ours=f"{row['n_params']:,}; file {_kb(row['file_bytes'])}, arena "
                f"{_kb(row['arena_bytes'])}, {row['macs_per_segment'] / 1e6:.2f} M "
                "MACs a segment",
                why="8-bit weights, and an encoder made to be small.",
            )
        )
    return tuple(claims)


def _params(rows: list[dict[str, Any]], words: str) -> str:
    found = [row["n_params"] for row in rows if words in row["title"]]
    return f"{found[0]:,}" if found else "another number"
