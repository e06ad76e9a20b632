# SPDX-License-Identifier: Apache-2.0
"""WFDB records out, block by block: a signal file and, when it is whole, its header.

The signal file may wear the header of a MAT v4 matrix, as the records of
PhysioNet/CinC do: then any program that reads MAT files reads it as well.
"""

from __future__ import annotations

import re
import struct
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np

from dynamic_deep.errors import ConfigError
from dynamic_deep.recording.base import UNKNOWN_DATE, IntArray, RecordingInfo
from dynamic_deep.recording.streams import PendingFile, RecordingWriter

# What wfdb's header parser takes for a record's name and for a unit.
_NAME = re.compile(r"[-\w]+")
_UNIT = re.compile(r"[\w^\-?%/]+")

# type, rows, columns, imaginary flag, length of the name; then the name "val".
_MAT4_HEADER = struct.Struct("<5i4s")
_MAT4_TYPE = {16: 30, 32: 20}  # int16, int32; little-endian, full matrix


class WfdbWriter(RecordingWriter):
    """Write a WFDB record in format 16, 24 or 32, as `info.adc_bits` says.

    Args:
        path: The record, with or without `.hea` or `.dat`.
        info: Everything but the samples.
        as_mat: Write the signal file as a MAT v4 matrix `val`, as CinC 2017 does.

    Raises:
        ConfigError: If WFDB can't hold the name or a unit, or the folder is missing.
    """

    def __init__(
        self, path: Path, info: RecordingInfo, *, as_mat: bool = False
    ) -> None:
        """Check the names and open both files."""
        super().__init__(info)
        root = path.with_suffix("") if path.suffix in _SUFFIXES else path
        _check_names(root.name, info)
        self._as_mat = as_mat
        self._bits = 32 if as_mat and info.adc_bits == 24 else info.adc_bits
        self._dat_name = root.name + (".mat" if as_mat else ".dat")
        self._root = root
        self._dat = PendingFile(root.with_name(self._dat_name))
        try:
            self._hea = PendingFile(root.with_name(root.name + ".hea"))
        except BaseException:
            self._dat.discard()
            raise
        self._initial: list[int] = []
        self._sums = np.zeros(info.n_leads, np.int64)
        if as_mat:
            self._dat.stream.write(self._mat_header())

    def _append(self, samples: IntArray) -> None:
        if not self.n_samples:
            self._initial = [int(value) for value in samples[0]]
        self._sums += samples.sum(axis=0, dtype=np.int64)
        self._dat.stream.write(_pack(samples, self._bits))

    def _finish(self) -> None:
        if self._as_mat:
            self._dat.stream.seek(0)
            self._dat.stream.write(self._mat_header())
        self._hea.stream.write(self._header().encode("utf-8"))
        self._dat.commit()
        self._hea.commit()  # last: a record without a header is not there

    def _discard(self) -> None:
        self._dat.discard()
        self._hea.discard()

    def _mat_header(self) -> bytes:
        kind = _MAT4_TYPE[self._bits]
        shape = (self.info.n_leads, self.n_samples)
        return _MAT4_HEADER.pack(kind, *shape, 0, 4, b"val\0")

    def _header(self) -> str:
        info = self.info
        fields = [self._root.name, info.n_leads, _plain(info.fs), self.n_samples]
        lines = [" ".join(map(str, fields)) + _format_start(info.start_time)]
        offset = f"+{_MAT4_HEADER.size}" if self._as_mat else ""
        for lead, name in enumerate(info.lead_names):
            checksum = (int(self._sums[lead]) + 0x8000) % 0x10000 - 0x8000
            gain = f"{_plain(info.adc_gain[lead])}({info.adc_baseline[lead]})"
            lines.append(
                f"{self._dat_name} {self._bits}{offset} {gain}/{info.units[lead]} "
                f"{info.adc_bits} 0 {self._initial[lead]} {checksum} 0 {name}"
            )
        if info.start_time is not None and info.start_time.tzinfo is not None:
            lines.append(f"# start_time: {info.start_time.isoformat()}")
        if self._bits != info.adc_bits:
            lines.append(f"# adc_bits: {info.adc_bits}")
        return "\n".join(lines) + "\n"


_SUFFIXES = (".hea", ".dat", ".mat")


def _check_names(name: str, info: RecordingInfo) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "The name of a WFDB record may have letters, digits, - and _ only, got "
            f"{name!r}; choose another name."
        )
    for unit in info.units:
        if not _UNIT.fullmatch(unit):
            raise ConfigError(
                "A unit in a WFDB header may have letters, digits and ^-?%/ only, got "
                f"{unit!r}; rename it or write another format."
            )
    for lead in info.lead_names:
        if lead != lead.strip() or not lead:
            raise ConfigError(
                "A lead name in a WFDB header must not be empty, begin or end with a "
                f"blank, got {lead!r}; rename it or write another format."
            )


def _pack(samples: IntArray, bits: int) -> bytes:
    if bits != 24:
        return samples.astype(f"<i{bits // 8}").tobytes()
    quads = samples.astype("<i4").reshape(-1, 1).view(np.uint8)
    return quads[:, :3].tobytes()


def _plain(value: float) -> str:
    """Write a float exactly and without an exponent, which WFDB does not know."""
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def _format_start(start: datetime | None) -> str:
    if start is None:
        return ""
    clock = f" {start:%H:%M:%S}" + (f".{start:%f}" if start.microsecond else "")
    if start.date() == UNKNOWN_DATE:
        return clock
    return f"{clock} {start.day:02d}/{start.month:02d}/{start.year:04d}"
