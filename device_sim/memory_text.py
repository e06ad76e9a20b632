# SPDX-License-Identifier: Apache-2.0
"""Flash, RAM and the largest frames of a device, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from device_sim.energy_report import Report
from device_sim.memory import (
    KIB,
    Budget,
    Buffers,
    HasFootprint,
    budget,
    worst_frame_bytes,
)
from device_sim.points import Memory
from dynamic_deep.bundle import Bundle
from dynamic_deep.cli import text
from dynamic_deep.segments import window_start


def budget_of(report: Report, footprint: HasFootprint) -> Budget:
    """Return where the memory of a report's device goes; firmware at its largest."""
    memory = report.setting.device.at("memory", Memory, "high")
    measured = report.measured
    buffers = Buffers(fs=max(measured.fs), n_leads=measured.n_leads)
    return budget(memory, footprint, buffers)


def format_memory(found: Budget) -> str:
    """Return the budget as two tables side by side in one."""
    parts = [
        *_rows("flash", found.flash, found.flash_limit),
        *_rows("RAM", found.ram, found.ram_limit),
    ]
    verdict = "It fits." if found.is_within else "It does not fit."
    return text.table(("memory", "KiB", "share"), parts) + f"\n{verdict}\n"


def _rows(name: str, parts: Mapping[str, int], limit: int) -> list[Sequence[str]]:
    rows = [(f"{name}: {part}", n_bytes) for part, n_bytes in parts.items()]
    rows.append((f"{name} in all, of {limit / KIB:,.0f}", sum(parts.values())))
    return [(n, f"{b / KIB:,.1f}", text.percent(b / limit)) for n, b in rows]


def format_frames(report: Report, bundle: Bundle) -> str:
    """Return the largest frame of each level: seen in these records, and possible."""
    fs = max(report.measured.fs)
    n_samples = window_start(1, fs)
    seen = {line.name: line.largest_bytes for line in report.lines}
    leads = report.measured.n_leads
    rows = []
    for level in bundle.levels:
        limit = worst_frame_bytes(bundle, level, n_samples, fs)
        largest = f"{seen[level.name] / leads:,.0f}" if level.name in seen else "-"
        rows.append((level.name, largest, f"{limit:,}"))
    header = ("level", "largest frame here", "never more than")
    note = "Bytes; the samples themselves are "
    return f"{text.table(header, rows)}\n{note}{2 * n_samples:,} at 16 bits.\n"
