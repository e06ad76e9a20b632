# SPDX-License-Identifier: Apache-2.0
"""What `cloud bench` found, as tables for a person."""

from __future__ import annotations

from typing import Any

from dynamic_deep.cli import text

_SET_NAMES = {
    "none": "no task",
    "rpeaks": "rpeaks",
    "rhythm": "rhythm",
    "both": "rhythm and rpeaks",
}


def speed_text(facts: dict[str, Any]) -> str:
    """Return the tables.

    Args:
        facts: what `cloud bench --json` prints.
    """
    used = ", ".join(f"{name} {n}" for name, n in facts["levels_used"].items())
    head = text.fields(
        [
            ("machine", facts["machine"]),
            ("bundle", f"{facts['bundle']}, {facts['policy']}"),
            ("session", f"{facts['n_windows']} windows at {facts['fs']:g} Hz: {used}"),
            ("clock", facts["clock"]),
        ]
    )
    tables = [_by_tasks, _by_stage, _by_level, _by_size, _by_processes]
    return "\n\n".join([head, *(table(facts) for table in tables)])


def _by_tasks(facts: dict[str, Any]) -> str:
    rows = [["decoding alone", *_speed(1.0 / facts["decode_s_per_window"], facts)]]
    rows += [
        [f"to rows, {_SET_NAMES[name]}", *_speed(rate, facts)]
        for name, rate in facts["windows_per_s_core"].items()
    ]
    header = ["on one core", "ms/window", "windows/s", "windows/min", "x real time"]
    return text.table(header, rows)


def _speed(per_s: float, facts: dict[str, Any]) -> list[str]:
    return [
        f"{1000 / per_s:.2f}",
        f"{per_s:.1f}",
        f"{60 * per_s:,.0f}",
        f"{per_s * facts['window_s']:,.0f}",
    ]


def _by_stage(facts: dict[str, Any]) -> str:
    stages = facts["stages_s_per_window"]
    whole = sum(stages.values())
    rows = [
        [name, f"{1000 * seconds:.2f}", text.percent(seconds / whole)]
        for name, seconds in sorted(stages.items(), key=lambda item: -item[1])
    ]
    return text.table(["where the time goes, both tasks", "ms/window", "share"], rows)


def _by_level(facts: dict[str, Any]) -> str:
    rows = [
        [
            name,
            f"{row['n_bytes_per_window']:,.0f}",
            f"{1000 * row['decode_s_per_window']:.2f}",
            f"{row['decode_x_real_time']:,.0f}",
        ]
        for name, row in facts["levels"].items()
    ]
    header = ["decoding alone, by level", "bytes/window", "ms/window", "x real time"]
    return text.table(header, rows)


def _by_size(facts: dict[str, Any]) -> str:
    rows = [
        [
            f"{row['n_windows']:,}",
            f"{row['n_bytes']:,}",
            f"{1000 * row['s_per_window']:.2f}",
            f"{row['windows_per_s_core']:.1f}",
        ]
        for row in facts["object_sizes"]
    ]
    header = ["windows in an object", "bytes", "ms/window", "windows/s"]
    return text.table(header, rows)


def _by_processes(facts: dict[str, Any]) -> str:
    rows = [
        [
            f"{row['n_processes']}",
            f"{row['n_windows']:,}",
            f"{row['wall_s']:.1f}",
            f"{row['cpu_s']:.1f}",
            f"{row['windows_per_s']:.1f}",
            f"{row['peak_mib_of_a_process']:.0f}"
            if "peak_mib_of_a_process" in row
            else "",
        ]
        for row in facts["processes"]
    ]
    header = ["processes", "windows", "wall s", "cpu s", "windows/s", "peak MiB each"]
    return text.table(header, rows)
