# SPDX-License-Identifier: Apache-2.0
"""Many files, one by one or several at a time; a bad one does not stop the rest."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Any

from dynamic_deep.cli.failures import describe, is_disk_full
from dynamic_deep.cli.plan import Job
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.errors import DynamicDeepError

Progress = Callable[[float, float], None]
Work = Callable[[Job, Progress], dict[str, Any]]

_stop: Event | None = None  # in a worker: set once the user has interrupted


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file.

    Attributes:
        job: The file.
        result: What the work returned; None if it failed.
        error: One line on why it failed.
        disk_full: Whether every further file would fail as well.
    """

    job: Job
    result: dict[str, Any] | None = None
    error: str | None = None
    disk_full: bool = False


def run_batch(
    jobs: Sequence[Job], work: Work, *, n_workers: int, bar: ProgressBar
) -> Iterator[Outcome]:
    """Do the work for every job and give each outcome as it comes.

    Args:
        jobs: The files.
        work: Called with a job and a function to report progress to; with several
            workers it must be picklable.
        n_workers: How many processes share the work; 1 is this one.
        bar: Shows how far all of it is.

    Yields:
        One outcome a job. After a full disk no further job is tried.
    """
    n_workers = min(n_workers, len(jobs))
    run = _parallel if n_workers > 1 else _serial
    for outcome in run(jobs, work, n_workers, bar):
        yield outcome
        if outcome.disk_full:
            return


def attempt(work: Work, job: Job, progress: Progress) -> Outcome:
    """Do one job; whatever ordinary error comes of it is an outcome."""
    try:
        return Outcome(job=job, result=work(job, progress))
    except Exception as exc:  # a reader may raise anything on a strange file
        text = describe(exc)
        known = isinstance(exc, (DynamicDeepError, OSError))
        text = text if known else f"{type(exc).__name__}: {text}"
        error = text if str(job.source) in text else f"{job.source}: {text}"
        return Outcome(job=job, error=error, disk_full=is_disk_full(exc))


def _serial(
    jobs: Sequence[Job], work: Work, n_workers: int, bar: ProgressBar
) -> Iterator[Outcome]:
    for job_idx, job in enumerate(jobs):

        def progress(done: float, total: float, base: int = job_idx) -> None:
            bar(base + (done / total if total else 0), len(jobs))

        yield attempt(work, job, progress)
        bar(job_idx + 1, len(jobs))


def _parallel(
    jobs: Sequence[Job], work: Work, n_workers: int, bar: ProgressBar
) -> Iterator[Outcome]:
    context = multiprocessing.get_context("spawn")  # threads of a network don't fork
    stop = context.Event()
    pool = ProcessPoolExecutor(
        n_workers, mp_context=context, initializer=_start_worker, initargs=(stop,)
    )
    try:
        futures = [pool.submit(_in_worker, work, job) for job in jobs]
        for n_done, future in enumerate(as_completed(futures), start=1):
            yield future.result()
            bar(n_done, len(jobs))
    except BrokenExecutor as exc:
        raise DynamicDeepError(
            "a worker process must live until its work is done, got one that was "
            "ended from outside, likely for want of memory; try fewer --jobs"
        ) from exc
    finally:  # after an interrupt the workers clean up and end, too
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker(stop: Event) -> None:
    """Leave Ctrl-C to the parent, which tells by the event."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _in_worker(work: Work, job: Job) -> Outcome:
    try:
        _check_stop(0, 1)
        return attempt(work, job, _check_stop)
    except KeyboardInterrupt:
        return Outcome(job=job, error=f"{job.source}: interrupted")


def _check_stop(done: float, total: float) -> None:
    if _stop is not None and _stop.is_set():
        raise KeyboardInterrupt
