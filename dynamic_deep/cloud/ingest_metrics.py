# SPDX-License-Identifier: Apache-2.0
"""Counters and health of a receiver, as Prometheus reads them.

Names and meanings: docs/cloud.md, section "Watching it".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "dynamic_deep_ingest_"
_PAGE_LEN = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One line, or several that differ by a label.

    Attributes:
        name: without the prefix.
        kind: counter or gauge.
        meaning: one sentence.
        values: label (as Prometheus writes it, or empty) -> value.
    """

    name: str
    kind: str
    meaning: str
    values: Mapping[str, float]


def counter(name: str, meaning: str, value: float) -> Metric:
    """Return a number that only rises while the process runs."""
    return Metric(name=name, kind="counter", meaning=meaning, values={"": value})


def gauge(name: str, meaning: str, value: float) -> Metric:
    """Return a number that goes up and down."""
    return Metric(name=name, kind="gauge", meaning=meaning, values={"": value})


def as_text(metrics: list[Metric]) -> str:
    """Return metrics in the text format of Prometheus, version 0.0.4.

    Example:
        >>> print(as_text([gauge("connected", "Whether.", True)]), end="")
        # HELP dynamic_deep_ingest_connected Whether.
        # TYPE dynamic_deep_ingest_connected gauge
        dynamic_deep_ingest_connected 1
    """
    lines = []
    for metric in metrics:
        name = _PREFIX + metric.name
        lines.append(f"# HELP {name} {metric.meaning}")
        lines.append(f"# TYPE {name} {metric.kind}")
        for label, value in metric.values.items():
            lines.append(f"{name}{label and '{' + label + '}'} {float(value):.15g}")
    return "\n".join(lines) + "\n"


def resident_bytes() -> int:
    """Return the memory of this process that is in RAM, 0 where it can't be told."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_LEN
    except (OSError, IndexError, ValueError):
        return 0
