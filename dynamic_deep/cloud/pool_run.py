# SPDX-License-Identifier: Apache-2.0
"""Runs a decode job on this machine, in this process or in several.

The sessions are listed while they are decoded, and never held all at once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from itertools import islice

from dynamic_deep.cloud.catalog import CatalogEntry
from dynamic_deep.cloud.decode_job import DecodeJob, write_report
from dynamic_deep.cloud.decode_report import JobReport, SessionReport
from dynamic_deep.cloud.decode_session import SessionDecoder
from dynamic_deep.cloud.store import open_store
from dynamic_deep.errors import DynamicDeepError

_WAITING = 2  # sessions that wait for each process, so that none has to

Told = Callable[[SessionReport], object]

_decoder: SessionDecoder | None = None  # of a worker process
_again = False


def run_local(
    job: DecodeJob, *, n_processes: int = 1, told: Told | None = None
) -> JobReport:
    """Run a job, and write its report.

    Args:
        job: the job.
        n_processes: that share the sessions; 1 is this one.
        told: called with the report of each session as it is done, in any order.

    Raises:
        DynamicDeepError: If the job can't begin, or a process was ended from outside.
        OSError: If the disk is full.
    """
    decoder = job.decoder()  # in any case: what is wrong with the job shows here
    if n_processes > 1:
        del decoder  # the networks of this process would only take memory
        reports = _parallel(job, n_processes)
    else:
        reports = (decoder.run(entry, again=job.again) for entry in job.entries())
    whole = JobReport()
    for report in reports:
        whole = whole + JobReport.of(report)
        if told is not None:
            told(report)
    write_report(open_store(job.out_url), whole)
    return whole


def _parallel(job: DecodeJob, n_processes: int) -> Iterator[SessionReport]:
    # Each process decodes with one thread; more in BLAS would take from the others.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    pool = ProcessPoolExecutor(
        n_processes,
        mp_context=multiprocessing.get_context("spawn"),  # LiteRT bears no fork
        initializer=_start_worker,
        initargs=(job,),
    )
    entries = job.entries()
    try:
        waiting: set[Future[SessionReport]] = set()
        while True:
            room = _WAITING * n_processes - len(waiting)
            waiting |= {pool.submit(_work, entry) for entry in islice(entries, room)}
            if not waiting:
                return
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ready:
                yield future.result()
    except BrokenExecutor as error:
        raise DynamicDeepError(
            "a worker process must live until its work is done, got one that was ended "
            "from outside, likely for want of memory; try fewer --jobs, the sessions "
            "that are done will be kept"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker(job: DecodeJob) -> None:
    """Load what the job needs; leave Ctrl-C to the parent."""
    global _decoder, _again
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _decoder, _again = job.decoder(), job.again


def _work(entry: CatalogEntry) -> SessionReport:
    if _decoder is None:
        raise RuntimeError("a worker must be started before it works")
    return _decoder.run(entry, again=_again)
