# SPDX-License-Identifier: Apache-2.0
"""Whether what a reconstruction gains with its own task it gains with another, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dynamic_deep.errors import ConfigError
from experiments.bootstrap import Bootstrap, Rows, Triple
from experiments.section import percent
from experiments.transfer.views import View, Views
from experiments.transfer.ways import BOUND_NATS, OWN, RISK

JUDGED_BY = ("own", "second")
ALIKE = 1.3  # gains at most so many times each other
RIVALS = ("standard", "wavelet")
CHANGED = {
    "rhythm": f"changed by over {BOUND_NATS:g} nats",
    "rpeaks": "with a beat that came, went or moved",
}
JUDGES = {
    "rhythm": "a rhythm network that no codec was trained with",
    "rpeaks": "the detector xqrs",
}


def rounded(triple: Triple, n_digits: int = 5) -> list[float]:
    """Return value, lower and upper end for a file."""
    return [round(value, n_digits) for value in triple]


def compared(
    rows: Sequence[Mapping[str, Any]], views: Sequence[Views], bootstrap: Bootstrap
) -> list[dict[str, Any]]:
    """Compare each level of `OWN` with that of each rival whose gain is nearest.

    A rival that has none of like gain is left out.

    Args:
        rows: a way each.
        views: of the same ways.
        bootstrap: of their windows.

    Returns:
        Of each pair both names and gains and, by each judge, the difference of the
        share of windows changed and of F1, window by window, with its interval.
    """
    pairs = []
    for i, row in enumerate(rows):
        if row["family"] != OWN:
            continue
        for family in RIVALS:
            at = [k for k, other in enumerate(rows) if other["family"] == family]
            k = min(at, key=lambda k: _apart(rows[k], row))
            if _apart(rows[k], row) > np.log(ALIKE):
                continue
            pairs.append(
                {
                    "name": row["name"],
                    "rival": rows[k]["name"],
                    "gain": row["gain"][0],
                    "rival_gain": rows[k]["gain"][0],
                    **{
                        judge: _differences(view, views[k][judge], bootstrap)
                        | {"over": [one[judge]["over"][0] for one in (row, rows[k])]}
                        for judge, view in views[i].items()
                    },
                }
            )
    return pairs


def _apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    return abs(float(np.log(one["gain"][0] / other["gain"][0])))


def _differences(one: View, other: View, bootstrap: Bootstrap) -> dict[str, Any]:
    def f1(rows: Rows) -> float:
        return one.f1(rows) - other.f1(rows)

    return {
        "over_difference": rounded(bootstrap.mean(one.over - other.over)),
        "f1_difference": rounded(bootstrap.of(f1)),
    }


def outcome(difference: Sequence[float]) -> str:
    """Return whether fewer windows are changed, more, or as many, by the interval."""
    _, low, high = difference
    if high < 0.0:
        return "fewer"
    return "more" if low > 0.0 else "as many"


def verdict(pairs: Sequence[Mapping[str, Any]]) -> str:
    """Return what the pairs show that the own judge tells apart."""
    won = [p for p in pairs if outcome(p["own"]["over_difference"]) == "fewer"]
    also = [p for p in won if outcome(p["second"]["over_difference"]) == "fewer"]
    counts = f"of {len(won)} comparisons won by its own judge it wins {len(also)}"
    if not won:
        return "it wins no comparison by its own judge that could be passed on"
    if len(also) == len(won):
        return f"it serves a task that it has not seen ({counts})"
    if also:
        return f"it serves a task that it has not seen, in part ({counts})"
    if any(outcome(p["second"]["over_difference"]) == "more" for p in won):
        return f"it only pleases its own task ({counts})"
    # That no difference is seen does not show that there is none.
    return f"it is not shown to serve a task that it has not seen ({counts})"


def says(task: str, results: Mapping[str, Any]) -> str:
    """Return the answer in one sentence.

    Args:
        task: rhythm or rpeaks.
        results: its rows and pairs.

    Raises:
        ConfigError: If there is no such task.
    """
    if task not in JUDGES:
        raise ConfigError(f"a task must be one of {', '.join(JUDGES)}; got {task!r}")
    pairs = results["compared"]
    parts = [
        f"than {pair['rival']} at a gain of {pair['rival_gain']:.0f} "
        f"{outcome(pair['second']['over_difference'])} "
        f"({pair['name']}, gain {pair['gain']:.0f}: {_both(pair['second'])}; by its "
        f"own judge {outcome(pair['own']['over_difference'])}, {_both(pair['own'])})"
        for pair in pairs
    ]
    sentence = (
        f"Judged by {JUDGES[task]}, {verdict(pairs)}: of windows {CHANGED[task]} "
        f"{OWN} has " + ", ".join(parts)
    )
    if task == "rhythm":
        chosen = next(row for row in results["rows"] if row["family"] == "chosen")
        own, second = (percent(chosen[judge]["over"][0]) for judge in JUDGED_BY)
        sentence += (
            f"; of the {percent(RISK)} of windows that may be changed so, the "
            f"calibrated choice uses {own} by its own network and {second} by the other"
        )
    return sentence + "."


def _both(judge: Mapping[str, Any]) -> str:
    one, other = judge["over"]
    return f"{percent(one)} against {percent(other)}"
