# SPDX-License-Identifier: Apache-2.0
"""The steps of a decode job as Apache Beam runs them; the one module that needs it."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam

from dynamic_deep.cloud.catalog import CatalogEntry
from dynamic_deep.cloud.decode_job import DecodeJob, write_report
from dynamic_deep.cloud.decode_report import JobReport
from dynamic_deep.cloud.decode_session import SessionDecoder
from dynamic_deep.cloud.store import open_store


def list_sessions(job: DecodeJob) -> Iterator[CatalogEntry]:
    """Yield the sessions of a job as they are listed."""
    yield from job.entries()


class DecodeSession(beam.DoFn):
    """From a session to what became of it.

    Args:
        job: the job.
    """

    def __init__(self, job: DecodeJob) -> None:
        self._job = job
        self._decoder: SessionDecoder | None = None

    def setup(self) -> None:
        """Load the networks, once a worker thread."""
        self._decoder = self._job.decoder()

    def process(self, entry: CatalogEntry) -> Iterator[JobReport]:
        """Decode a session, and yield the report of a job of this one."""
        if self._decoder is None:
            raise RuntimeError("setup must run before process")
        yield JobReport.of(self._decoder.run(entry, again=self._job.again))


def put_report(report: JobReport, out_url: str) -> JobReport:
    """Write the report of the whole job."""
    write_report(open_store(out_url), report)
    return report
