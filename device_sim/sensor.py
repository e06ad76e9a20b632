# SPDX-License-Identifier: Apache-2.0
"""A sensor that replays a real record in simulated time."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import (
    Recording,
    find_recordings,
    open_recording,
    with_samples,
)

IntArray = npt.NDArray[np.signedinteger]

READ_BLOCK_LEN = 1 << 16


def record_paths(names: Sequence[str | Path]) -> list[Path]:
    """Return the records of a command line: each is a record, or a folder of records.

    Raises:
        ConfigError: If a folder holds none.
        InvalidSignalError: If a name is neither.
    """
    paths: list[Path] = []
    for name in names:
        if not Path(name).is_dir():
            paths.append(Path(name))
            continue
        found = find_recordings(name)
        if not found:
            raise ConfigError(
                f"a folder of records must hold one, got none in {name}; name the "
                "records themselves"
            )
        paths += found
    return paths


def select_leads(path: Path, leads: tuple[int, ...]) -> Recording:
    """Read some leads of a record, in bounded memory beside the result.

    Args:
        path: what `open_recording` takes.
        leads: numbers of the leads, from 0.

    Raises:
        ConfigError: If the record lacks one.
        InvalidSignalError: If it can't be read.
    """
    with open_recording(path) as reader:
        info = reader.info
        if not leads or max(leads) >= info.n_leads:
            raise ConfigError(
                f"leads must be 0 to {info.n_leads - 1} of {path.name}, got "
                f"{','.join(map(str, leads)) or 'none'}; choose others by --lead"
            )
        picked: dict[str, Any] = {
            name: tuple(getattr(info, name)[lead] for lead in leads)
            for name in ("adc_gain", "adc_baseline", "units", "lead_names")
        }
        samples = np.empty((reader.n_samples, len(leads)), info.dtype)
        start = 0
        for block in reader.blocks(READ_BLOCK_LEN):
            samples[start : start + len(block)] = block[:, leads]
            start += len(block)
    return with_samples(dataclasses.replace(info, **picked), samples[:start])


class RecordShelf:
    """Records in memory, each once, however many devices replay it.

    Args:
        paths: the records.
        leads: numbers of the leads to replay, from 0.
    """

    def __init__(self, paths: Sequence[Path], leads: tuple[int, ...] = (0,)) -> None:
        """Read nothing yet."""
        if not paths:
            raise ConfigError("a fleet needs a record to replay, got none; name some")
        self.paths = list(paths)
        self._read = functools.cache(functools.partial(select_leads, leads=leads))

    def record(self, idx: int) -> Recording:
        """Return a record; the count goes round."""
        return self._read(self.paths[idx % len(self.paths)])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sensor:
    """Replays a record from some sample on, then all of it again and again.

    A sample is known by its position: how many the sensor gave before it. Time runs in
    the gaps between the passes, positions don't.

    Attributes:
        recording: what to replay.
        offset: sample of the record to begin with.
        is_loop: begin again at the record's end; else stop there.
        gap_s: how long nothing is measured between two passes, as when an electrode
            is off; 0 joins the passes without a seam.
        start_s: when the sensor is switched on, in simulated seconds.
    """

    recording: Recording
    offset: int = 0
    is_loop: bool = True
    gap_s: float = 0.0
    start_s: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        n_samples = self.recording.n_samples
        if not 0 <= self.offset < n_samples:
            raise ConfigError(
                f"an offset must lie in the record, 0 to {n_samples - 1}, got "
                f"{self.offset}; begin at 0"
            )
        for name in ("gap_s", "start_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise ConfigError(f"{name} must be 0 s or more, got {value:g}")

    @property
    def fs(self) -> float:
        """Sampling frequency, Hz."""
        return self.recording.fs

    @property
    def _first_len(self) -> int:
        return self.recording.n_samples - self.offset

    @property
    def end(self) -> float:
        """How many samples it gives in all; infinite if it loops."""
        return math.inf if self.is_loop else float(self._first_len)

    def next_break(self, position: int) -> float:
        """Return where the stretch without gaps that holds `position` ends.

        Infinite for a sensor that loops without gaps.
        """
        if not self.is_loop:
            return float(self._first_len)
        if self.gap_s == 0.0:
            return math.inf
        n_passes = self._pass_of(position) + 1
        return float(self._first_len + (n_passes - 1) * self.recording.n_samples)

    def _pass_of(self, position: int) -> int:
        """Return how many passes ended before the sample of a position."""
        behind = position - self._first_len
        return 0 if behind < 0 else 1 + behind // self.recording.n_samples

    def time_of(self, position: int) -> float:
        """Return when the sample of a position is taken, in simulated seconds."""
        return self.start_s + position / self.fs + self.gap_s * self._pass_of(position)

    def ready_at(self, count: int) -> float:
        """Return when so many samples are there, in simulated seconds."""
        return self.time_of(count - 1) + 1.0 / self.fs if count else self.start_s

    def count_at(self, time_s: float) -> int:
        """Return how many samples are there at a time."""
        low, high = 0, max(0, math.floor((time_s - self.start_s) * self.fs) + 2)
        while low < high:  # the greatest count that is ready by then
            middle = (low + high + 1) // 2
            if self.ready_at(middle) <= time_s:
                low = middle
            else:
                high = middle - 1
        return int(min(low, self.end))

    def read(self, first: int, stop: int) -> IntArray:
        """Return the samples of positions: integer array, (stop - first, n_leads)."""
        samples, n = self.recording.samples, self.recording.n_samples
        at = (self.offset + first) % n
        parts = []
        n_left = stop - first
        while n_left > 0:
            part = samples[at : at + n_left]
            parts.append(part)
            n_left -= len(part)
            at = 0
        return parts[0] if len(parts) == 1 else np.concatenate([samples[:0], *parts])
