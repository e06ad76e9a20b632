# SPDX-License-Identifier: Apache-2.0
"""A decode job: which sessions, what to make of them, and where it goes.

The work on one session is the same everywhere (`decode_session.py`); what runs it is a
pool of processes of this machine (`pool_run.py`) or a runner of Apache Beam
(`beam_run.py`). Both write the same objects, byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dynamic_deep.cloud.catalog import CatalogEntry, find_objects
from dynamic_deep.cloud.decode_report import JobReport
from dynamic_deep.cloud.decode_session import SessionDecoder
from dynamic_deep.cloud.decode_settings import DecodeSettings
from dynamic_deep.cloud.store import Store, open_store

REPORT_NAME = "report.json"


@dataclass(frozen=True, kw_only=True)
class DecodeJob:
    """A decode job.

    Attributes:
        store_url: where the sessions are.
        out_url: store for what is made of them.
        settings: what is made of each.
        devices: ids; None: all.
        start: begin of the time range, with a zone; None: from the first on.
        end: its end, not in it; None: to the last.
        again: whether to do also what is done already.
    """

    store_url: str
    out_url: str
    settings: DecodeSettings
    devices: tuple[str, ...] | None = None
    start: datetime | None = None
    end: datetime | None = None
    again: bool = False

    def entries(self) -> Iterator[CatalogEntry]:
        """Yield the sessions, see `find_objects`."""
        store = open_store(self.store_url)
        return find_objects(store, self.devices, self.start, self.end)

    def decoder(self) -> SessionDecoder:
        """Return what does the work; see `SessionDecoder`."""
        return SessionDecoder(
            open_store(self.store_url), open_store(self.out_url), self.settings
        )


def write_report(out: Store, report: JobReport) -> None:
    """Write a job's report to its store, in place of that of the job before."""
    data = json.dumps(report.as_json(), indent=1).encode()
    out.put(REPORT_NAME, data)


def read_report(out: Store) -> JobReport:
    """Return the report of the last job.

    Raises:
        StoreMissingError: If there is none.
    """
    return JobReport.from_json(json.loads(out.get(REPORT_NAME)))
