# SPDX-License-Identifier: Apache-2.0
"""`verify`: decode, and measure against the original."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dynamic_deep.bound_odds import Requirement
from dynamic_deep.cli import text
from dynamic_deep.cli.compare import PRD_NAMES
from dynamic_deep.cli.encode import reading_options
from dynamic_deep.cli.failures import report
from dynamic_deep.cli.files import print_out
from dynamic_deep.cli.measurement import measure
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.cli.requirements import asked_requirement
from dynamic_deep.cli.task_report import task_text
from dynamic_deep.recording import open_recording

TOLERANCE = 1e-9  # relative, of a bound that was met exactly before rounding


def run(args: argparse.Namespace) -> int:
    """Verify one file."""
    path, requirement = Path(args.input), asked_requirement(args)
    with (
        path.open("rb") as stream,
        open_recording(args.original, **reading_options(args)) as original,
        ProgressBar(f"verifying {path.name}", quiet=args.quiet) as bar,
    ):
        facts = measure(
            stream,
            original,
            bundle=args.bundle,
            requirement=requirement,
            progress=bar,
        )
    facts = {"file": args.input, "original": args.original, **facts}
    facts["problems"] += broken_requirements(facts, args.max_prdn, args.max_error_uv)
    facts["passed"] = not facts["problems"]
    if args.json:
        print_out(text.as_json(facts))
    else:
        needs = (args.max_prdn, args.max_error_uv, requirement)
        asked = any(need is not None for need in needs)
        print_out(_as_text(facts, requirement, asked=asked))
    for problem in facts["problems"]:
        report(f"{args.input}: {problem}")
    return 0 if facts["passed"] else 1


def broken_requirements(
    facts: dict[str, Any], max_prdn: float | None, max_error_uv: float | None
) -> list[str]:
    """Return a line for each requirement that is not met."""
    problems = []
    worst_prdn, max_error = facts["worst_window"]["prdn"], facts["max_error_uv"]
    if max_prdn is not None and worst_prdn > max_prdn * (1 + TOLERANCE):
        where = facts["worst_window"]
        problems.append(
            f"PRDN must be at most {max_prdn:g} % in every window, got "
            f"{worst_prdn:.4g} % in window {where['window_idx']} of {where['lead']}"
        )
    if max_error_uv is not None and max_error > max_error_uv * (1 + TOLERANCE):
        problems.append(
            f"no sample may be off by more than {max_error_uv:g} uV, got "
            f"{max_error:.4g} uV"
        )
    return problems


def _as_text(
    facts: dict[str, Any], requirement: Requirement | None, *, asked: bool
) -> str:
    n_frames = max(1, sum(facts["levels"].values()))
    levels = ", ".join(
        f"{name} {100 * count / n_frames:.0f} %"
        for name, count in facts["levels"].items()
    )
    head = text.fields(
        [
            ("coded", f"{facts['file']}, {facts['n_bytes']:,} bytes"),
            (
                "original",
                f"{facts['original']}, {facts['raw_bytes']:,} bytes as samples",
            ),
            ("gain", text.gain(facts["compression_gain"])),
            ("levels", levels or "none"),
        ]
    )
    rows = [_row(lead["name"], lead) for lead in facts["leads"]]
    if len(rows) > 1:
        rows.append(_row("all leads", facts))
    header = ["lead", "PRD %", "PRD1 %", "PRDN %", "PRD01 %", "largest error"]
    legend = (
        "PRD counts the signal as stored, PRD1 without the zero level, PRDN without "
        "the mean\nand PRD01 without the minimum of each window."
    )
    parts = [head, text.table(header, rows), legend]
    if requirement is not None:
        parts.append(task_text(facts["tasks"], requirement))
    return "\n\n".join([*parts, _verdict(facts, asked)])


def _row(name: str, values: dict[str, Any]) -> list[str]:
    prds = [f"{values[key]:.3g}" for key in PRD_NAMES]
    error = f"{values['max_error_uv']:.4g} uV = {values['max_error_adu']:.0f} units"
    return [name, *prds, error]


def _verdict(facts: dict[str, Any], asked: bool) -> str:
    if facts["problems"]:
        return "FAILED"
    if facts["exact"]:
        return "passed: every sample is exactly that of the original"
    worst = facts["worst_window"]
    return (
        f"{'passed' if asked else 'nothing was required'}; the worst window is number "
        f"{worst['window_idx']} of lead {worst['lead']}, PRDN {worst['prdn']:.3g} %"
    )
