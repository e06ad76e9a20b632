# SPDX-License-Identifier: Apache-2.0
"""CSV and TSV in.

Columns are leads. A column of time gives the sampling frequency and a column that
counts samples is left out. What this package writes begins with a comment line that
holds gain, baseline, units and start time, and so comes back the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import CorruptError, InvalidSignalError
from dynamic_deep.recording.table import (
    Table,
    TableReader,
    check_options,
    info_from_json,
)

COMMENT = "# recording: "

_TIME_UNITS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6}
_TIME_NAMES = {"time": 1.0, "t": 1.0, "timestamp": 1.0, "elapsed time": 1.0}
_TIME_NAMES |= {f"time_{unit}": factor for unit, factor in _TIME_UNITS.items()}
_TIME_NAMES |= {f"time ({unit})": factor for unit, factor in _TIME_UNITS.items()}
_COUNT_NAMES = {"", "sample", "sample #", "samples", "sample_number", "index", "n"}

_MAX_SNIFFED_LINES = 100  # of comments and column names before the first number


@dataclass
class Layout:
    """How a text file is laid out."""

    delimiter: str
    n_skipped: int
    names: list[str] | None
    time_column: int | None = None
    time_factor: float = 1.0
    leads: list[int] = field(default_factory=list)
    stated: dict[str, Any] = field(default_factory=dict)


def sniff(path: Path) -> Layout:
    """Find delimiter, column names, units and the first line of numbers.

    Raises:
        CorruptError: If the file is empty or is no table of numbers.
    """
    head, stated, n_comments = _read_head(path)
    delimiter = "\t" if any("\t" in line for line in head) else ","
    if delimiter == "," and any(";" in line for line in head):
        delimiter = ";"
    rows = [[cell.strip(" '") for cell in row] for row in _split(head, delimiter)]
    first = next((i for i, row in enumerate(rows) if _is_numeric(row)), None)
    if first is None or first > 2:
        raise CorruptError(
            "A text recording must be a table of numbers below at most two lines of "
            f"names and units, got {(head or [''])[0][:60]!r} in {path}; check it."
        )
    names = rows[0] if first else None
    layout = Layout(delimiter, n_comments + first, names, stated=stated)
    _assign_columns(layout, len(rows[first]), rows[1] if first == 2 else None)
    return layout


def open_text(path: Path, **options: Any) -> TableReader:
    """Open a CSV or TSV file."""
    check_options(options)
    layout = sniff(path)
    if layout.time_column is not None and "fs" not in {**layout.stated, **options}:
        layout.stated.update(_read_clock(path, layout))
    layout.stated["name"] = path.stem

    def open_blocks(block_len: int) -> Iterator[Table]:
        for columns in _read_columns(path, layout, block_len):
            yield columns[:, layout.leads] if columns.ndim == 2 else columns

    return TableReader(open_blocks, stated=layout.stated, options=options)


def _read_head(path: Path) -> tuple[list[str], dict[str, Any], int]:
    head: list[str] = []
    stated: dict[str, Any] = {}
    n_comments = 0
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        for _ in range(_MAX_SNIFFED_LINES):
            line = stream.readline(1 << 20)
            if line.startswith(COMMENT) and not head:
                stated = info_from_json(line.removeprefix(COMMENT))
            if line.startswith("#") and not head:
                n_comments += 1
            elif line.strip():
                head.append(line.rstrip("\r\n"))
            if not line or len(head) == 4:
                break
    return head, stated, n_comments


def _split(lines: list[str], delimiter: str) -> list[list[str]]:
    return list(csv.reader(lines, delimiter=delimiter))


def _is_numeric(row: list[str]) -> bool:
    """Tell whether all cells are numbers or gaps; the first may be a moment."""
    kinds = [_is_number(cell) for cell in row]
    if len(row) > 1 and not kinds[0] and _parse_moment(row[0]) is not None:
        kinds[0] = True
    return all(kinds) and any(row)


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


def _parse_moment(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell.strip(" '[]"))
    except ValueError:
        return None


def _assign_columns(layout: Layout, n_columns: int, units: list[str] | None) -> None:
    names = [name.lower() for name in layout.names or []]
    if "fs" in layout.stated:  # ours: every column is a lead, whatever its name
        layout.leads = list(range(n_columns))
        return
    for i in range(n_columns):
        name = names[i] if i < len(names) else None
        if name in _TIME_NAMES and layout.time_column is None:
            layout.time_column = i
            layout.time_factor = _TIME_NAMES[name or ""]
        elif name not in _COUNT_NAMES or n_columns == 1:
            layout.leads.append(i)
    if not layout.leads:
        raise InvalidSignalError(
            "A text recording needs a column besides time, got none; check the file."
        )
    if layout.names and len(layout.names) == n_columns:
        layout.stated["lead_names"] = [layout.names[i] for i in layout.leads]
    if units and len(units) == n_columns:
        layout.stated["units"] = [units[i] or "mV" for i in layout.leads]
        if layout.time_column is not None:
            unit = units[layout.time_column].lower()
            layout.time_factor = _TIME_UNITS.get(unit, layout.time_factor)


def _read_columns(path: Path, layout: Layout, block_len: int) -> Iterator[Table]:
    """Yield all columns but a textual time one (that gives zeros)."""
    import pandas as pd

    skipped = layout.time_column
    try:
        with pd.read_csv(
            path,
            sep=layout.delimiter,
            header=None,
            skiprows=layout.n_skipped,
            chunksize=block_len,
            encoding="utf-8-sig",
            converters={} if skipped is None else {skipped: lambda cell: 0},
        ) as chunks:
            for chunk in chunks:
                yield chunk.to_numpy()
    except (ValueError, pd.errors.ParserError) as error:
        raise CorruptError(
            f"A text recording must be a table of numbers, got {str(error)[:120]!r} in "
            f"{path}; check the file."
        ) from error


def _read_clock(path: Path, layout: Layout) -> dict[str, Any]:
    """Return `fs`, and `start_time` where the time column holds moments."""
    import pandas as pd

    column = layout.time_column
    cells = pd.read_csv(
        path,
        sep=layout.delimiter,
        header=None,
        skiprows=layout.n_skipped,
        usecols=[column],
        encoding="utf-8-sig",
    )[column]
    start = None if cells.dtype.kind in "iuf" else _parse_moment(str(cells.iloc[0]))
    if start is not None:
        moments = pd.to_datetime(cells.str.strip(" '[]"), format="ISO8601")
        seconds = (moments - moments.iloc[0]).dt.total_seconds().to_numpy()
        return {"fs": _rate_of(seconds), "start_time": start}
    if cells.dtype.kind not in "iuf":
        raise InvalidSignalError(
            f"A time column must hold seconds or ISO 8601 moments, got "
            f"{cells.iloc[0]!r}; give fs instead."
        )
    return {"fs": _rate_of(cells.to_numpy(np.float64) * layout.time_factor)}


def _rate_of(seconds: npt.NDArray[np.float64]) -> float:
    span = float(seconds[-1] - seconds[0]) if len(seconds) > 1 else 0.0
    if not span > 0:
        raise InvalidSignalError(
            "A time column must rise from row to row, got one moment only; give fs."
        )
    step = span / (len(seconds) - 1)
    steps = np.diff(seconds)
    # Times are often rounded to a millisecond, hence the slack.
    if steps.min() < -1e-9 or steps.max() > 1.5 * step + 1e-3:
        raise InvalidSignalError(
            f"Samples must be evenly spaced, got steps of {steps.min():g}.."
            f"{steps.max():g} s; fill the gap or split the file."
        )
    rate = 1.0 / step
    slack = max(1e-6, 2e-3 / span)
    near = round(rate)
    return float(near) if near and abs(rate / near - 1) < slack else rate
