# SPDX-License-Identifier: Apache-2.0
"""One session from one store, as rows and perhaps a WFDB record, to another."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import BinaryIO

from dynamic_deep.cloud.catalog import CatalogEntry
from dynamic_deep.cloud.decode_report import DONE, FAILED, SessionReport
from dynamic_deep.cloud.decode_rows import RowMaker
from dynamic_deep.cloud.decode_settings import DecodeSettings
from dynamic_deep.cloud.decode_tools import DecodeTools
from dynamic_deep.cloud.decode_windows import LeadWindow, SessionWindows
from dynamic_deep.cloud.parquet_out import row_schema, write_parquet
from dynamic_deep.cloud.resume import (
    ROWS_FOLDER,
    WFDB_FOLDER,
    output_name,
    read_mark,
    write_mark,
)
from dynamic_deep.cloud.rows import WindowRow
from dynamic_deep.cloud.store import Store
from dynamic_deep.cloud.wfdb_out import WfdbRecord
from dynamic_deep.container import ContainerReader
from dynamic_deep.errors import DynamicDeepError

# No later session can be written either once one of these came.
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SessionDecoder:
    """Decodes sessions, one at a time.

    Args:
        store: where the sessions are.
        out: where rows, records and marks go.
        settings: of the job.

    Raises:
        ModelError: If a bundle that the settings name is missing or damaged.
        ConfigError: If there is no such task, or pyarrow is not installed.
    """

    def __init__(self, store: Store, out: Store, settings: DecodeSettings) -> None:
        self._store, self._out = store, out
        self._wfdb = settings.wfdb
        self._digest = settings.digest()
        self._tools = DecodeTools(settings)
        self._schema = row_schema(self._tools.own_names, self._digest)

    def run(self, entry: CatalogEntry, *, again: bool = False) -> SessionReport:
        """Decode a session unless that is done already; what goes wrong is reported.

        Args:
            entry: the session.
            again: whether to do it even if it is done.

        Raises:
            OSError: If the disk is full.
        """
        try:
            kept = None if again else read_mark(self._out, entry, self._digest)
            return kept or self._decode(entry)
        except Exception as error:  # an own task, or a strange file, may raise anything
            if isinstance(error, OSError) and error.errno in _DISK_FULL:
                raise
            text = " ".join((str(error) or type(error).__name__).split())
            if not isinstance(error, DynamicDeepError | OSError):
                text = f"{type(error).__name__}: {text}"
            return SessionReport(
                name=entry.name, status=FAILED, n_bytes=entry.size, problems=(text,)
            )

    def _decode(self, entry: CatalogEntry) -> SessionReport:
        with self._store.open(entry.name, stored=entry.stored) as stream:
            report = self._write(entry, stream)
        write_mark(self._out, entry, self._digest, report)
        return report

    def _write(self, entry: CatalogEntry, stream: BinaryIO) -> SessionReport:
        reader = ContainerReader(stream)
        header = reader.header
        codec = self._tools.codec_for(header.model_id)
        windows = SessionWindows(reader, codec)
        make_row = RowMaker(
            device=entry.device,
            session=entry.session.hex(),
            start_time=entry.start_time,
            info=header.info,
            tasks=self._tools.tasks_for(codec.bundle),
            model_id=header.model_id,
        )
        tally = _Tally(header.info.fs)
        with contextlib.ExitStack() as stack:
            record = None
            if self._wfdb:
                stem = output_name(WFDB_FOLDER, entry.name, "")
                record = stack.enter_context(WfdbRecord(stem, header.info, windows))
            rows = _rows(windows, make_row, record, tally)
            data, n_rows = write_parquet(rows, self._schema)
            self._out.put(output_name(ROWS_FOLDER, entry.name, ".parquet"), data)
            if record is not None:
                record.put(self._out)
        return SessionReport(
            name=entry.name,
            status=DONE,
            n_rows=n_rows,
            n_windows=tally.n_windows,
            n_damaged=windows.n_damaged,
            n_skipped=windows.n_skipped,
            signal_ms=tally.signal_ms,
            n_bytes=entry.size,
            row_bytes=len(data),
            problems=tuple(windows.problems),
        )


class _Tally:
    """Counts what is decoded."""

    def __init__(self, fs: float) -> None:
        self._fs = fs
        self.n_windows = 0
        self._n_samples = 0

    def add(self, window: LeadWindow) -> None:
        if window.samples is not None:
            self.n_windows += 1
            self._n_samples += len(window.samples)

    @property
    def signal_ms(self) -> int:
        return round(1000 * self._n_samples / self._fs)


def _rows(
    windows: SessionWindows,
    make_row: RowMaker,
    record: WfdbRecord | None,
    tally: _Tally,
) -> Iterator[WindowRow]:
    for window in windows:
        tally.add(window)
        if record is not None:
            record.add(window)
        yield make_row(window)
