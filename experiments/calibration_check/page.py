# SPDX-License-Identifier: Apache-2.0
"""Promised against observed risk on the page: what held, what broke, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.section import (
    Claim,
    Figure,
    Section,
    Table,
    percent,
    with_interval,
)

COMMAND = "python -m experiments run calibration_check"
DATA = {"cinc2017": "CinC 2017", "mitdb": "MIT-BIH"}
REMEDY = (
    "What to do: where recordings come from other devices, leads or patients, run "
    "`dynamic-deep calibrate monitor RECORDS -o own.npz` on a few hundred "
    "windows of your own, from as many patients as you can, and encode with "
    "`--calibration own.npz`. They need no labels: the reference is the tasks' answer "
    "on the uncompressed signal."
)
Cell = Mapping[str, Any]


def section(results: Mapping[str, Any]) -> Section:
    """Return this experiment's part of the page."""
    cells: list[Cell] = results["cells"]
    blocks: list[str | Table | Figure] = [
        _what(results["calibrations"]),
        says(cells, "home"),
    ]
    blocks.append(Figure(file=results["figures"]["home"], alt=says(cells, "home")))
    blocks += [_table(cells, "home"), says(cells, "shift")]
    blocks.append(Figure(file=results["figures"]["shift"], alt=says(cells, "shift")))
    blocks += [_table(cells, "shift"), _worst(cells), REMEDY]
    return Section(
        title="Calibration: promised and observed risk",
        blocks=tuple(blocks),
        claims=tuple(_claim(cells, kind) for kind in ("home", "shift")),
    )


def _what(sizes: Mapping[str, Mapping[str, float]]) -> str:
    cinc, mitdb = sizes["cinc2017"], sizes["mitdb"]
    # Standard error of a share of 5 % of so many windows, in points.
    spread = 100.0 * (0.05 * 0.95 / cinc["n_windows"]) ** 0.5
    return (
        "The calibrated choice of `monitor` and `edge` is asked for a bound and a "
        "risk: the share of windows (or of segments, for R peaks with `--per segment`) "
        "that may be over the bound. Here is what share was, on test records, counted "
        "over all windows, those sent lossless included; in brackets 95 % intervals, "
        "whole records drawn again. A promise is *broken* where the whole interval "
        "lies above what was promised, and *over* where only the value does. It is a "
        "promise on average over calibrations: by one calibration of "
        f"{cinc['n_windows']} windows a share of 5 % comes out {spread:.1f} points "
        "higher or lower by chance, and the intervals do not hold that. The "
        f"calibration `cinc2017` is of {cinc['n_records']} records that nothing else "
        f"has seen; `mitdb` is of {mitdb['n_windows']:,} windows, but of "
        f"{mitdb['n_records']} patients only, whose signals the networks were trained "
        "on. It counts by recording, each as one, and can promise no less than "
        f"{percent(mitdb['least_risk'], 2)}. Of MIT-BIH the first lead. In the "
        "figures points are moved sideways a little, so that intervals can be told "
        "apart, and what is below 0.1 % is drawn at the lower edge. Made by "
        f"`{COMMAND}`."
    )


def where(cell: Cell) -> str:
    """Return calibration and data in words."""
    return f"calibrated on {DATA[cell['calibration']]}, run on {run_on(cell)}"


def run_on(cell: Cell) -> str:
    """Return the data that was sent, in words."""
    return f"{DATA[cell['split'].partition(':')[0]]} test"


def places_of(cells: Sequence[Cell], kind: str) -> dict[str, list[Cell]]:
    """Return the cells of a kind (home or shift), place by place."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell["kind"] == kind:
            found.setdefault(where(cell), []).append(cell)
    return found


def worst_of(cells: Sequence[Cell]) -> Cell:
    """Return the cell that is the most times over what was promised."""
    return max(cells, key=lambda cell: cell["observed"][0] / cell["risk"])


def says(cells: Sequence[Cell], kind: str) -> str:
    """Return in sentences how many promises of a kind held, and the worst."""
    parts = []
    for place, found in places_of(cells, kind).items():
        n_broken = sum(cell["verdict"] == "broken" for cell in found)
        n_over = sum(cell["verdict"] == "over" for cell in found)
        head = f"{place[0].upper()}{place[1:]}: of {len(found)} promises "
        if n_broken + n_over == 0:
            parts.append(f"{head}all held.")
            continue
        worst = worst_of(found)
        parts.append(
            f"{head}{len(found) - n_broken - n_over} held, {n_over} are over by less "
            f"than the interval, {n_broken} are broken; the worst is {worst['asked']} "
            f"of {worst['bundle']}, {percent(worst['risk'], 0)} promised and "
            f"{with_interval(worst['observed'], is_share=True)} found."
        )
    return " ".join(parts)


def _worst(cells: Sequence[Cell]) -> str:
    broken = [
        cell
        for cell in cells
        if cell["kind"] == "shift" and cell["verdict"] == "broken"
    ]
    if not broken:
        return "Under shift no promise is broken beyond its interval."
    groups: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in broken:
        groups.setdefault((where(cell), cell["bundle"], cell["task"]), []).append(cell)
    parts = []
    for (place, bundle, task), found in groups.items():
        factors = [cell["observed"][0] / cell["risk"] for cell in found]
        parts.append(
            f"{place}, {task} of {bundle}: {len(found)} broken, the share found is "
            f"{min(factors):.1f} to {max(factors):.1f} times what was promised"
        )
    return "Where the promise breaks: " + "; ".join(parts) + "."


def _table(cells: Sequence[Cell], kind: str) -> Table:
    rows: dict[tuple[str, str, str], dict[float, Cell]] = {}
    for cell in cells:
        if cell["kind"] == kind:
            key = (where(cell), cell["bundle"], cell["asked"])
            rows.setdefault(key, {})[cell["risk"]] = cell
    risks = sorted({cell["risk"] for cell in cells})
    return Table(
        header=("", "bundle", "bound", *(f"promised {percent(r, 0)}" for r in risks)),
        rows=tuple(
            (*key, *(_cell_text(found.get(risk)) for risk in risks))
            for key, found in rows.items()
        ),
        caption="Share found over the bound with its interval, then the gain. In bold: "
        "broken; a dash: less than the calibration can promise, and refused.",
    )


def _cell_text(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    share = with_interval(cell["observed"], is_share=True)
    if cell["verdict"] == "broken":
        share = f"**{share}**"
    return f"{share}; {cell['gain'][0]:.1f}"


def _claim(cells: Sequence[Cell], kind: str) -> Claim:
    found = [cell for cell in cells if cell["kind"] == kind]
    n_broken = sum(cell["verdict"] == "broken" for cell in found)
    n_over = sum(cell["verdict"] == "over" for cell in found)
    worst = worst_of(found)
    if kind == "home":
        claim = "the share of windows over the bound is within the risk that was asked"
        paper = "0 % at the bound of 0.75, raw windows not counted; no promise"
        why = (
            "every promise holds within its interval"
            if n_broken == 0
            else f"missed in {n_broken} of {len(found)}: {where(worst)}, see there"
        )
    else:
        claim = "the same on data of another kind than the calibration's"
        paper = "not looked at"
        why = (
            "no promise is made there, and none is broken beyond its interval"
            if n_broken == 0
            else "no promise is made there: calibrate on own unlabelled recordings"
        )
    ours = (
        f"{len(found) - n_broken - n_over} of {len(found)} held, {n_over} over, "
        f"{n_broken} broken; worst {percent(worst['observed'][0])} for "
        f"{percent(worst['risk'], 0)} ({worst['bundle']}, {worst['asked']})"
    )
    return Claim(claim=claim, command=COMMAND, paper=paper, ours=ours, why=why)
