# SPDX-License-Identifier: Apache-2.0
"""Marks that tell which sessions a job has done, so that the next one need not.

A mark is written after the rows, beside them in the same store, one a session:

    done/devices/DEVICE/2026/11/27/09/TIME-SESSION.json

It holds the generation of the session's object and the hash of the settings that the
rows were made with. Anything else there, also bytes that are no mark, means that the
session is to be done.
"""

from __future__ import annotations

import json

from dynamic_deep.cloud.catalog import CatalogEntry
from dynamic_deep.cloud.decode_report import KEPT, SessionReport
from dynamic_deep.cloud.objects import SUFFIX
from dynamic_deep.cloud.store import Store, StoreMissingError

ROWS_FOLDER, WFDB_FOLDER, DONE_FOLDER = "rows/", "wfdb/", "done/"


def output_name(folder: str, session_name: str, suffix: str) -> str:
    """Return the name of what is made of a session.

    Example:
        >>> output_name(ROWS_FOLDER, "devices/bed-7/unknown-time/00ff.ddc", ".parquet")
        'rows/devices/bed-7/unknown-time/00ff.parquet'
    """
    return folder + session_name.removesuffix(SUFFIX) + suffix


def write_mark(
    out: Store, entry: CatalogEntry, digest: str, report: SessionReport
) -> None:
    """Say that a session is done.

    Args:
        out: where its rows are.
        entry: the session.
        digest: of the settings.
        report: what became of it.
    """
    mark = {
        "generation": entry.generation,
        "size": entry.size,
        "settings": digest,
        "report": report.as_json(),
    }
    data = json.dumps(mark, indent=1).encode()
    out.put(output_name(DONE_FOLDER, entry.name, ".json"), data)


def read_mark(out: Store, entry: CatalogEntry, digest: str) -> SessionReport | None:
    """Return the report of a session that is done, as one that is kept.

    Args:
        out: where its rows would be.
        entry: the session as it is now.
        digest: of the settings of this job.

    Returns:
        None if it is to be done.
    """
    try:
        mark = json.loads(out.get(output_name(DONE_FOLDER, entry.name, ".json")))
        found = (mark["generation"], mark["size"], mark["settings"])
        report = SessionReport.from_json({**mark["report"], "status": KEPT})
    except (StoreMissingError, ValueError, KeyError, TypeError):
        return None
    return report if found == (entry.generation, entry.size, digest) else None
