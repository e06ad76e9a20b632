# SPDX-License-Identifier: Apache-2.0
"""Rate and distortion on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.rate_distortion.curves import EXACT_FAMILIES
from experiments.section import (
    Claim,
    Figure,
    Section,
    Table,
    number,
    percent,
    with_interval,
)
from experiments.windows import CINC_TEST, MITDB_TEST

COMMAND = "python -m experiments run rate_distortion"
TITLES = {
    MITDB_TEST: "MIT-BIH test, first lead",
    CINC_TEST: "CinC 2017 test",
}
Rows = Mapping[str, Mapping[str, Any]]
# The levels that the claims are of; named before any test record was measured.
SHOWN = ("standard/gain_64", "standard/gain_128", "edge/gain_64", "monitor/gain_64")


def rows_of(results: Mapping[str, Any], split: str) -> Rows:
    """Return the rows of a split by the coder's name."""
    return {row["name"]: row for row in results["splits"][split]["rows"]}


def section(results: Mapping[str, Any]) -> Section:
    """Return this experiment's part of the page."""
    blocks: list[str | Table | Figure] = [_what(results)]
    if results["rivals"]:
        blocks.append(results["rivals"])
    blocks.append(Figure(file=results["figure"], alt=_alt(results)))
    blocks.append(_of_reference(results["classical_2026"]))
    for split, title in TITLES.items():
        blocks += [_table(results, split, title), _beside(results, split, title)]
    blocks += [
        f"Not measured, {source}: {why}" for source, why in results["missing"].items()
    ]
    return Section(
        title="Rate and distortion",
        blocks=tuple(blocks),
        claims=tuple(_claims(results)),
    )


def _what(results: Mapping[str, Any]) -> str:
    counts = "; ".join(
        f"{TITLES[split]}: {found['n_windows']:,} windows of "
        f"{found['n_records']} records"
        for split, found in results["splits"].items()
    )
    return (
        f"Every coder sends every window alone and decodes it again ({counts}). *Gain* "
        "is bytes of the raw 16-bit samples over bytes sent, sum over sum, framing and "
        "checksum included; *PRDN* is the error with the window's mean removed, mean "
        "over windows. In brackets 95 % intervals: whole records are drawn again, "
        "1,000 times. *Element gain* counts numbers, not bytes, as the paper does. "
        f"Made by `{COMMAND}`."
    )


def _of_reference(facts: Mapping[str, Any]) -> str:
    return (
        f"Thin and dotted: {facts['title']}; {facts['source']} ({facts['date']}). It "
        f"is of other windows: {facts['windows']}. So it shows where classical coding "
        "stands, and is compared with nothing."
    )


def _alt(results: Mapping[str, Any]) -> str:
    found = [
        (TITLES[split], _shown(results, split, "standard/gain_64"))
        for split in results["splits"]
    ]
    parts = [
        f"on {title} standard/gain_64 has {ratio[0]:.2f} times the wavelet's gain at "
        "equal PRDN"
        for title, ratio in found
        if ratio is not None
    ]
    return "Gain against PRDN, a panel a data set: " + "; ".join(parts or ["curves"])


def _table(results: Mapping[str, Any], split: str, title: str) -> Table:
    return Table(
        header=(
            *("coder", "gain (95 %)", "mean of ratios", "bits a sample"),
            *("PRDN % (95 %)", "median, p95", "PRD %", "max error, ADC units"),
            "element gain",
        ),
        rows=tuple(_cells(row) for row in results["splits"][split]["rows"]),
        caption=f"{title}. The PRD keeps the offset of the ADC; the largest error is "
        "given where a coder bounds it.",
    )


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    signal = ("exact", "", "") if row["is_exact"] else _signal(row)
    largest = row.get("max_error")
    elements = row["element_gain"]
    return (
        row["name"],
        with_interval(row["gain"]),
        number(row["mean_gain"]),
        number(row["bits_a_sample"]),
        *signal,
        "" if largest is None else f"{largest:g}",
        "" if elements is None else number(elements),
    )


def _signal(row: Mapping[str, Any]) -> tuple[str, str, str]:
    spread = f"{number(row['prdn_median'])}, {number(row['prdn_p95'])}"
    return with_interval(row["prdn"]), spread, number(row["prd"])


def _beside(results: Mapping[str, Any], split: str, title: str) -> Table:
    rows = sorted(
        results["splits"][split]["beside_wavelet"],
        key=lambda row: (row["curve"], row["gain"]),
    )
    return Table(
        header=("coder", "PRDN %", "gain", "wavelet's gain", "ratio (95 %)"),
        rows=tuple(
            (
                row["name"],
                number(row["prdn"]),
                number(row["gain"]),
                number(row["wavelet_gain"]),
                _ratio(row["ratio"]),
            )
            for row in rows
        ),
        caption=f"{title}: every lossy coder beside the wavelet at the same mean PRDN. "
        "Left out are those whose PRDN no wavelet level reaches.",
    )


def _ratio(values: Sequence[float]) -> str:
    return "{:.2f} ({:.2f}-{:.2f})".format(*values)


def _shown(results: Mapping[str, Any], split: str, name: str) -> list[float] | None:
    for row in results["splits"][split]["beside_wavelet"]:
        if row["name"] == name:
            return list(row["ratio"])
    return None


def _claims(results: Mapping[str, Any]) -> list[Claim]:
    claims = []
    for name in SHOWN:
        both = [(t, _shown(results, split, name)) for split, t in TITLES.items()]
        found = [(title, ratio) for title, ratio in both if ratio is not None]
        if not found:
            continue
        is_above = all(ratio[1] > 1.0 for _, ratio in found)
        claims.append(
            Claim(
                claim=f"{name} sends fewer bytes than the wavelet at equal PRDN",
                command=COMMAND,
                paper="no classical rival in the paper; target: above 1",
                ours="; ".join(f"{_ratio(ratio)} on {title}" for title, ratio in found),
                why="met on both sets" if is_above else "missed: not above 1 on both",
            )
        )
    return [*claims, _lossless(results)]


def _lossless(results: Mapping[str, Any]) -> Claim:
    rows = rows_of(results, CINC_TEST)
    best = max(
        (row for row in rows.values() if row["family"] in EXACT_FAMILIES),
        key=lambda row: row["gain"][0],
    )
    saved = percent(1.0 - 1.0 / best["gain"][0])
    return Claim(
        claim="a lossless coder reaches 2.7 and saves 63 %",
        command=COMMAND,
        paper="2.7, 63 % of storage; data and word width not stated",
        ours=f"{best['name']}: {with_interval(best['gain'])} on CinC 2017 test, "
        f"{saved} saved; zlib -9: {with_interval(rows['zlib -9']['gain'])}",
        why="ours counts samples as stored, 16 bits, and adapts to the signal",
    )
