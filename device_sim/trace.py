# SPDX-License-Identifier: Apache-2.0
"""The trace of a run: what each device did and when, one row each.

All of it is simulated, so the same records and seed give the same bytes.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import PendingFile

FORMATS = ("csv", "parquet", "none")
ROWS_A_GROUP = 50_000  # of Parquet: what waits in memory


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that a device did.

    Attributes:
        time_s: when it was done, in seconds of simulated time.
        device: which device.
        event: what: see `EVENTS`.
        session: boot counter and session counter, with a dot.
        number: of the message in its session; -1 where none is meant.
        window: of the device, counted from its first; -1 where none is meant.
        lead: of the window; -1 where none is meant.
        level: the window's level.
        n_bytes: of the frame, the message or the acknowledgement.
        n_samples: of each lead that the row is about.
        n_tries: transmissions that a message took.
        duration_s: how long the encoder or the radio was at work.
        energy_mj: what that took.
        outbox_bytes: what waits for its acknowledgement after this.
    """

    time_s: float
    device: str
    event: str
    session: str = ""
    number: int = -1
    window: int = -1
    lead: int = -1
    level: str = ""
    n_bytes: int = 0
    n_samples: int = 0
    n_tries: int = 0
    duration_s: float = 0.0
    energy_mj: float = 0.0
    outbox_bytes: int = 0


# What a row's `event` may be.
EVENTS = {
    "boot": "the device starts, for the first time or again",
    "key": "it seals with another key from its next session on",
    "open": "a session begins at this sample",
    "encode": "a window is coded",
    "store": "a message is sealed, and lies in the outbox",
    "send": "a message has gone through the link",
    "lost": "a message did not get through the link, and is tried again",
    "acknowledge": "the receiver's word came that it is durable",
    "full": "the outbox has no room for another window; the encoder waits",
    "overrun": "samples were overwritten in the ring buffer before they were encoded",
    "close": "the session is complete",
    "stop": "the sensor has no more samples",
}

COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
_DECIMALS = {"time_s": 6, "duration_s": 6, "energy_mj": 6}


class Trace(Protocol):
    """Where rows go."""

    def add(self, row: Row) -> None:
        """Append a row."""

    def close(self) -> None:
        """Give the file its name."""

    def discard(self) -> None:
        """Delete it, unless it is closed."""


class NoTrace:
    """Keeps nothing."""

    def add(self, row: Row) -> None:
        """Forget a row."""

    def close(self) -> None:
        """Do nothing."""

    def discard(self) -> None:
        """Do nothing."""


class CsvTrace:
    """Writes rows as text with commas; the file takes its name when it is whole.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        """Write the line of names."""
        self._file = PendingFile(path)
        text = io.TextIOWrapper(self._file.stream, encoding="ascii", newline="")
        self._text = text
        self._write: Callable[[Any], Any] = csv.writer(
            text, lineterminator="\n"
        ).writerow
        self._write(COLUMNS)

    def add(self, row: Row) -> None:
        """Append a row."""
        self._write([_as_text(name, getattr(row, name)) for name in COLUMNS])

    def close(self) -> None:
        """Give the file its name."""
        self._text.flush()
        self._file.commit()

    def discard(self) -> None:
        """Delete the file, unless it is closed."""
        if not self._text.closed:
            self._file.discard()


class ParquetTrace:
    """Writes rows as Parquet; the file takes its name when it is whole.

    Args:
        path: the file.

    Raises:
        ConfigError: If pyarrow is not installed.
    """

    def __init__(self, path: Path) -> None:
        """Begin the file."""
        pa, parquet = _pyarrow()
        kinds = {"float": pa.float64(), "int": pa.int64(), "str": pa.string()}
        self._schema = pa.schema(
            [(field.name, kinds[str(field.type)]) for field in dataclasses.fields(Row)]
        )
        self._from_rows = pa.Table.from_pylist
        self._file = PendingFile(path)
        self._writer = parquet.ParquetWriter(
            self._file.stream, self._schema, compression="zstd"
        )
        self._rows: list[dict[str, Any]] = []
        self._is_open = True

    def add(self, row: Row) -> None:
        """Append a row."""
        self._rows.append(
            {
                name: round(getattr(row, name), _DECIMALS[name])
                if name in _DECIMALS
                else getattr(row, name)
                for name in COLUMNS
            }
        )
        if len(self._rows) >= ROWS_A_GROUP:
            self._write_group()

    def _write_group(self) -> None:
        self._writer.write_table(self._from_rows(self._rows, schema=self._schema))
        self._rows = []

    def close(self) -> None:
        """Give the file its name."""
        self._write_group()
        self._writer.close()
        self._is_open = False
        self._file.commit()

    def discard(self) -> None:
        """Delete the file, unless it is closed."""
        if self._is_open:
            self._is_open = False
            self._writer.close()
            self._file.discard()


def open_trace(kind: str, folder: Path, stem: str = "trace") -> Trace:
    """Begin a trace in a folder.

    Args:
        kind: one of `FORMATS`.
        folder: where to.
        stem: its name without the suffix.

    Raises:
        ConfigError: If the format is unknown, or its library is not installed.
    """
    if kind == "csv":
        return CsvTrace(folder / f"{stem}.csv")
    if kind == "parquet":
        return ParquetTrace(folder / f"{stem}.parquet")
    if kind == "none":
        return NoTrace()
    raise ConfigError(
        f"a trace must be one of {', '.join(FORMATS)}, got {kind!r}; choose one"
    )


def _as_text(name: str, value: Any) -> str:
    if name in _DECIMALS:
        return f"{value:.{_DECIMALS[name]}f}".rstrip("0").rstrip(".")
    return str(value)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError(
            "a Parquet trace needs pyarrow, which is not installed; install the extra "
            "`cloud`, or choose --trace csv"
        ) from error
    return pyarrow, parquet
