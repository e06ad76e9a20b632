# SPDX-License-Identifier: Apache-2.0
"""A bound kept by one level for all windows, which costs a device no foretelling."""

from __future__ import annotations

from collections.abc import Mapping

from device_sim.energy_report import Line, Report
from device_sim.energy_text import verdict
from dynamic_deep.bound_policy import Calibrated
from dynamic_deep.cli import text


def one_level_text(report: Report, policies: Mapping[str, Calibrated]) -> str:
    """Return for each bound the level of the least energy that keeps to it alone.

    Args:
        report: its lines of fixed levels are chosen among.
        policies: bounds by their names in tables.
    """
    lines = [
        "Without error heads, one level for all windows, as the calibration has it:"
    ]
    for name, policy in policies.items():
        line = cheapest_certified(report, policy)
        if line is None:
            lines.append(f"{name}: no level of the table keeps to it")
            continue
        risk = text.percent(policy.level_risks[line.name])
        lines.append(f"{name}: {line.name}, over it in {risk} at most as expected")
        lines.append(f"  against rice, lossless, {verdict(line.against_rice)}")
        lines.append(f"  against level lossless {verdict(line.against_lossless)}")
    return "\n".join(lines) + "\n"


def one_level_facts(
    report: Report, policies: Mapping[str, Calibrated]
) -> dict[str, dict[str, object]]:
    """Return the same as plain values, by the name of the bound."""
    facts: dict[str, dict[str, object]] = {}
    for name, policy in policies.items():
        line = cheapest_certified(report, policy)
        if line is not None:
            facts[name] = {"level": line.name, "risk": policy.level_risks[line.name]}
    return facts


def cheapest_certified(report: Report, policy: Calibrated) -> Line | None:
    """Return the line of least energy whose level alone keeps to the risk."""
    allowed = policy.requirement.risk
    fitting = [
        line
        for line in report.lines
        if policy.level_risks.get(line.name, 1.0) <= allowed
    ]
    return min(fitting, key=lambda line: line.total_mj.nominal, default=None)
