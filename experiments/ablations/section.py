# SPDX-License-Identifier: Apache-2.0
"""The ablations' part of the page."""

from __future__ import annotations

from typing import Any

from experiments.ablations.claims import claims
from experiments.ablations.says import correlation_blocks, unit_table
from experiments.section import Figure, Section, Table, number, percent, with_interval

Rows = list[dict[str, Any]]


def section(results: dict[str, Any]) -> Section:
    """Return tables, figures and claims from the results alone."""
    blocks: list[str | Table | Figure] = [
        "Each table changes one thing. In brackets are 95 % intervals, bootstrap by "
        f"record; rhythm and signal on {_split(results['split'])}.",
        *_encoder(results["encoder"], results["figures"]),
        _levels(
            results["task_term"],
            "The task term: `standard` is trained on reconstruction and rate; "
            "`monitor` goes on from there with the tasks in its loss, and is judged by "
            "these.",
        ),
        _levels(
            results["integer_encoder"],
            "The encoder of `edge` in float and in integers of 8 bits.",
        ),
        _levels(
            results["rounding"],
            "The latent rounded, as it is sent, and as the encoder found it.",
        ),
        _levels(
            results["by_segment"],
            "A window of 30 s coded whole, and as four frames of 7.5 s.",
        ),
        _margin(results["margin"]),
        _reference(results["reference"]),
        unit_table(results["unit"]),
        *correlation_blocks(results),
    ]
    return Section(title="Ablations", blocks=tuple(blocks), claims=claims(results))


def _split(name: str) -> str:
    data_set, _, split = name.partition(":")
    return f"{ {'cinc2017': 'CinC 2017', 'mitdb': 'MIT-BIH'}[data_set] }, {split} split"


def _encoder(found: dict[str, Any], figures: list[str]) -> list[str | Table | Figure]:
    if not found["rows"]:
        return [f"The encoder's size and the rate term were not measured: {found}."]
    equal = found["equal_prdn"]
    rows = [
        (
            f"`{row['name']}`",
            number(row["macs"] / 1e6),
            *(
                f"{with_interval(level['gain'])} at {with_interval(level['prdn'])}"
                for level in row["levels"]
            ),
            with_interval(row["prdn_at_64"]),
            with_interval(row["prdn_at_100"]),
            with_interval(row["gain_at_equal_prdn"]),
            with_interval(row["gain_over_base"]),
        )
        for row in found["rows"]
    ]
    table = Table(
        header=(
            "training",
            "M MACs a segment",
            "gain_64: gain at PRDN %",
            "gain_128: gain at PRDN %",
            "PRDN % at gain 64",
            "PRDN % at gain 100",
            f"gain at {equal:g} %",
            "over `edge`",
        ),
        rows=tuple(rows),
        caption=(
            f"Encoders of rising cost, and the trunk of `edge` without the rate in its "
            f"loss, its quantiser step set on validation windows to the bytes of "
            "`edge` (its decoder was not trained again for that coarser step). All are "
            f"short trainings of {found['rows'][0]['n_steps']:,} steps "
            "and compare with each other only; figures at equal gain or PRDN lie on a "
            "line through both levels, PRDN over log gain."
        ),
    )
    blocks: list[str | Table | Figure] = [table]
    blocks += [
        Figure(file=file, alt="Gain at equal PRDN against the encoder's arithmetic.")
        for file in figures
        if "budget" in file
    ]
    return blocks


def _levels(rows: Rows, caption: str) -> Table:
    return Table(
        header=("level", "gain", "PRDN %", "KL nats", "over 0.1 nats", "weighted F1"),
        rows=tuple(
            (
                f"`{row['coder']}`",
                with_interval(row["gain"]),
                with_interval(row["prdn"]),
                with_interval(row["kl"]),
                with_interval(row["over"], is_share=True),
                with_interval(row["weighted_f1"]),
            )
            for row in rows
        ),
        caption=caption,
    )


def _choice_cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        with_interval(row["gain"]),
        with_interval(row["violations"], is_share=True),
        with_interval(row["weighted_f1"]),
        percent(row["lossless"]),
    )


def _margin(found: dict[str, Rows]) -> Table:
    rows = [
        (
            f"`{bundle}`",
            f"{row['bound_nats']:g}",
            row["choice"],
            "-" if row["choice"] == "no margin" else percent(row["risk"]),
            *_choice_cells(row),
        )
        for bundle, bundle_rows in found.items()
        for row in bundle_rows
    ]
    return Table(
        header=(
            "bundle",
            "bound, nats",
            "choice",
            "risk asked for",
            "gain",
            "violations",
            "weighted F1",
            "lossless",
        ),
        rows=tuple(rows),
        caption=(
            "The conformal margin: without it, as in the paper, a level is sent when "
            "the foretold error is within the bound; `same risk` asks for as many "
            "violations as that makes among the calibration's windows."
        ),
    )


def _reference(rows: Rows) -> Table:
    return Table(
        header=(
            "reference",
            "bound, nats",
            "fallback",
            "over it uncompressed",
            "gain",
            "violations",
            "weighted F1",
            "lossless",
        ),
        rows=tuple(
            (
                row["reference"],
                f"{row['bound_nats']:g}",
                row["fallback"],
                percent(row["inherent"]),
                *_choice_cells(row),
            )
            for row in rows
        ),
        caption=(
            "What errors are measured against: the answer on the raw window (KL) or "
            "the annotated class (cross-entropy); `monitor`, risk 5 %. With a lossy "
            "fallback a window that is over the bound uncompressed is no violation."
        ),
    )
