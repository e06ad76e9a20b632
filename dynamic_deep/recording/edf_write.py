# SPDX-License-Identifier: Apache-2.0
"""EDF+ out (BDF+ for 24 bit), data record by data record.

Written here since pyedflib can state neither a length that is no multiple of its data
records nor a start within a second. `edf.py` says which notes of ours a file carries.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.errors import ConfigError
from dynamic_deep.recording.base import IntArray, RecordingInfo
from dynamic_deep.recording.streams import PendingFile, RecordingWriter

_MONTHS = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
_LIMITS = {16: (-(1 << 15), (1 << 15) - 1), 24: (-(1 << 23), (1 << 23) - 1)}
_ANNOTATION_BYTES = 48  # one timekeeping mark; a multiple of 2 and of 3
_FIELD_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)


class EdfWriter(RecordingWriter):
    """Write an EDF+ file, or BDF+ for the suffix `.bdf`.

    Raises:
        ConfigError: If the samples are wider than the format, or a name, unit or date
            does not fit its header.
    """

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        """Check that the format can hold the recording and open the file."""
        super().__init__(info)
        self._bits = 24 if path.suffix.lower() == ".bdf" else 16
        if info.adc_bits > self._bits:
            raise ConfigError(
                f"EDF holds 16-bit and BDF 24-bit samples, got {info.adc_bits} bit; "
                "write .bdf, .npz or WFDB."
            )
        self._per_record, self._duration = _record_shape(info.fs)
        self._n_records = 0
        self._rest = np.empty((0, info.n_leads), info.dtype)
        self._header()  # refuses what does not fit before anything is written
        self._file = PendingFile(path)
        self._file.stream.write(self._header())

    def _append(self, samples: IntArray) -> None:
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // self._per_record * self._per_record
        for start in range(0, whole, self._per_record):
            self._write_record(samples[start : start + self._per_record])
        self._rest = samples[whole:].copy()

    def _write_record(self, samples: IntArray) -> None:
        onset = self._n_records * self._duration + self._subsecond()
        mark = f"+{_decimal(onset)}\x14\x14".encode("ascii")
        stored = np.ascontiguousarray(samples.T, dtype="<i4")
        octets = stored.reshape(-1, 1).view(np.uint8)[:, : self._bits // 8]
        self._file.stream.write(octets.tobytes())
        self._file.stream.write(mark.ljust(_ANNOTATION_BYTES, b"\0"))
        self._n_records += 1

    def _subsecond(self) -> Fraction:
        start = self.info.start_time
        return Fraction(start.microsecond if start else 0, 1_000_000)

    def _finish(self) -> None:
        if len(self._rest):
            missing = self._per_record - len(self._rest)
            last = np.repeat(self._rest[-1:], missing, axis=0)
            self._write_record(np.concatenate([self._rest, last]))
        self._file.stream.seek(0)
        self._file.stream.write(self._header())
        self._file.commit()

    def _discard(self) -> None:
        self._file.discard()

    def _header(self) -> bytes:
        info, wide = self.info, self._bits == 24
        n_signals = info.n_leads + 1
        start = info.start_time
        top = [
            _ascii("X X X X", 80),
            _ascii(self._note(), 80),
            _ascii(f"{start:%d.%m.%y}" if start else "01.01.85", 8),
            _ascii(f"{start:%H.%M.%S}" if start else "00.00.00", 8),
            _ascii(256 * (n_signals + 1), 8),
            _ascii("BDF+C" if wide else "EDF+C", 44),
            _ascii(self._n_records, 8),
            _ascii(_decimal(self._duration), 8),
            _ascii(n_signals, 4),
        ]
        columns = zip(*self._signal_fields(), strict=True)
        fields = [
            _ascii(entry, width)
            for width, column in zip(_FIELD_WIDTHS, columns, strict=True)
            for entry in column
        ]
        version = b"\xffBIOSEMI" if wide else b"0       "
        return b"".join([version, *top, *fields])

    def _note(self) -> str:
        info, day = self.info, "X"
        start = info.start_time
        if start:
            day = (
                f"{start.day:02d}-{_MONTHS[3 * start.month - 3 :][:3]}-{start.year:04d}"
            )
        note = f"Startdate {day} X X X n_samples={self.n_samples}"
        if Fraction(self._per_record) / self._duration != Fraction(info.fs):
            note += f" fs={info.fs!r}"
        offset = start.utcoffset() if start else None
        if offset is not None:
            note += f" utc={round(offset.total_seconds() / 60):+d}"
        return note

    def _signal_fields(self) -> list[tuple[Any, ...]]:
        low, high = _LIMITS[self._bits]
        rows: list[tuple[Any, ...]] = []
        info = self.info
        for name, unit, gain, baseline in zip(
            info.lead_names, info.units, info.adc_gain, info.adc_baseline, strict=True
        ):
            bottom, top = ((edge - baseline) / gain for edge in (low, high))
            exact = f"gain={gain!r} baseline={baseline}"
            unit = unit.replace("µ", "u").replace("μ", "u")
            limits = (_eight(bottom), _eight(top), low, high)
            rows.append((name, exact, unit, *limits, "", self._per_record, ""))
        kind = "BDF Annotations" if self._bits == 24 else "EDF Annotations"
        n_marks = _ANNOTATION_BYTES * 8 // self._bits
        rows.append((kind, "", "", "-1", "1", low, high, "", n_marks, ""))
        return rows


def _record_shape(fs: float) -> tuple[int, Fraction]:
    """Return samples and seconds per data record; a second or a few, exact if it can.

    Example:
        >>> _record_shape(360.0), _record_shape(128.5)
        ((360, Fraction(1, 1)), (257, Fraction(2, 1)))
    """
    rate = Fraction(fs).limit_denominator(20)
    if float(rate) != fs:
        n_samples = max(1, round(fs))
        return n_samples, Fraction(_eight(n_samples / fs))
    return rate.numerator, Fraction(rate.denominator)


def _eight(value: float) -> str:
    """Return the number in at most eight characters, as exactly as they allow."""
    for digits in range(17, 0, -1):
        text = f"{value:.{digits}g}"
        if "e" not in text and len(text) <= 8:
            return text
    for digits in range(8, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 8:
            return text
    raise ConfigError(
        f"A limit in an EDF header must fit 8 characters, got {value}; write WFDB."
    )


def _decimal(value: Fraction) -> str:
    return f"{float(value):.7f}".rstrip("0").rstrip(".")


def _ascii(value: object, width: int) -> bytes:
    text = str(value)
    if len(text) > width or not text.isascii():
        raise ConfigError(
            f"A field of an EDF header must be ASCII and fit {width} characters, got "
            f"{text!r}; shorten it or write WFDB or NPZ."
        )
    return text.encode("ascii").ljust(width)
