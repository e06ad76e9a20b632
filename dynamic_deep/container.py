# SPDX-License-Identifier: Apache-2.0
"""The `.ddc` file: its writer, and the door to its reader.

Format: docs/format.md. The writer needs no seek and keeps nothing but the index, so it
writes to a pipe as well as to a file.
"""

from __future__ import annotations

from typing import BinaryIO

from dynamic_deep.bitstream import Frame, pack_frame
from dynamic_deep.container_header import NO_MODEL, FileHeader, WindowGeometry
from dynamic_deep.container_marks import (
    INDEX_SPACING,
    MAX_SAMPLES,
    MAX_SEQ,
    IndexEntry,
    pack_end,
    pack_gap,
)
from dynamic_deep.container_reader import ContainerReader
from dynamic_deep.container_summary import ContainerSummary, Damage, LevelUse
from dynamic_deep.errors import ConfigError
from dynamic_deep.header_envelope import VERSION, pack_header

__all__ = [
    "NO_MODEL",
    "VERSION",
    "ContainerReader",
    "ContainerSummary",
    "ContainerWriter",
    "Damage",
    "FileHeader",
    "Frame",
    "LevelUse",
    "WindowGeometry",
]

_INDEX_FRAMES = 64


class ContainerWriter:
    """Writes a `.ddc` file to a binary stream, which it never closes.

    Args:
        stream: where to; need not be seekable.
        header: what to write before the first frame, at once.

    Attributes:
        n_bytes: bytes written so far.
        n_frames: frames written so far.

    Raises:
        ConfigError: If a text of the header is too long.

    Example:
        >>> import io
        >>> from dynamic_deep.recording import RecordingInfo
        >>> info = RecordingInfo(
        ...     fs=300.0, adc_gain=(1000.0,), adc_baseline=(0,), units=("mV",),
        ...     lead_names=("ECG",),
        ... )
        >>> stream = io.BytesIO()
        >>> writer = ContainerWriter(stream, FileHeader(info=info))
        >>> writer.write_frame(Frame(0, 0, 0, b"payload"))
        >>> writer.close(9000)
        >>> reader = ContainerReader(stream.getvalue())
        >>> reader.n_samples, [frame.payload for frame in reader.frames()]
        (9000, [b'payload'])
    """

    def __init__(self, stream: BinaryIO, header: FileHeader) -> None:
        """Write the header."""
        self.header = header
        self.n_bytes = 0
        self.n_frames = 0
        self._stream = stream
        self._n_leads = header.info.n_leads
        self._due = 0
        self._index: list[IndexEntry] = []
        self._is_closed = False
        data, self._seed = pack_header(header)
        self._write(data)
        self._header_end = self.n_bytes
        self._n_since_entry = 0

    def write_frame(self, frame: Frame) -> None:
        """Append a frame; where frames before it are missing, note the gap.

        Raises:
            ConfigError: If the frame stands before one that is written, its level is
                not in the header, or its payload is too long for the window.
        """
        seq = frame.window_idx * self._n_leads + frame.lead
        self._check(frame, seq)
        data = pack_frame(frame.level_id, frame.payload, seq=seq, seed=self._seed)
        if seq > self._due:
            self._write(pack_gap(self._due, seq, seed=self._seed))
        self._extend_index(seq)
        self._write(data)
        self._due = seq + 1
        self.n_frames += 1
        self._n_since_entry += 1

    def close(self, n_samples: int, n_windows: int | None = None) -> None:
        """Write the end mark, and flush the stream.

        Args:
            n_samples: samples of each lead.
            n_windows: windows of each lead; as many as the last frame tells if None.
                State it where frames at the end are left out.

        Raises:
            ConfigError: If the two can't be true of one recording with these frames.
        """
        self._check_open()
        n_seen = -(-self._due // self._n_leads)
        n_windows = n_seen if n_windows is None else n_windows
        n_total = n_windows * self._n_leads
        geometry, fs = self.header.geometry, self.header.info.fs
        if (
            not self._due <= n_total <= MAX_SEQ
            or not 0 <= n_samples <= MAX_SAMPLES
            or not geometry.accepts(n_samples, n_windows, fs)
        ):
            raise ConfigError(
                f"the windows must hold the samples and the frames, got {n_windows} "
                f"windows for {n_samples} samples at {fs:g} Hz and frames up to window "
                f"{n_seen - 1}; count the samples of one lead"
            )
        if n_total > self._due:
            self._write(pack_gap(self._due, n_total, seed=self._seed))
        end = pack_end(
            n_samples,
            n_windows,
            self._index,
            header_end=self._header_end,
            seed=self._seed,
        )
        self._write(end)
        self._stream.flush()
        self._is_closed = True

    def _check(self, frame: Frame, seq: int) -> None:
        self._check_open()
        if not 0 <= frame.lead < self._n_leads or not self._due <= seq < MAX_SEQ:
            raise ConfigError(
                "frames must be written in the order of windows and leads, got "
                f"window {frame.window_idx}, lead {frame.lead} of {self._n_leads} "
                f"where number {self._due} (window * n_leads + lead) is due; sort them"
            )
        if frame.level_id not in self.header.level_names:
            raise ConfigError(
                f"a frame must have a level of the header, got {frame.level_id}; the "
                f"header names {self.header.level_names}"
            )
        if len(frame.payload) > self.header.max_payload_len:
            raise ConfigError(
                f"a payload must have at most {self.header.max_payload_len} bytes at "
                f"{self.header.info.fs:g} Hz, got {len(frame.payload)}; cut the "
                "recording into windows"
            )

    def _check_open(self) -> None:
        if self._is_closed:
            raise ConfigError(
                "a closed file takes no more frames, got a call after close; open a "
                "new writer"
            )

    def _extend_index(self, seq: int) -> None:
        last = self._index[-1].offset if self._index else self._header_end
        is_due = self._n_since_entry >= _INDEX_FRAMES
        if is_due and self.n_bytes - last >= INDEX_SPACING:
            self._index.append(IndexEntry(self.n_bytes, seq))
            self._n_since_entry = 0

    def _write(self, data: bytes) -> None:
        # A raw stream may take a part only.
        rest = memoryview(data)
        while rest:
            taken = self._stream.write(rest)
            rest = rest[len(rest) if taken is None else taken :]
        self.n_bytes += len(data)
