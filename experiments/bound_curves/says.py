# SPDX-License-Identifier: Apache-2.0
"""The page's part on the sweeps of bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
from experiments.bound_table.rows import shown
from experiments.section import Claim, Figure, Section, Table, number, percent

COMMAND = "python -m experiments run bound_curves"
# The oracle of 1, 32 and 64 in the authors' notebook: bound, mean gain in elements.
PAPER_ORACLE = {0.2: 27, 0.5: 37, 0.75: 42, 1.0: 46, 1.5: 51}
NAMES = {
    WHOLE: "oracle, all levels",
    CALIBRATED: "calibrated, else lossless",
    LENIENT: "calibrated, else wavelet_24",
    THREE: "oracle gain_64, wavelet_32, none",
    TWO: "oracle gain_64, none",
    AS_PUBLISHED: "the paper's codec, choice as published",
    PAPER_THREE: "the paper's codec, oracle 64, 32, none",
    PAPER_TWO: "the paper's codec, oracle 64, none",
}
SWEPT = {
    "label": "Rhythm against labels, CinC 2017 test",
    "raw": "Rhythm against the raw answer, CinC 2017 test",
    "rpeaks": "1 - F1 of R peaks, MIT-BIH test, lead 0",
    "weights": "Both tasks, CinC 2017 test, by the weight of the rhythm",
}


def section(results: Mapping[str, Any]) -> Section:
    """Return figures, tables and claims."""
    curves, files = results["curves"], results["figures"]
    risk = percent(results["risk"], 0)
    blocks: list[str | Figure | Table] = [
        f"Gain and loss against the bound, for the levels of `{results['bundle']}`. "
        f"*Calibrated* is its choice at risk {risk}; a window that no level suits goes "
        "lossless, 4.9 in bytes on CinC 2017. Oracles know every window's loss. "
        "Dynamic-Deep as published sends the highest level whose foretold loss is "
        "within the bound, else raw; its own oracles are beside it. The mean of the "
        "windows' gains, as the paper gives it, is of elements for its codec and of "
        "bytes for ours. The paper's effective loss counts 0 for a window sent without "
        "loss; the true mean loss is given, too. Bands are 95 % intervals by record.",
        Figure(file=files[0], alt=_alt(curves, ("label", "raw"))),
        Figure(file=files[1], alt=_alt(curves, ("rpeaks", "weights"))),
    ]
    blocks += [_table(name, curves[name]) for name in SWEPT if name in curves]
    blocks += [
        "Which levels are used, calibrated above and by the oracle below.",
        Figure(file=files[2], alt=_alt_shares(curves)),
        "How many levels are worth having: added one by one in the order that "
        "calibration windows prefer.",
        Figure(file=files[3], alt=_says_ladders(results)),
        _says_ladders(results),
    ]
    blocks += [f"Left out: {name}. {why}." for name, why in results["missing"].items()]
    return Section(title="Fig. 4", blocks=tuple(blocks), claims=_claims(results))


def point_at(points: Sequence[Mapping[str, Any]], x: float) -> Mapping[str, Any]:
    """Return the point of a curve nearest to x."""
    return min(points, key=lambda point: abs(point["x"] - x))


def _table(name: str, curves: Mapping[str, Any]) -> Table:
    rows = []
    for key in NAMES:
        for point in curves.get(key, ()):
            if key not in (CALIBRATED, LENIENT, AS_PUBLISHED, WHOLE) and not _is_kept(
                name, point["x"]
            ):
                continue
            rows.append(
                (
                    NAMES[key],
                    f"{point['x']:g}",
                    shown(point["gain"]),
                    number(point["mean_gain"][0]),
                    number(point["effective_loss"][0]),
                    number(point["true_loss"][0]),
                    shown(point["over"], is_share=True) if point["over"][0] else "0",
                    percent(point["levels"]["none"], 0),
                )
            )
    swept = "weight" if name == "weights" else "bound"
    return Table(
        header=(
            "choice",
            swept,
            "gain in bytes (95 %)",
            "mean of windows' gains",
            "effective loss",
            "true loss",
            "over (95 %)",
            "sent without loss",
        ),
        rows=tuple(rows),
        caption=f"{SWEPT[name]}. Oracles of few levels at some bounds; the figure has "
        "all.",
    )


def _is_kept(name: str, x: float) -> bool:
    some = {"label": (0.75,), "raw": (0.1,), "rpeaks": (0.05,), "weights": (0.5,)}
    return x in some[name]


def _alt(curves: Mapping[str, Any], names: tuple[str, ...]) -> str:
    parts = []
    for name in names:
        if name not in curves:
            continue
        mine, best = curves[name][CALIBRATED], curves[name][WHOLE]
        parts.append(
            f"{SWEPT[name]}: from {mine[0]['x']:g} to {mine[-1]['x']:g} the calibrated "
            f"gain goes from {number(mine[0]['gain'][0])} to "
            f"{number(mine[-1]['gain'][0])}, the oracle's from "
            f"{number(best[0]['gain'][0])} to {number(best[-1]['gain'][0])}"
        )
    return "Gain and loss against the bound. " + "; ".join(parts) + "."


def _alt_shares(curves: Mapping[str, Any]) -> str:
    parts = []
    for name, x in (("label", 0.75), ("raw", 0.1)):
        for key in (CALIBRATED, WHOLE):
            levels = point_at(curves[name][key], x)["levels"]
            most = sorted(levels.items(), key=lambda one: -one[1])[:4]
            text = ", ".join(f"{level} {percent(share, 0)}" for level, share in most)
            parts.append(f"{SWEPT[name]} at {x:g}, {NAMES[key]}: {text}")
    return "Shares of levels against the bound. " + "; ".join(parts) + "."


def _says_ladders(results: Mapping[str, Any]) -> str:
    parts = []
    for key, points in results["ladders"].items():
        steps = [point for point in points if point["n_levels"] in (2, 3, 4)]
        text = ", ".join(
            f"{point['n_levels']} levels {shown(point['gain'])} "
            f"({', '.join(point['names'])})"
            for point in steps
        )
        last = points[-1]
        text += f", all {last['n_levels']} {shown(last['gain'])}"
        parts.append(f"{NAMES[key]}: {text}")
    bound = results["ladders_bound"]
    return f"Gain within {bound:g} nats of the raw answer. " + "; ".join(parts) + "."


def _claims(results: Mapping[str, Any]) -> tuple[Claim, ...]:
    curves = results["curves"]["label"]
    claims = []
    three = PAPER_THREE if PAPER_THREE in curves else THREE
    paper = ", ".join(f"{gain} at {x:g}" for x, gain in PAPER_ORACLE.items())
    points = [point_at(curves[three], x) for x in PAPER_ORACLE]
    ours = ", ".join(
        f"{number(p['mean_gain'][0])} at {p['x']:g} (sum over sum "
        f"{number(p['gain'][0])})"
        for p in points
    )
    why = "Means over windows, "
    why += "of elements, as in the paper" if three == PAPER_THREE else "of bytes"
    why += "; sum over sum the windows without loss weigh. Other networks, other "
    why += "windows."
    claims.append(
        _claim("Oracle of 64, 32, none: mean gain by bound on CCE", paper, ours, why)
    )
    mine = point_at(curves[CALIBRATED], 0.75)
    best = point_at(curves[WHOLE], 0.75)
    ours = (
        f"{number(mine['mean_gain'][0])} by the mean, {shown(mine['gain'])} by sums; "
    )
    ours += f"effective loss {number(mine['effective_loss'][0])}, true "
    ours += f"{number(mine['true_loss'][0])}"
    why = f"The oracle of all levels has {shown(best['gain'])} bytes. Windows that are "
    why += (
        "over the bound uncompressed go lossless and set the sum of bytes; the table "
    )
    why += "of the bound sends them by the wavelet."
    what = "Dynamic-Deep at CCE <= 0.75, lossless where nothing fits"
    claims.append(_claim(what, "48.31 elements, 0 violations", ours, why))
    ladders = results["ladders"][WHOLE]
    two, whole = ladders[0], ladders[-1]
    ours = f"2 levels {shown(two['gain'])}, {whole['n_levels']} levels "
    ours += f"{shown(whole['gain'])}"
    why = "In bytes each finer rung saves windows from the costly lossless one."
    what = "More levels than 3 add little (oracle)"
    claims.append(_claim(what, "2 and 3 levels shown", ours, why))
    return tuple(claims)


def _claim(what: str, paper: str, ours: str, why: str) -> Claim:
    return Claim(claim=what, command=COMMAND, paper=paper, ours=ours, why=why)
