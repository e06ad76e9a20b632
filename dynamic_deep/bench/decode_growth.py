# SPDX-License-Identifier: Apache-2.0
"""How the speed of decoding changes with the size of objects and with processes."""

from __future__ import annotations

import multiprocessing
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.bench.decode_inputs import put_sessions
from dynamic_deep.bench.decode_speed import (
    TASK_SETS,
    SpeedOptions,
    measure_session,
)
from dynamic_deep.cloud.decode_job import DecodeJob
from dynamic_deep.cloud.decode_report import SessionReport
from dynamic_deep.cloud.pool_run import run_local
from dynamic_deep.codec import Codec
from dynamic_deep.peak_memory import peak_memory_bytes
from dynamic_deep.policy import Policy
from dynamic_deep.recording import Recording
from dynamic_deep.segments import window_start


def measure_sizes(
    recording: Recording,
    policy: Policy,
    options: SpeedOptions,
    sizes: Sequence[int],
) -> list[dict[str, Any]]:
    """Return the speed with both tasks by the number of windows in an object.

    Args:
        recording: of one lead; repeated where it is too short.
        policy: chooses the level of each window.
        options: how.
        sizes: windows of an object.
    """
    codec = Codec.load(options.bundle)
    rows = []
    for n_windows in sizes:
        n_samples = window_start(n_windows, recording.fs)
        n_times = -(-n_samples // recording.n_samples)
        samples = np.concatenate([recording.samples] * n_times)[:n_samples]
        data = codec.encode(replace(recording, samples=samples), policy=policy)
        seconds = measure_session(data, TASK_SETS["both"], options)
        rows.append(
            {
                "n_windows": n_windows,
                "n_bytes": len(data),
                "s_per_window": seconds / n_windows,
                "windows_per_s_core": n_windows / seconds,
            }
        )
    return rows


def measure_processes(
    data: bytes,
    options: SpeedOptions,
    counts: Sequence[int],
    *,
    n_sessions: int,
) -> list[dict[str, Any]]:
    """Return the speed with both tasks by the number of processes, by the clock.

    Args:
        data: a session.
        options: how.
        counts: numbers of processes.
        n_sessions: how many times it is decoded.
    """
    rows = []
    for n_processes in counts:
        with tempfile.TemporaryDirectory(prefix="dynamic-deep-") as folder:
            put_sessions(f"{folder}/store", data, n_sessions)
            job = DecodeJob(
                store_url=f"{folder}/store",
                out_url=f"{folder}/out",
                settings=options.settings(TASK_SETS["both"]),
            )
            rows.append(_timed_job(job, n_processes))
    return rows


def _timed_job(job: DecodeJob, n_processes: int) -> dict[str, Any]:
    ends_s: list[float] = []
    peaks_mib = [0.0]

    def told(_: SessionReport) -> None:
        ends_s.append(time.monotonic())
        peaks_mib.append(_workers_peak_mib())

    cpu_s, began_s = _cpu_s(), time.monotonic()
    whole = run_local(job, n_processes=n_processes, told=told)
    wall_s, cpu_s = time.monotonic() - began_s, _cpu_s() - cpu_s
    row: dict[str, Any] = {
        "n_processes": n_processes,
        "n_sessions": whole.n_sessions,
        "n_windows": whole.n_windows,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "windows_per_s": whole.n_windows / wall_s,
        "windows_per_cpu_s": whole.n_windows / cpu_s,
        "first_session_s": ends_s[0] - began_s,
    }
    if n_processes > 1:
        row["peak_mib_of_a_process"] = max(peaks_mib)
    return row


def _cpu_s() -> float:
    """Return the processor time of this process and those of it that have ended, s."""
    times = os.times()
    own, children = times.user + times.system, times.children_user
    return own + children + times.children_system


def _workers_peak_mib() -> float:
    """Return the largest memory that a worker has had."""
    workers = [worker.pid or 0 for worker in multiprocessing.active_children()]
    return max(map(peak_memory_bytes, workers), default=0) / 2**20


def machine() -> str:
    """Return what the times were taken on."""
    model = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        found = [line.split(":")[1].strip() for line in lines if "model name" in line]
        model = found[0] if found else model
    cores = os.cpu_count()
    return f"{model}, {cores} cores, Python {platform.python_version()}"
