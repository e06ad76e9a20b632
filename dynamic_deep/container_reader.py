# SPDX-License-Identifier: Apache-2.0
"""Read a `.ddc` file: forward from a file or a pipe, or one frame through the index.

With an intact header no bytes raise an error on the way: what can't be read is listed
in `damage`, and every whole frame comes out. Rules: docs/format.md.
"""

from __future__ import annotations

import bisect
import io
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from dynamic_deep.bitstream import Frame
from dynamic_deep.byte_source import ByteSource
from dynamic_deep.container_header import FileHeader
from dynamic_deep.container_marks import (
    MAX_SEQ,
    EndMark,
    IndexEntry,
    find_end,
    pack_end_len,
)
from dynamic_deep.container_scan import FoundFrame, ItemScanner, Step
from dynamic_deep.container_summary import ContainerSummary, Damage, PassLog
from dynamic_deep.errors import ConfigError, CorruptError, FormatError, TruncatedError
from dynamic_deep.header_envelope import read_header


class ContainerReader:
    """An open `.ddc` file.

    Args:
        source: a path, the bytes of a file, or a binary stream that stands at the start
            of one and need not be seekable. Only a path is closed by the reader.

    Attributes:
        header: what the file says before the first frame.

    Raises:
        TruncatedError: If the bytes end inside the header.
        CorruptError: If the header is damaged, or it is no `.ddc` file.
        UnsupportedVersionError: If a newer format wrote it.
    """

    header: FileHeader

    def __init__(self, source: BinaryIO | bytes | str | os.PathLike[str]) -> None:
        """Read the header, and the end mark if the stream is seekable."""
        self._owned = isinstance(source, str | os.PathLike)
        self._stream = _open(source)
        try:
            self._seekable = self._stream.seekable()
            self._base = self._stream.tell() if self._seekable else 0
            first = self._source_at(0) if self._seekable else ByteSource(self._stream)
            self._opened = read_header(first)
            self._pipe = None if self._seekable else first
            self.header = self._opened.header
            self._n_leads = self.header.info.n_leads
            self._end = self._find_end() if self._seekable else None
        except BaseException:
            self.close()
            raise
        self._n_frames_seen: int | None = None
        self._log = PassLog(self._n_leads, self._opened.end)

    @property
    def damage(self) -> list[Damage]:
        """Places that the last pass of `frames` could not read."""
        return self._log.damage

    @property
    def skipped(self) -> list[Damage]:
        """Frames that the writer left out, as the last pass found them."""
        return self._log.skipped

    @property
    def summary(self) -> ContainerSummary:
        """What the bytes are spent on, as the last pass found it."""
        return self._log.summary

    @property
    def is_complete(self) -> bool:
        """Whether an end mark has been found; at a pipe, not before it was reached."""
        return self._end is not None

    @property
    def n_samples(self) -> int:
        """Samples of each lead.

        Without an end mark: as many as the windows hold that were found, each taken as
        whole.

        Raises:
            ConfigError: If a pipe has not been read to its end.
        """
        if self._end is not None:
            return self._end.n_samples
        return self.header.geometry.window_start(self.n_windows, self.header.info.fs)

    @property
    def n_windows(self) -> int:
        """Windows of each lead; without an end mark, those that were found.

        Raises:
            ConfigError: If a pipe has not been read to its end.
        """
        if self._end is not None:
            return self._end.n_windows
        if self._n_frames_seen is None:
            self.summarize()
        return -(-(self._n_frames_seen or 0) // self._n_leads)

    def frames(self) -> Iterator[Frame]:
        """Yield every frame that verifies, in order.

        `damage`, `skipped` and `summary` start empty, and are complete when this ends.

        Raises:
            ConfigError: If a pipe is read a second time.
        """
        scanner = self._scanner_at(self._opened.end)
        self._log = PassLog(self._n_leads, self._opened.end)
        offset, due, has_end = self._opened.end, 0, False
        for step in scanner.steps(offset, due):
            if isinstance(step.item, FoundFrame):
                head = step.item.head
                self._log.add_frame(self.header.level_names[head.level_id], head)
                yield self._frame(scanner, step.item)
            elif isinstance(step.item, EndMark):
                has_end = True
                self._finish(scanner.source, step, step.item)
            else:
                self._log.add_loss(step, scanner.source)
            if step.after is not None:
                offset, due = step.after.offset, step.after.due
        self._n_frames_seen = due
        if not has_end:
            self._log.add_damage(offset, "the file ends without its end mark")

    def read_frame(self, window_idx: int, lead: int) -> Frame:
        """Return one frame, found through the index.

        `damage`, `skipped` and `summary` stay as they are.

        Raises:
            ConfigError: If the stream is not seekable, or there is no such lead.
            CorruptError: If the frame is damaged, or was left out.
            TruncatedError: If the file ends before it.
        """
        if not self._seekable or not 0 <= lead < self._n_leads or window_idx < 0:
            raise ConfigError(
                "read_frame needs a seekable file, a window from 0 and a lead below "
                f"{self._n_leads}, got window {window_idx}, lead {lead}; use frames() "
                "on a pipe"
            )
        wanted = window_idx * self._n_leads + lead
        start = self._nearest(wanted)
        scanner = self._scanner_at(start.offset)
        kind: type[FormatError] = CorruptError if self._end else TruncatedError
        for step in scanner.steps(start.offset, start.seq):
            if isinstance(step.item, FoundFrame) and step.due == wanted:
                return self._frame(scanner, step.item)
            if step.after is not None and step.after.due > wanted:
                kind = CorruptError
                break
        raise kind(
            f"a frame must be whole to be read, got none for window {window_idx}, lead "
            f"{lead}; it is damaged or was left out, frames() and damage tell which"
        )

    def summarize(self) -> ContainerSummary:
        """Return what the bytes are spent on, from one pass over the file."""
        for _ in self.frames():
            pass
        return self.summary

    def close(self) -> None:
        """Close the file if the reader opened it."""
        if self._owned:
            self._stream.close()

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the reader."""
        self.close()

    def _frame(self, scanner: ItemScanner, item: FoundFrame) -> Frame:
        window_idx, lead = divmod(item.seq, self._n_leads)
        return Frame(window_idx, lead, item.head.level_id, scanner.payload(item))

    def _finish(self, source: ByteSource, step: Step, end: EndMark) -> None:
        """Take over the end mark, and look at what follows it."""
        self._end = end
        close = pack_end_len(end.end - step.offset)
        rest, reason = end.end + len(close), "bytes follow the end mark"
        if source.peek(end.end, len(close)) != close:
            rest, reason = end.end, "the length of the end mark is wrong"
        self._log.summary.end_bytes = rest - step.offset
        # A pipe may stay open behind the end mark, and must not be waited for.
        n_bytes = source.count_rest(rest) if self._seekable else 0
        if n_bytes or rest == end.end:
            self._log.add_damage(rest, reason, n_bytes=n_bytes)

    def _find_end(self) -> EndMark | None:
        size = self._stream.seek(0, os.SEEK_END) - self._base
        return find_end(size, self._source_at, self._opened)

    def _nearest(self, seq: int) -> IndexEntry:
        """Return the last place known to stand at or before a sequence number."""
        index = self._end.index if self._end else ()
        found = bisect.bisect_right(index, seq, key=lambda entry: entry.seq)
        return index[found - 1] if found else IndexEntry(self._opened.end, 0)

    def _scanner_at(self, offset: int) -> ItemScanner:
        if self._seekable:
            n_total = self._end.n_windows * self._n_leads if self._end else MAX_SEQ
            return ItemScanner(self._source_at(offset), self._opened, n_total)
        source, self._pipe = self._pipe, None
        if source is None:
            raise ConfigError(
                "a pipe can be read only once, got a second pass; keep the frames, or "
                "write the bytes to a file first"
            )
        return ItemScanner(source, self._opened)

    def _source_at(self, offset: int) -> ByteSource:
        return ByteSource(self._stream, offset, base=self._base)


def _open(source: BinaryIO | bytes | str | os.PathLike[str]) -> BinaryIO:
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source)
    if isinstance(source, str | os.PathLike):
        return Path(source).open("rb")
    return source
