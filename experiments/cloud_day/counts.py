# SPDX-License-Identifier: Apache-2.0
"""Whether what a fleet encoded is in the rows of a decode job, each window once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class DayCounts:
    """Windows end to end.

    Attributes:
        n_rows: rows of the job.
        n_twice: rows of a window that another row has, too.
        n_damaged: rows of windows that could not be decoded.
        n_devices_off: devices of which not as many windows came as they encoded.
        frame_bytes: of all rows' frames.
    """

    n_rows: int
    n_twice: int
    n_damaged: int
    n_devices_off: int
    frame_bytes: int


def count_rows(folder: Path, encoded: Mapping[str, int]) -> DayCounts:
    """Count the rows of a decode job.

    Args:
        folder: the job's output.
        encoded: windows that each device encoded, by device.
    """
    seen: dict[str, set[tuple[str, int, int]]] = {}
    n_rows = n_damaged = frame_bytes = 0
    for row in _rows(folder):
        place = (row["session"], row["window_idx"], row["lead_idx"])
        seen.setdefault(row["device"], set()).add(place)
        n_rows += 1
        n_damaged += row["damage"] is not None
        frame_bytes += row["n_bytes"]
    n_once = {device: len(places) for device, places in seen.items()}
    devices = n_once.keys() | encoded.keys()
    return DayCounts(
        n_rows=n_rows,
        n_twice=n_rows - sum(n_once.values()),
        n_damaged=n_damaged,
        n_devices_off=sum(n_once.get(d, 0) != encoded.get(d, 0) for d in devices),
        frame_bytes=frame_bytes,
    )


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    columns = ["device", "session", "window_idx", "lead_idx", "damage", "n_bytes"]
    for path in sorted((folder / "rows").rglob("*.parquet")):
        yield from pq.read_table(path, columns=columns).to_pylist()
