# SPDX-License-Identifier: Apache-2.0
"""How fast sessions are decoded and judged, and where the time goes.

Time is processor time of one thread, the least of several runs: other work on the
machine hardly counts then. What is timed is the code that `cloud decode` runs, on
sessions in a folder store.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dynamic_deep.bench.decode_inputs import WINDOW_S, put_sessions
from dynamic_deep.bench.decode_stages import PLACES, REST, new_stopwatch
from dynamic_deep.bench.stopwatch import cpu_time, cpu_times
from dynamic_deep.cloud.decode_job import DecodeJob
from dynamic_deep.cloud.decode_settings import DecodeSettings
from dynamic_deep.cloud.decode_windows import SessionWindows
from dynamic_deep.codec import Codec
from dynamic_deep.container import ContainerReader
from dynamic_deep.errors import ConfigError
from dynamic_deep.policy import Fixed, Policy
from dynamic_deep.recording import Recording
from dynamic_deep.segments import window_start

NEAR_ERROR_UV = 10.0  # near_lossless must have a bound; its speed hardly depends on it
TASK_SETS: dict[str, tuple[str, ...]] = {
    "none": (),
    "rpeaks": ("rpeaks",),
    "rhythm": ("rhythm",),
    "both": ("rhythm", "rpeaks"),
}
SLOW = ("lossless", "near_lossless")
N_SLOW, N_FAST = 4, 12  # windows by which a level is timed: a slow one takes 0.1 s each


@dataclass(frozen=True, kw_only=True)
class SpeedOptions:
    """How decoding is measured.

    Attributes:
        bundle: name or folder of the bundle that the recording is coded with.
        task_bundle: of the tasks; None as in `DecodeSettings`.
        n_repeats: runs of each measurement; the fastest counts.
    """

    bundle: str = "monitor"
    task_bundle: str | None = None
    n_repeats: int = 3

    def __post_init__(self) -> None:
        """Check the number."""
        if self.n_repeats < 1:
            raise ConfigError(f"n_repeats must be at least 1, got {self.n_repeats}")

    def settings(self, tasks: Sequence[str]) -> DecodeSettings:
        """Return the settings of a job that runs some tasks."""
        bundles = (self.bundle,) if Path(self.bundle).is_dir() else ()
        return DecodeSettings(
            tasks=tuple(tasks), task_bundle=self.task_bundle, bundles=bundles
        )


def decode_only(data: bytes, codec: Codec) -> int:
    """Decode a session and drop it; return how many windows it had."""
    return sum(1 for _ in SessionWindows(ContainerReader(data), codec))


def measure_speed(
    recording: Recording, policy: Policy, options: SpeedOptions
) -> dict[str, Any]:
    """Measure one session in one process.

    Args:
        recording: of one lead, whole windows.
        policy: chooses the level of each window.
        options: how.

    Returns:
        What docs/decode.md lists, ready for JSON.
    """
    codec = Codec.load(options.bundle)
    data = codec.encode(recording, policy=policy)
    reader = ContainerReader(data)
    summary = reader.summarize()
    n_windows = summary.n_frames
    plain_s = cpu_time(lambda: decode_only(data, codec), options.n_repeats) / n_windows
    with tempfile.TemporaryDirectory(prefix="dynamic-deep-") as folder:
        runs = {
            name: _session_run(f"{folder}/{name}", data, tasks, options)
            for name, tasks in TASK_SETS.items()
        }
        times = cpu_times(runs, options.n_repeats)
    by_tasks = {name: seconds / n_windows for name, seconds in times.items()}
    return {
        "bundle": codec.bundle.name,
        "model_id": codec.model_id.hex(),
        "fs": recording.fs,
        "window_s": WINDOW_S,
        "n_windows": n_windows,
        "n_bytes": len(data),
        "file_overhead_bytes": summary.header_bytes + summary.end_bytes,
        "levels_used": {
            use.name: use.n_frames for _, use in sorted(summary.levels.items())
        },
        "decode_s_per_window": plain_s,
        "decode_x_real_time": WINDOW_S / plain_s,
        "windows_per_s_core": {name: 1.0 / s for name, s in by_tasks.items()},
        "tasks_s_per_window": {
            name: by_tasks[name] - by_tasks["none"] for name in ("rhythm", "rpeaks")
        },
        "stages_s_per_window": measure_stages(data, n_windows, options),
        "levels": measure_levels(recording, codec, options.n_repeats),
    }


def measure_session(data: bytes, tasks: Sequence[str], options: SpeedOptions) -> float:
    """Return the processor time from a session in a store to its rows, s."""
    with tempfile.TemporaryDirectory(prefix="dynamic-deep-") as folder:
        run = _session_run(folder, data, tasks, options)
        return cpu_time(run, options.n_repeats)


def measure_stages(
    data: bytes, n_windows: int, options: SpeedOptions
) -> dict[str, float]:
    """Return the processor time of each part of the work with both tasks, s a window.

    The parts of the fastest run; each part without those within it.
    """
    runs = []
    with tempfile.TemporaryDirectory(prefix="dynamic-deep-") as folder:
        run = _session_run(folder, data, TASK_SETS["both"], options)
        run()
        for _ in range(options.n_repeats):
            watch = new_stopwatch()
            with watch.watching(PLACES), watch.part(REST):
                run()
            runs.append(watch.seconds)
    fastest = min(runs, key=lambda seconds: sum(seconds.values()))
    return {name: seconds / n_windows for name, seconds in fastest.items()}


def measure_levels(
    recording: Recording, codec: Codec, n_repeats: int
) -> dict[str, dict[str, float]]:
    """Return bytes and processor time a window of every level of a bundle."""
    rows = {}
    for level in codec.levels:
        n_windows = N_SLOW if level.kind in SLOW else N_FAST
        n_samples = min(recording.n_samples, window_start(n_windows, recording.fs))
        part = replace(recording, samples=recording.samples[:n_samples])
        bound_uv = NEAR_ERROR_UV if level.kind == "near_lossless" else None
        data = codec.encode(part, policy=Fixed(level=level.name), max_error_uv=bound_uv)
        n_windows = decode_only(data, codec)
        run = functools.partial(decode_only, data, codec)
        seconds = cpu_time(run, n_repeats) / n_windows
        rows[level.name] = {
            "n_bytes_per_window": len(data) / n_windows,
            "decode_s_per_window": seconds,
            "decode_x_real_time": WINDOW_S / seconds,
        }
    return rows


def _session_run(
    folder: str, data: bytes, tasks: Sequence[str], options: SpeedOptions
) -> Callable[[], None]:
    store_url, out_url = f"{folder}/store", f"{folder}/out"
    put_sessions(store_url, data, 1)
    settings = options.settings(tasks)
    job = DecodeJob(store_url=store_url, out_url=out_url, settings=settings)
    decoder = job.decoder()
    (entry,) = job.entries()

    def run() -> None:
        report = decoder.run(entry, again=True)
        if not report.is_whole:
            raise RuntimeError(f"a session must decode to be timed, got {report}")

    return run
