# SPDX-License-Identifier: Apache-2.0
"""Times the real decoder and the real tasks, for the cost of computing.

Time is processor time of one thread, so that other processes on the machine do not
count. One file holds many windows, as an object in the cloud does.
"""

from __future__ import annotations

import functools
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep import Codec, Recording, read_recording
from dynamic_deep.bitstream import CHECK_LEN, pack_head
from dynamic_deep.config import MODEL_FS, WINDOW_LEN
from dynamic_deep.container import ContainerReader
from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks import load_task, task_names

WINDOW_S = WINDOW_LEN / MODEL_FS
NEAR_LOSSLESS = "near_lossless"
NEAR_ERROR_UV = 10.0  # near_lossless must have a bound; its speed hardly depends on it


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How a measurement is made.

    Attributes:
        bundle: name or folder of the bundle.
        n_windows: windows in the file that is decoded.
        n_repeats: decodings of it; the fastest counts, being the least disturbed.
    """

    bundle: str = "monitor"
    n_windows: int = 40
    n_repeats: int = 5

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.n_windows < 1 or self.n_repeats < 1:
            raise ConfigError(
                "n_windows and n_repeats must be at least 1, got "
                f"{self.n_windows} and {self.n_repeats}"
            )


def time_decoder(paths: Sequence[str | Path], timing: Timing) -> dict[str, Any]:
    """Decode at every level and run every task; return the times, ready for JSON.

    Args:
        paths: recordings at 300 Hz; their first leads are joined.
        timing: how.

    Raises:
        ConfigError: If there are too few samples, or they are not at 300 Hz.
    """
    codec = Codec.load(timing.bundle)
    recording = _joined(paths, timing.n_windows)
    levels = {}
    overheads = []
    for level in codec.levels:
        bound = NEAR_ERROR_UV if level.kind == NEAR_LOSSLESS else None
        data = codec.encode(recording, level=level.name, max_error_uv=bound)
        seconds = _cpu_time(functools.partial(codec.decode, data), timing.n_repeats)
        levels[level.name] = {
            "decode_s_per_window": seconds / timing.n_windows,
            "n_bytes": len(data),
        }
        overheads.append(len(data) - _frame_bytes(data))
    windows = recording.to_mv()[:, 0].reshape(timing.n_windows, WINDOW_LEN)
    tasks = {}
    for name in task_names(codec.bundle):
        task = load_task(codec.bundle, name)

        def run(task: Any = task) -> None:
            for window in windows:
                task.answer(window)

        tasks[name] = _cpu_time(run, timing.n_repeats) / timing.n_windows
    return {
        "bundle": timing.bundle,
        "model_id": codec.model_id.hex(),
        "machine": _machine(),
        "clock": "processor time of one thread, least of the repeats",
        "n_windows": timing.n_windows,
        "n_repeats": timing.n_repeats,
        "window_s": WINDOW_S,
        "levels": levels,
        "tasks_s_per_window": tasks,
        "file_overhead_bytes": float(np.mean(overheads)),
    }


def _joined(paths: Sequence[str | Path], n_windows: int) -> Recording:
    """Return the first leads one after the other, cut to whole windows."""
    parts, first = [], None
    n_needed = n_windows * WINDOW_LEN
    for path in paths:
        recording = read_recording(path)
        if recording.fs != MODEL_FS:
            raise ConfigError(
                f"recordings must be at {MODEL_FS:g} Hz, so that no resampling is "
                f"timed, got {recording.fs:g} Hz of {path}"
            )
        first = first or recording
        parts.append(recording.samples[:, :1])
        if sum(len(part) for part in parts) >= n_needed:
            break
    joined = np.concatenate(parts) if parts else np.empty((0, 1), dtype=np.int16)
    if first is None or len(joined) < n_needed:
        raise ConfigError(
            f"recordings must hold {n_needed} samples, got {len(joined)}; name more, "
            "or ask for fewer windows"
        )
    return replace(first, samples=joined[:n_needed])


def _frame_bytes(data: bytes) -> int:
    with ContainerReader(data) as reader:
        return sum(
            len(pack_head(frame.level_id, len(frame.payload)))
            + len(frame.payload)
            + CHECK_LEN
            for frame in reader.frames()
        )


def _cpu_time(run: Callable[[], object], n_repeats: int) -> float:
    run()  # loads the networks
    times = []
    for _ in range(n_repeats):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def _machine() -> str:
    lines = []
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    model = next((x.split(":")[1].strip() for x in lines if "model name" in x), "")
    return (
        f"{model or platform.processor()}, one core, Python {platform.python_version()}"
    )
