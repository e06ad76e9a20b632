# SPDX-License-Identifier: Apache-2.0
"""The part of the page that tells of judges that took no part in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.section import Claim, Figure, Section, Table, percent, with_interval
from experiments.transfer.ways import OWN

HEADERS = {
    "rhythm": (
        "sent by",
        "gain",
        "own: weighted F1",
        "own: KL, nats",
        "own: over the bound",
        "second: weighted F1",
        "second: KL, nats",
        "second: over the bound",
    ),
    "rpeaks": (
        "sent by",
        "gain",
        "own: F1",
        "own: 1 - F1 to raw",
        "own: windows changed",
        "xqrs: F1",
        "xqrs: 1 - F1 to raw",
        "xqrs: windows changed",
    ),
}


def section(results: dict[str, Any]) -> Section:
    """Return the part of the page that these results give."""
    rhythm, rpeaks = results["rhythm"], results["rpeaks"]
    bound = f"{results['bound_nats']:g} nats"
    chosen = next(row for row in rhythm["rows"] if row["family"] == "chosen")
    own, second = (chosen[judge]["over"] for judge in ("own", "second"))
    shares = [with_interval(v, is_share=True) for v in (own, second)]
    asked = percent(results["risk"], 0)
    is_kept = second[1] <= results["risk"]
    claim = Claim(
        claim=f"`monitor` calibrated to rhythm {bound}, risk {asked}: the promise "
        "holds for a rhythm network that no codec was trained with",
        command="python -m experiments run transfer",
        paper="not measured",
        ours=f"changed by the own network {shares[0]}, by the second {shares[1]}",
        why="as asked"
        if is_kept
        else "missed: a promise is of the network that it was calibrated with",
    )
    text = (
        "Each window is judged twice: by the task networks of `monitor`, which its "
        "levels were trained with, and by judges that took no part in any training. "
        f"Of rhythm, on {rhythm['n_windows']} windows of CinC 2017 test, that is a "
        "network of another kind (log-power of 20 bands, dilated convolutions) that "
        "saw raw windows alone (`python -m experiments train judge`); of R peaks, on "
        f"{rpeaks['n_windows']} windows of MIT-BIH test, lead 0, one of "
        f"{results['every_mitdb']}, it is the detector xqrs of the package wfdb."
    )
    return Section(
        title="Judges that took no part in training",
        blocks=(
            text,
            Figure(file=results["figure"], alt=_alt(rhythm, bound)),
            rhythm["says"],
            _table("rhythm", rhythm, f"Rhythm; over the bound: KL above {bound}."),
            rpeaks["says"],
            _table(
                "rpeaks",
                rpeaks,
                "R peaks; F1 against the annotated beats at 150 ms; against each "
                "judge's own answer on the raw window at 50 ms.",
            ),
        ),
        claims=(claim,),
    )


def _alt(rhythm: Mapping[str, Any], bound: str) -> str:
    first = next(row for row in rhythm["rows"] if row["family"] == OWN)
    return (
        f"Windows whose rhythm changed by over {bound} against gain, by own and second "
        f"network; at a gain of {first['gain'][0]:.0f} "
        f"{percent(first['own']['over'][0])} and {percent(first['second']['over'][0])} "
        f"for {first['name']}."
    )


def _table(task: str, results: Mapping[str, Any], caption: str) -> Table:
    rows = []
    for row in results["rows"]:
        cells = [f"`{row['name']}`", f"{row['gain'][0]:.1f}"]
        for judge in ("own", "second"):
            cells.append(with_interval(row[judge]["f1"]))
            cells.append(with_interval(row[judge]["error"]))
            cells.append(with_interval(row[judge]["over"], is_share=True))
        rows.append(tuple(cells))
    return Table(header=HEADERS[task], rows=tuple(rows), caption=caption)
