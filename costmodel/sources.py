# SPDX-License-Identifier: Apache-2.0
"""Where a figure about the world was read, when, and how near to its origin."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from costmodel.toml_table import Table

COPY = "copy"  # a copy of the provider's own page or catalogue
THIRD_PARTY = "third party"  # someone else says so
ASSUMED = "assumed"  # nobody was found to say so
STATUSES = (COPY, THIRD_PARTY, ASSUMED)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a figure was read.

    Attributes:
        where: the page or file.
        date: of the copy; of the look-up if the page bears none, and `note` says so.
        status: one of `STATUSES`.
        note: what a reader must know besides; may be empty.
    """

    where: str
    date: datetime.date
    status: str
    note: str = ""


def read_sources(table: Table) -> dict[str, Source]:
    """Read a table of sources by their names.

    Raises:
        ConfigError: If one lacks its place, date or status.
    """
    sources = {}
    for name in table.names():
        row = table.table(name)
        sources[name] = Source(
            where=row.text("where"),
            date=row.date("date"),
            status=row.one_of("status", STATUSES),
            note=row.text("note") if row.has("note") else "",
        )
        row.finish()
    return sources
