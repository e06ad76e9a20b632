# SPDX-License-Identifier: Apache-2.0
"""The ablations' rows of the page's first table."""

from __future__ import annotations

from typing import Any

from experiments.section import Claim, number, percent, with_interval

COMMAND = "python -m experiments run ablations"
TRAIN = "python -m experiments train ablation --name NAME"
LOW = 0.3  # a correlation below it is called low, as is the custom


def claims(results: dict[str, Any]) -> tuple[Claim, ...]:
    """Return a claim each for correlation, margin and, if measured, the encoder."""
    found = [_correlation(results), _margin(results["margin"])]
    encoder = results["encoder"]
    if {"tiny", "edge"} <= {row["name"] for row in encoder["rows"]}:
        found.append(_budget(encoder))
    return tuple(found)


def _correlation(results: dict[str, Any]) -> Claim:
    pairs = [
        row
        for row in results["correlation"]
        if (row["signal"], row["task"]) == ("prdn", "kl")
    ]
    ranks = [row["spearman"][0] for row in pairs]
    straight = [row["pearson"][0] for row in pairs]
    n_low = sum(abs(rank) < LOW for rank in ranks)
    verdict = "holds" if n_low == len(ranks) else "does not hold"
    if 0 < n_low < len(ranks):
        verdict = f"holds at {n_low} of {len(ranks)} levels"
    (at,) = (row for row in results["choice"]["rows"] if row["violations"] == 0.05)
    return Claim(
        claim=(
            "The errors of signal and task hardly correlate, so the task's must be "
            "foretold (section V-D)"
        ),
        command=COMMAND,
        paper="low, no figure",
        ours=(
            f"Spearman of PRDN and KL {min(ranks):.2f} to {max(ranks):.2f}, Pearson "
            f"{min(straight):.2f} to {max(straight):.2f}, by level"
        ),
        why=(
            f"With low meaning ranks below {LOW:g} it {verdict}. At 5 % violations "
            f"foretold task errors give {with_interval(at['heads_over_prdn'])} times "
            "the gain of a limit on the PRDN."
        ),
    )


def _margin(found: dict[str, list[dict[str, Any]]]) -> Claim:
    rows = found["monitor"]
    bounds = sorted({row["bound_nats"] for row in rows})
    shares = {
        choice: [row["violations"][0] for row in rows if row["choice"] == choice]
        for choice in ("no margin", "calibrated")
    }
    n_kept = sum(share <= rows[0]["risk"] for share in shares["calibrated"])
    return Claim(
        claim="A level may be sent when its foretold error is within the bound",
        command=COMMAND,
        paper="no violations (raw segments count as none)",
        ours=(
            f"no margin: {_range(shares['no margin'])} violations over bounds of "
            f"{bounds[0]:g} to {bounds[-1]:g} nats; calibrated to "
            f"{percent(rows[0]['risk'], 0)}: {_range(shares['calibrated'])}"
        ),
        why=(
            "A foretold median is exceeded in half of the windows that lie at it; "
            f"the calibrated choice keeps to its risk at {n_kept} of {len(bounds)} "
            "bounds."
        ),
    )


def _range(shares: list[float]) -> str:
    return f"{percent(min(shares))} to {percent(max(shares))}"


def _budget(encoder: dict[str, Any]) -> Claim:
    by_name = {row["name"]: row for row in encoder["rows"]}
    sized = [row for row in encoder["rows"] if row["has_rate_term"]]
    largest = max(sized, key=lambda row: int(row["macs"]))
    tiny, edge = by_name["tiny"], by_name["edge"]
    return Claim(
        claim="What the device's budget of 1 M multiply-accumulates costs",
        command=f"{TRAIN}; {COMMAND}",
        paper="16.0 M a segment (counted from its layers)",
        ours=(
            f"gain at {encoder['equal_prdn']:g} % PRDN: "
            f"{with_interval(tiny['gain_at_equal_prdn'])} with "
            f"{number(tiny['macs'] / 1e6)} M, "
            f"{with_interval(edge['gain_at_equal_prdn'])} with "
            f"{number(edge['macs'] / 1e6)} M, "
            f"{with_interval(largest['gain_at_equal_prdn'])} with "
            f"{number(largest['macs'] / 1e6)} M"
        ),
        why=(
            f"Short trainings of {edge['n_steps']:,} steps, which compare with each "
            "other only."
        ),
    )
