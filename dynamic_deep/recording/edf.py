# SPDX-License-Identifier: Apache-2.0
"""EDF, EDF+ and BDF in, through pyedflib: the stored integers.

Gain and baseline follow from the physical and
digital limits; those hold eight characters each, so a file of ours states the exact
values in the field for the transducer and the true length in that for the recording.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.errors import CorruptError, TruncatedError
from dynamic_deep.recording.base import IntArray, RecordingInfo
from dynamic_deep.recording.streams import RecordingReader
from dynamic_deep.recording.wfdb_layout import common_rate

_NUMBER = r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_EXACT = re.compile(rf"gain={_NUMBER} baseline=(-?\d+)")
_LENGTH = re.compile(r"n_samples=(\d+)")
_RATE = re.compile(rf"fs={_NUMBER}")
_ZONE = re.compile(r"utc=([+-]\d+)")  # minutes
_RECORDING_FIELD = slice(88, 168)


class EdfReader(RecordingReader):
    """Read an EDF, EDF+ or BDF file; leads are those at the commonest rate.

    Raises:
        CorruptError: If pyedflib can't read the file, or it is discontinuous.
    """

    def __init__(self, path: Path) -> None:
        """Read the header."""
        import pyedflib

        _check_size(path)
        try:
            self._file = pyedflib.EdfReader(str(path))
        except (OSError, ValueError) as error:
            raise CorruptError(
                f"An EDF file must be whole and continuous, got {str(error)[:200]!r} "
                f"in {path}; convert or fetch it again."
            ) from error
        try:
            self._describe(path)
        except BaseException:
            self.close()
            raise

    def _describe(self, path: Path) -> None:
        edf = self._file
        with path.open("rb") as stream:
            note = stream.read(256)[_RECORDING_FIELD].decode("ascii", "replace")
        count = edf.signals_in_file
        if not count:
            raise CorruptError(
                f"An EDF recording must have a signal, got none in {path}; check it."
            )
        labels = [label.strip() for label in edf.getSignalLabels()]
        units = [edf.getPhysicalDimension(i).strip() or "mV" for i in range(count)]
        rates = [float(edf.getSampleFrequency(i)) for i in range(count)]
        rate = common_rate(rates, units)
        self._leads = [i for i in range(count) if rates[i] == rate]
        self.left_out = tuple(labels[i] for i in range(count) if i not in self._leads)
        stored = int(min(edf.getNSamples()[i] for i in self._leads))
        length = _LENGTH.search(note)
        self.n_samples = min(stored, int(length.group(1))) if length else stored
        exact_rate = _RATE.search(note)
        scales = [self._scale(i) for i in self._leads]
        self.info = RecordingInfo(
            fs=float(exact_rate.group(1)) if exact_rate else rate,
            adc_gain=tuple(gain for gain, _ in scales),
            adc_baseline=tuple(baseline for _, baseline in scales),
            units=tuple(units[i] for i in self._leads),
            lead_names=tuple(labels[i] or f"lead{i + 1}" for i in self._leads),
            adc_bits=24 if path.suffix.lower() == ".bdf" else 16,
            start_time=_read_start(edf, note),
            name=path.stem,
        )

    def _scale(self, lead: int) -> tuple[float, int]:
        """Return gain and baseline; the exact ones where they agree with the limits."""
        edf = self._file
        low, high = edf.getDigitalMinimum(lead), edf.getDigitalMaximum(lead)
        bottom, top = edf.getPhysicalMinimum(lead), edf.getPhysicalMaximum(lead)
        gain = float(f"{(high - low) / (top - bottom):.12g}")
        baseline = round(low - gain * bottom)
        exact = _EXACT.search(edf.getTransducer(lead))
        if exact and abs(float(exact.group(1)) / gain - 1) < 1e-3:
            return float(exact.group(1)), int(exact.group(2))
        return gain, baseline

    def blocks(self, block_len: int) -> Iterator[IntArray]:
        """Yield the stored integers of the chosen leads."""
        for start in range(0, self.n_samples, block_len):
            count = min(block_len, self.n_samples - start)
            leads = [
                self._file.readSignal(lead, start, count, digital=True)
                for lead in self._leads
            ]
            yield np.stack(leads, axis=1).astype(self.info.dtype)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _check_size(path: Path) -> None:
    """Refuse a file that is not as long as its header says.

    EDFlib refuses it too, but prints to standard output, where a caller may be writing.
    """
    with path.open("rb") as stream:
        head = stream.read(256)
        try:
            n_signals = int(head[252:256])
            counts = stream.read(256 * max(n_signals, 0))[216 * n_signals :]
            per_record = sum(int(counts[8 * i : 8 * i + 8]) for i in range(n_signals))
            n_records = int(head[236:244])
        except ValueError:
            return  # no header of numbers: EDFlib says what is wrong with it
    width = 3 if head[:1] == b"\xff" else 2
    expected = 256 * (n_signals + 1) + n_records * per_record * width
    size = path.stat().st_size
    if size != expected:
        kind = TruncatedError if size < expected else CorruptError
        raise kind(
            f"An EDF file must be as long as its header says, {expected} bytes, got "
            f"{size} in {path}; fetch or export it again."
        )


def _read_start(edf: Any, note: str) -> datetime | None:
    if note.startswith("Startdate X"):
        return None
    zone = _ZONE.search(note)
    # pyedflib's own property reads hundredths of a microsecond wrongly.
    start: datetime = edf.getStartdatetime().replace(microsecond=0)
    start += timedelta(microseconds=round(edf.starttime_subsecond / 10))
    if not zone:
        return start
    return start.replace(tzinfo=timezone(timedelta(minutes=int(zone.group(1)))))
