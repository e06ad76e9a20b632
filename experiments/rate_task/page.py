# SPDX-License-Identifier: Apache-2.0
"""Rate and task on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.calibration_check import verdict
from experiments.rate_distortion.curves import DRAWN, EXACT_FAMILIES
from experiments.section import (
    Claim,
    Figure,
    Section,
    Table,
    number,
    percent,
    with_interval,
)

COMMAND = "python -m experiments run rate_task"
TASKS = {
    "rhythm": "Rhythm, CinC 2017 test",
    "rpeaks": "R peaks, MIT-BIH test, first lead",
}
Row = Mapping[str, Any]
VERDICTS = {
    "held": "kept",
    "over": "over what was promised, by less than the interval",
    "broken": "missed: more is changed than was promised",
}


def section(results: Mapping[str, Any]) -> Section:
    """Return this experiment's part of the page."""
    blocks: list[str | Table | Figure] = [
        _what(results),
        Figure(file=results["figure"], alt=_alt(results)),
        _of_choice(results),
    ]
    for task in TASKS:
        blocks += [_same_table(results, task), _table(results, task)]
    return Section(
        title="Rate and task",
        blocks=tuple(blocks),
        claims=tuple(_claims(results)),
    )


def changed(results: Mapping[str, Any], task: str) -> str:
    """Return what counts as changed, in words."""
    if task == "rhythm":
        return (
            f"windows whose rhythm moved by over {results['bound_nats']:g} nats from "
            "the answer on the raw window"
        )
    return "segments in which a beat came, went or moved by over 50 ms"


def _what(results: Mapping[str, Any]) -> str:
    counts = "; ".join(
        f"{title}: {results[task]['n_windows']:,} windows of "
        f"{results[task]['n_records']} records"
        for task, title in TASKS.items()
    )
    return (
        f"The windows of every coder are given to the task networks of `monitor` "
        f"({counts}). For rhythm: the F1 of the four annotated classes, weighted by "
        f"their windows, and the share of {changed(results, 'rhythm')}. For R peaks: "
        "the F1 against the annotated beats within 150 ms, and the share of "
        f"{changed(results, 'rpeaks')}. Stars are the choices that `monitor` and "
        "`edge` make window by window with their error heads at a promised risk of "
        f"{percent(results['risk'], 0)}. Bands and "
        f"brackets: 95 %, whole records drawn again. Made by `{COMMAND}`."
    )


def _alt(results: Mapping[str, Any]) -> str:
    parts = []
    for task, title in TASKS.items():
        stars = " and ".join(
            f"{row['name']} {number(row['gain'][0])} with {percent(row['lost'][0])} "
            "changed"
            for row in results[task]["chosen"]
        )
        raw = results[task]["raw"]["f1"][0]
        parts.append(
            f"{title}: F1 uncompressed {raw:.3f}, gain of the calibrated choices "
            f"{stars}"
        )
    return "Task scores against gain, a line a family of coders. " + "; ".join(parts)


def _of_choice(results: Mapping[str, Any]) -> str:
    parts = []
    for task, title in TASKS.items():
        for row in results[task]["chosen"]:
            parts.append(
                f"{title}: {row['name']} chooses to a gain of "
                f"{with_interval(row['gain'])} with "
                f"{with_interval(row['lost'], is_share=True)} changed and an F1 of "
                f"{three(row['f1'])}; uncompressed the F1 is "
                f"{three(results[task]['raw']['f1'])}"
            )
    return "The calibrated choices. " + ". ".join(parts) + "."


def three(values: Sequence[float]) -> str:
    """Return a score with its interval to three places."""
    return "{:.3f} ({:.3f}-{:.3f})".format(*values)


def _same_table(results: Mapping[str, Any], task: str) -> Table:
    at = results[task]["gains_at"]
    found = [{row["curve"]: row for row in one["rows"]} for one in at]
    rows = []
    for curve in DRAWN:
        if not any(curve in one for one in found):
            continue
        cells = [DRAWN[curve]]
        for one in found:
            row = one.get(curve)
            cells += ["", ""] if row is None else _same_cells(row)
        rows.append(tuple(cells))
    header = ["curve"]
    for one in at:
        header += [f"gain at {percent(one['share'], 0)} (95 %)", "over the wavelet's"]
    return Table(
        header=tuple(header),
        rows=tuple(rows),
        caption=f"{TASKS[task]}: the gain at which each curve has so large a share of "
        f"{changed(results, task)}, between its levels. Empty: its lowest level is "
        "above that share already, or its highest still below.",
    )


def _same_cells(row: Row) -> list[str]:
    ratio = row.get("ratio")
    is_own = row["curve"] == "wavelet"
    shown = "" if ratio is None or is_own else "{:.2f} ({:.2f}-{:.2f})".format(*ratio)
    return [with_interval(row["gain"]), shown]


def _table(results: Mapping[str, Any], task: str) -> Table:
    found = results[task]
    chosen = [{**row, "name": f"{row['name']}, calibrated"} for row in found["chosen"]]
    lossy = [row for row in found["rows"] if row["family"] not in EXACT_FAMILIES]
    header = ["coder", "gain (95 %)", "changed (95 %)", "F1 (95 %)"]
    if task == "rhythm":
        header.append("mean F1 of N, A, O (95 %)")
    return Table(
        header=tuple(header),
        rows=tuple(_cells(row) for row in (found["raw"], *lossy, *chosen)),
        caption=f"{TASKS[task]}. Changed: share of {changed(results, task)}. "
        "Coders that lose nothing score as the raw windows do.",
    )


def _cells(row: Row) -> tuple[str, ...]:
    cells = [
        row["name"],
        with_interval(row["gain"]),
        with_interval(row["lost"], is_share=True),
        three(row["f1"]),
    ]
    if "cinc_f1" in row:
        cells.append(three(row["cinc_f1"]))
    return tuple(cells)


def _claims(results: Mapping[str, Any]) -> list[Claim]:
    claims = []
    for task, title in TASKS.items():
        for row in results[task]["chosen"]:
            better = _best_within(results, task)
            why = VERDICTS[verdict(results["risk"], row["lost"])]
            if better is not None:
                is_ahead = row["gain"][0] > better["gain"][0]
                why += (
                    f"; {'above' if is_ahead else 'below'} {better['name']} "
                    f"(gain {number(better['gain'][0])}), of all coders the one that "
                    "sends least within that share, known only afterwards"
                )
            claims.append(
                Claim(
                    claim=f"{title}: at most {percent(results['risk'], 0)} of "
                    f"{'windows' if task == 'rhythm' else 'segments'} changed, by "
                    f"{row['name']}'s own choice",
                    command=COMMAND,
                    paper="weighted F1 and loss at a bound, not the share changed",
                    ours=f"gain {with_interval(row['gain'])}, changed "
                    f"{with_interval(row['lost'], is_share=True)}",
                    why=why,
                )
            )
    return claims


def _best_within(results: Mapping[str, Any], task: str) -> Row | None:
    """Return the coder of the highest gain that changes no more than the risk."""
    rows = [row for row in results[task]["rows"] if row["lost"][0] <= results["risk"]]
    return max(rows, key=lambda row: row["gain"][0], default=None)
