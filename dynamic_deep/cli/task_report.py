# SPDX-License-Identifier: Apache-2.0
"""What `verify` tells of a bound on a task's error."""

from __future__ import annotations

from typing import Any

from dynamic_deep.bound_odds import Requirement
from dynamic_deep.cli import text
from dynamic_deep.cli.requirements import bound_text


def is_kept(facts: dict[str, Any]) -> bool:
    """Tell whether no larger share than the risk is over the bound."""
    return bool(facts["share"] <= facts["risk"])


def task_problems(facts: dict[str, Any], requirement: Requirement) -> list[str]:
    """Return a line if more windows, or segments, break the bound than may.

    Args:
        facts: from `TaskMeter.facts`.
        requirement: what was asked for.
    """
    if is_kept(facts):
        return []
    first = next(window for window in facts["windows"] if window["n_violations"])
    errors = ", ".join(f"{name} {v:.3g}" for name, v in first["errors"].items())
    return [
        f"at most {text.percent(facts['risk'])} of the {facts['per']}s may break the "
        f"bound {bound_text(requirement.bound)}, got {facts['n_violations']} of "
        f"{facts['n_parts']} ({text.percent(facts['share'])}), first in window "
        f"{first['window_idx']} of {first['lead']} with {errors}; encode with a "
        "smaller --risk, or with --check"
    ]


def task_text(facts: dict[str, Any], requirement: Requirement) -> str:
    """Return two small tables, by task and by lead, and one line that sums up.

    Args:
        facts: from `TaskMeter.facts`.
        requirement: what was asked for.
    """
    parts = []
    rows = [_task_row(task) for task in facts["tasks"] if "worst" in task]
    if rows:
        header = ["task error", "mean", "median", "p95", "worst"]
        parts.append(text.table(header, rows))
    per = facts["per"]
    over = "over the bound"
    if per == "segment" and requirement.bound.tasks == ("rpeaks",):
        over = "with changed beats"
    if len(facts["leads"]) > 1:
        of_leads = [
            [
                lead["name"],
                f"{lead['n_parts']:,}",
                f"{lead['n_violations']:,}",
                text.percent(lead["share"]),
            ]
            for lead in facts["leads"]
        ]
        header = ["lead", f"{per}s", over, "share"]
        parts.append(text.table(header, of_leads))
    kept = "kept" if is_kept(facts) else "BROKEN"
    parts.append(
        f"{bound_text(requirement.bound)}: {facts['n_violations']:,} of "
        f"{text.plural(facts['n_parts'], per)} {over} "
        f"({text.percent(facts['share'])}, {text.percent(facts['risk'])} allowed): "
        f"{kept}"
    )
    return "\n\n".join(parts)


def _task_row(task: dict[str, Any]) -> list[str]:
    worst = task["worst"]
    where = f"window {worst['window_idx']} of {worst['lead']}, {worst['level']}"
    numbers = [f"{task[key]:.3g}" for key in ("mean", "median", "p95")]
    last = f"{worst['error']:.3g} ({where})" if worst["error"] else "0"
    return [task["name"], *numbers, last]
