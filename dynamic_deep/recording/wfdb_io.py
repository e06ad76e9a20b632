# SPDX-License-Identifier: Apache-2.0
"""WFDB records in: every signal format that wfdb knows, single- and multi-segment.

Samples come as the stored integers. A segment that lacks a lead, or a null segment,
gives the value that its format keeps for "no sample" (-32768 in format 16), as wfdb
does. Read in blocks, so that a record of any length fits in memory.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.errors import CorruptError
from dynamic_deep.recording.base import IntArray, RecordingInfo
from dynamic_deep.recording.streams import RecordingReader
from dynamic_deep.recording.wfdb_header import (
    plain_header,
    read_header_text,
    read_start_time,
)
from dynamic_deep.recording.wfdb_layout import (
    Part,
    call_wfdb,
    common_rate,
    fill_layout,
    import_wfdb,
    no_samples,
    with_columns,
)

DEFAULT_FS = 250.0  # Hz; what WFDB assumes when the header has none

_WIDE_FORMATS = {"24": 24, "524": 24, "32": 32}
_NARROW_FORMATS = {"80": 8, "508": 8, "212": 12, "310": 10, "311": 10}


class WfdbReader(RecordingReader):
    """Read a WFDB record.

    Args:
        path: The record, with or without `.hea`, or its signal file.

    Raises:
        InvalidSignalError: If the record is missing or has no samples.
        FormatError: If its files can't be read.
    """

    def __init__(self, path: Path) -> None:
        """Read the headers and check that the signal files reach to the end."""
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._cache: IntArray | None = None
        try:
            self._open(path.with_suffix("") if path.suffix in SUFFIXES else path)
        except BaseException:
            self.close()
            raise

    def _open(self, root: Path) -> None:
        text = read_header_text(_header_path(root))
        header, root = self._read_header(root)
        if not header.n_sig:
            raise no_samples(root)
        template, parts = self._list_parts(header, root)
        if len(template.fmt or ()) != header.n_sig:
            raise CorruptError(
                f"A header must describe each of its {header.n_sig} leads, got "
                f"{len(template.fmt or ())} in {root}; fetch the record again."
            )
        units = [unit or "mV" for unit in template.units]
        frames = [n or 1 for n in template.samps_per_frame]
        frame_fs = float(header.fs or DEFAULT_FS)
        self._per_frame = int(common_rate([float(n) for n in frames], units))
        self._leads = [i for i, n in enumerate(frames) if n == self._per_frame]
        names = [name or f"lead{i + 1}" for i, name in enumerate(template.sig_name)]
        self.left_out = tuple(
            name for i, name in enumerate(names) if i not in self._leads
        )
        self._parts = [with_columns(part, template, self._leads) for part in parts]
        self._formats = [template.fmt[i] for i in self._leads]
        if "61" in self._formats:  # wfdb 4.3.1 stumbles over big-endian integers
            raise CorruptError(
                f"Any WFDB format but 61 can be read, got 61 in {root}; convert it to "
                "format 16 with xform."
            )
        self.n_samples = parts[-1].stop * self._per_frame if parts else 0
        if not self.n_samples:
            raise no_samples(root)
        self.info = RecordingInfo(
            fs=frame_fs * self._per_frame,
            adc_gain=tuple(template.adc_gain[i] for i in self._leads),
            adc_baseline=tuple(template.baseline[i] or 0 for i in self._leads),
            units=tuple(units[i] for i in self._leads),
            lead_names=tuple(names[i] for i in self._leads),
            adc_bits=_read_width(text, self._formats),
            start_time=read_start_time(text),
            name=root.name,
        )
        self._check_ends()

    def _read_header(self, root: Path) -> tuple[Any, Path]:
        """Return wfdb's header, from a copy without the date where it needs one."""
        text = plain_header(read_header_text(_header_path(root)))
        if text is not None:
            root = self._copy_plain(root, text)
        return call_wfdb(root, import_wfdb().rdheader, str(root)), root

    def _copy_plain(self, root: Path, text: str) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="dynamic-deep-")
        folder = Path(self._scratch.name)
        copy = folder / root.name
        _header_path(copy).write_text(text, encoding="utf-8")
        for line in text.splitlines()[1:]:
            name = line.split()[0] if line.split() else ""
            source = root.parent / name
            if "." in name and source.is_file() and not (folder / name).exists():
                _link_or_copy(source.resolve(), folder / name)
        return copy

    def _list_parts(self, header: Any, root: Path) -> tuple[Any, list[Part]]:
        """Return the header that names the leads, and the parts in order."""
        if not hasattr(header, "seg_name"):
            if header.sig_len is None:
                header = call_wfdb(
                    root, import_wfdb().rdrecord, str(root), physical=False
                )
            return header, [Part(0, header.sig_len, root, header)]
        parts: list[Part] = []
        template, start = None, 0
        for name, length in zip(header.seg_name, header.seg_len, strict=True):
            part_header, part_root = None, None
            if name != "~":
                part_header, part_root = self._read_header(root.parent / name)
                if not part_header.n_sig or hasattr(part_header, "seg_name"):
                    raise CorruptError(
                        "A segment must be a record with signals and no segments, got "
                        f"{name} in {root}; fetch the record again."
                    )
            template = template or part_header
            if length:
                parts.append(Part(start, start + length, part_root, part_header))
            start += length
        if template is None:
            raise no_samples(root)
        return fill_layout(template, parts, root), parts

    def _check_ends(self) -> None:
        """Read the last frame of each signal file, so that a cut one shows at once."""
        for part in self._parts:
            if part.root is not None:
                self._read_part(part, part.stop - 1, part.stop)
        if "8" in self._formats:  # differences: only the whole can be summed
            whole = self._read_frames(0, self._parts[-1].stop)
            self._cache = whole
            if whole.min() < -(2**15) or whole.max() >= 2**15:
                object.__setattr__(self.info, "adc_bits", 32)

    def blocks(self, block_len: int) -> Iterator[IntArray]:
        """Yield the stored integers of the chosen leads."""
        for start in range(0, self.n_samples, block_len):
            stop = min(start + block_len, self.n_samples)
            if self._cache is not None:
                yield self._cache[start:stop].astype(self.info.dtype)
                continue
            first = start // self._per_frame
            block = self._read_frames(first, -(-stop // self._per_frame))
            skip = start - first * self._per_frame
            yield block[skip : skip + stop - start].astype(self.info.dtype)

    def _read_frames(self, first: int, last: int) -> IntArray:
        k = self._per_frame
        fill = [-(1 << (_format_bits(fmt) - 1)) for fmt in self._formats]
        block = np.tile(np.array(fill, np.int32), ((last - first) * k, 1))
        for part in self._parts:
            start, stop = max(first, part.start), min(last, part.stop)
            if part.root is None or not part.columns or start >= stop:
                continue
            signals = self._read_part(part, start, stop)
            rows = slice((start - first) * k, (stop - first) * k)
            for (lead, _), signal in zip(part.columns, signals, strict=True):
                block[rows, lead] = signal
        return block

    def _read_part(self, part: Part, start: int, stop: int) -> list[IntArray]:
        if part.root is None or not part.columns:
            return []
        record = call_wfdb(
            part.root,
            import_wfdb().rdrecord,
            str(part.root),
            sampfrom=start - part.start,
            sampto=stop - part.start,
            channels=[channel for _, channel in part.columns],
            physical=False,
            smooth_frames=False,
            return_res=32,
        )
        signals: list[IntArray] = record.e_d_signal
        return signals

    def close(self) -> None:
        """Delete the copies of headers that were needed."""
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


SUFFIXES = (".hea", ".dat", ".mat")


def _header_path(root: Path) -> Path:
    return root.with_name(root.name + ".hea")


def _format_bits(fmt: str) -> int:
    return _NARROW_FORMATS.get(fmt) or _WIDE_FORMATS.get(fmt, 16)


def _read_width(text: str, formats: list[str]) -> int:
    """Return the width of the formats; a MAT file of ours keeps 24 bit in 32."""
    width = max(_WIDE_FORMATS.get(fmt, 16) for fmt in formats)
    return 24 if width == 32 and "\n# adc_bits: 24\n" in text else width


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source)
    except OSError:  # no links on this file system
        shutil.copyfile(source, target)
