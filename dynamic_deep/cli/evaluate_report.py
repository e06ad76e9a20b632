# SPDX-License-Identifier: Apache-2.0
"""What `evaluate` found, as text for a reader who knows none of it."""

from __future__ import annotations

import math
from typing import Any

from dynamic_deep.bound import Bound
from dynamic_deep.cli import text
from dynamic_deep.cli.requirements import bound_text

ORACLE = "oracle, whole ladder"
LEGEND = (
    "gain       raw bytes over coded bytes, frames included, sum over sum",
    "over       share of {per}s whose task error is over the bound by compression",
    "F1         rhythm against the labels, classes weighted; then the mean of N, A, O",
    "same       share of windows with the same class as on the raw window",
    "of oracle  gain over that of the oracle on the whole ladder",
    "calibrated is what `encode --bound` sends; an oracle knows each window's error; a "
    "fixed\nlevel is the best that the calibration windows allow. Intervals: 95 %, "
    "bootstrap by record.",
)


def as_text(facts: dict[str, Any]) -> str:
    """Return a table for each bound, a line on levels for each choice, and a legend.

    Args:
        facts: what `evaluate --json` prints.
    """
    parts = [_heading(facts)]
    for block in facts["bounds"]:
        parts += [
            _title(block, facts),
            _table(block, "rhythm" in facts["tasks"]),
            _levels(block),
        ]
    per = facts["bounds"][0]["per"]
    parts.append("\n".join(LEGEND).format(per=per))
    return "\n\n".join(parts)


def _heading(facts: dict[str, Any]) -> str:
    windows = f"{facts['n_windows']:,}"
    if facts["n_left_out"]:
        n_left_out = f"{facts['n_left_out']:,}"
        windows += f", {n_left_out} left out (flat or with gaps: always sent lossless)"
    calibration = "none: no choice by error heads"
    if facts["calibration"]:
        n_windows = text.plural(facts["n_calibration_windows"], "window")
        calibration = f"{facts['calibration']}, {n_windows}"
    pairs = [
        ("bundle", f"{facts['bundle']} (model {facts['model_id'][:12]})"),
        ("recordings", f"{facts['n_recordings']:,}, {facts['n_labelled']:,} labelled"),
        ("windows", windows),
        ("calibration", calibration),
    ]
    return text.fields(pairs)


def _title(block: dict[str, Any], facts: dict[str, Any]) -> str:
    bound = Bound(
        tasks=tuple(block["tasks"]),
        total=block["total"],
        limits=block["limits"],
        weights=block["weights"],
        reference=block["reference"],
    )
    inherent = ""
    if block["reference"] == "label":
        share = text.percent(block["choices"][0]["inherent"])
        inherent = f"; over the bound even uncompressed: {share} of the windows"
    return (
        f"BOUND {bound_text(bound)}; risk {text.percent(block['risk'])} of the "
        f"{block['per']}s; fallback {block['fallback']}{inherent}"
    )


def _table(block: dict[str, Any], has_rhythm: bool) -> str:
    choices = block["choices"]
    is_scored = math.isfinite(choices[0]["weighted_f1"]["value"])
    oracle = next(c["gain"]["value"] for c in choices if c["name"] == ORACLE)
    header = ["choice", "gain", "95 %", "over", "95 %"]
    header += ["F1", "95 %", "N,A,O", "95 %"] if is_scored else []
    header += ["same"] if has_rhythm else []
    rows = []
    for choice in choices:
        row = [choice["name"], text.gain(choice["gain"]["value"])]
        row.append(_span(choice["gain"], text.gain))
        row += [text.percent(choice["violations"]["value"])]
        row.append(_span(choice["violations"], lambda v: f"{100 * v:.2g}"))
        if is_scored:
            for name in ("weighted_f1", "cinc_f1"):
                row.append(f"{choice[name]['value']:.3f}")
                row.append(_span(choice[name], lambda v: f"{v:.3f}"))
        if has_rhythm:
            row.append(text.percent(choice["same_answer"]["value"]))
        rows.append([*row, text.percent(choice["gain"]["value"] / oracle)])
    return text.table([*header, "of oracle"], rows)


def _span(measure: dict[str, float], shown: Any) -> str:
    return f"{shown(measure['low'])}-{shown(measure['high'])}"


def _levels(block: dict[str, Any]) -> str:
    width = max(len(choice["name"]) for choice in block["choices"])
    lines = []
    for choice in block["choices"][1:]:
        used = sorted(choice["levels"].items(), key=lambda item: -item[1])
        shares = ", ".join(f"{name} {text.percent(share)}" for name, share in used)
        lines.append(f"{choice['name'].ljust(width)}  {shares}")
    return "\n".join(lines)
