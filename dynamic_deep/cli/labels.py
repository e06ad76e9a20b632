# SPDX-License-Identifier: Apache-2.0
"""Rhythm classes of recordings, from a table that lists them."""

from __future__ import annotations

import csv
from pathlib import Path

from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks import CLASSES

RECORD, LABEL = "record", "label"


def read_labels(path: Path) -> dict[str, str]:
    """Return record name -> class, one of A, N, O, ~.

    Args:
        path: a CSV file with the columns `record` and `label` among others; or without
            a header, then the first two, as the REFERENCE.csv of CinC 2017.

    Raises:
        ConfigError: If it is no such table.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"labels must be a CSV file, got {path}: {error}; list record,label"
        ) from error
    rows = [[cell.strip() for cell in row] for row in rows if any(row)]
    header = [name.lower() for name in rows[0]] if rows else []
    at = (0, 1)
    if RECORD in header and LABEL in header:
        at, rows = (header.index(RECORD), header.index(LABEL)), rows[1:]
    labels: dict[str, str] = {}
    for row in rows:
        if len(row) <= max(at) or row[at[1]] not in CLASSES:
            raise ConfigError(
                f"a line of labels must be a record and one of {', '.join(CLASSES)}, "
                f"got {','.join(row)!r} in {path}; leave unlabelled records out"
            )
        labels[row[at[0]]] = row[at[1]]
    if not labels:
        raise ConfigError(f"labels must name a record, got none in {path}")
    return labels
