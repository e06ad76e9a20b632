# SPDX-License-Identifier: Apache-2.0
"""Encodes recordings in every way of a report: bytes and work, window by window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from device_sim.ways import Raw, Way, Window
from device_sim.workload import Work
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import Recording, read_recording
from dynamic_deep.segments import window_bounds, window_start
from dynamic_deep.window_codec import window_place


@dataclass
class Row:
    """One way, over all windows.

    Attributes:
        name: of the way.
        kind: of the way.
        slot_bytes: frames of each slot, all leads together.
        slot_work: the work of each slot.
        levels: how many windows were sent at each level.
        n_unfit: windows whose samples don't fit, of raw ones.
    """

    name: str
    kind: str
    slot_bytes: list[int] = field(default_factory=list)
    slot_work: list[Work] = field(default_factory=list)
    levels: Counter[str] = field(default_factory=Counter)
    n_unfit: int = 0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured. A slot is one window of every lead.

    Attributes:
        rows: the ways.
        slot_s: length of each slot.
        slot_samples: samples of each slot, all leads together.
        n_leads: leads of every record.
        fs: rates of the records, Hz.
        n_records: how many.
    """

    rows: tuple[Row, ...]
    slot_s: tuple[float, ...]
    slot_samples: tuple[int, ...]
    n_leads: int
    fs: tuple[float, ...]
    n_records: int

    @property
    def hours(self) -> float:
        """Signal, in hours."""
        return sum(self.slot_s) / 3600.0


def measure(
    paths: Sequence[Path],
    ways: Sequence[Way],
    *,
    leads: tuple[int, ...] | None = None,
    max_windows: int | None = None,
    progress: Callable[[float, int, str], None] | None = None,
) -> Measured:
    """Encode every whole window of every record in every way.

    Args:
        paths: what `read_recording` takes.
        ways: how to send.
        leads: numbers of the leads, from 0; all if None.
        max_windows: at most this many of a record, evenly spread; None: all.
        progress: called with records done, records in all and a name.

    Raises:
        ConfigError: If the records differ in their number of leads, or lack a lead.
        InvalidSignalError: If one can't be read.
    """
    rows = tuple(Row(way.name, way.kind) for way in ways)
    slot_s: list[float] = []
    slot_samples: list[int] = []
    rates: set[float] = set()
    n_leads = 0
    for number, path in enumerate(paths):
        if progress is not None:
            progress(number, len(paths), path.name)
        recording = read_recording(path)
        chosen = leads or tuple(range(recording.info.n_leads))
        _check_leads(recording, chosen, n_leads, path)
        n_leads = len(chosen)
        rates.add(recording.fs)
        for windows in _slots(recording, chosen, max_windows):
            slot_s.append(len(windows[0].x) / recording.fs)
            slot_samples.append(sum(len(window.x) for window in windows))
            for way, row in zip(ways, rows, strict=True):
                _send(way, row, windows)
    if not slot_s:
        raise ConfigError("an energy report needs a record with signal, got none")
    return Measured(
        rows=rows,
        slot_s=tuple(slot_s),
        slot_samples=tuple(slot_samples),
        n_leads=n_leads,
        fs=tuple(sorted(rates)),
        n_records=len(paths),
    )


def _check_leads(
    recording: Recording, leads: tuple[int, ...], before: int, path: Path
) -> None:
    if max(leads) >= recording.info.n_leads:
        raise ConfigError(
            f"--lead must name leads that every record has, got {max(leads)}; "
            f"{path.name} has {recording.info.n_leads}, counted from 0"
        )
    if before and len(leads) != before:
        raise ConfigError(
            f"all records must have as many leads as the device, got {before} and "
            f"{len(leads)} ({path.name}); choose with --lead"
        )


def _slots(
    recording: Recording, leads: tuple[int, ...], max_windows: int | None
) -> Iterator[list[Window]]:
    """Yield the windows of all leads that end together.

    A device that streams has whole windows; what a record has beyond them is left out,
    unless it is shorter than one.
    """
    info = recording.info
    whole = window_start(1, info.fs)
    bounds = window_bounds(len(recording.samples), info.fs)
    lengths = [
        (start, start + whole) for start, stop in bounds if stop - start >= whole
    ]
    bounds = lengths or bounds
    if max_windows is not None and len(bounds) > max_windows:
        spread = np.linspace(0, len(bounds) - 1, max_windows).round().astype(int)
        bounds = [bounds[at] for at in spread.tolist()]
    for start, stop in bounds:
        yield [
            Window(
                x=recording.samples[start:stop, lead].astype(np.int32),
                place=window_place(stop - start, info, lead),
            )
            for lead in leads
        ]


def _send(way: Way, row: Row, windows: Sequence[Window]) -> None:
    n_bytes, work = 0, Work()
    for window in windows:
        if isinstance(way, Raw):
            row.n_unfit += not way.fits(window)
        coded = way.send(window)
        n_bytes += coded.n_bytes
        work += coded.work
        row.levels[coded.level] += 1
    row.slot_bytes.append(n_bytes)
    row.slot_work.append(work)
