# SPDX-License-Identifier: Apache-2.0
"""Recordings kept as a plain table of numbers (CSV, NPY, NPZ, MAT), which say little.

Integers are ADC units. Floats are mV (or the stated unit) and are multiplied by the
gain, plus the baseline, and rounded. What the file does not state, the caller does:
`fs`, `adc_gain`, `adc_baseline`, `units`, `lead_names`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import MAX_LEADS
from dynamic_deep.errors import ConfigError, CorruptError, InvalidSignalError
from dynamic_deep.recording.base import IntArray, RecordingInfo
from dynamic_deep.recording.streams import READ_BLOCK_LEN, RecordingReader

DEFAULT_GAIN = 1000.0  # ADC units per mV: 1 uV, finer than any ECG front end's noise

OPTIONS = ("fs", "adc_gain", "adc_baseline", "units", "lead_names", "adc_bits", "name")
_PER_LEAD: dict[str, tuple[type, Any]] = {
    "adc_gain": (float, DEFAULT_GAIN),
    "adc_baseline": (int, 0),
    "units": (str, "mV"),
    "lead_names": (str, None),
}

Table = npt.NDArray[Any]
OpenBlocks = Callable[[int], Iterator[Table]]


class TableReader(RecordingReader):
    """Read a table of numbers, in two passes: one to check it, one to give it.

    Args:
        open_blocks: Called with a block length; yields arrays (n, n_leads) or (n,).
        stated: What the file says about itself: fields of `RecordingInfo`.
        options: What the caller says; wins over `stated`.

    Raises:
        InvalidSignalError: If there are no samples, a NaN, or no `fs`.
        ConfigError: If an option is unknown.
    """

    def __init__(
        self,
        open_blocks: OpenBlocks,
        *,
        stated: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> None:
        """Scan the table and settle the description."""
        check_options(options)
        self._open_blocks = open_blocks
        known = {k: v for k, v in {**stated, **options}.items() if v is not None}
        scan = _Scan(known)
        for block in open_blocks(READ_BLOCK_LEN):
            scan.add(_as_columns(block))
        self.n_samples = scan.n_samples
        self.info = scan.describe(known)

    def blocks(self, block_len: int) -> Iterator[IntArray]:
        """Yield the table once more, as ADC units."""
        for block in self._open_blocks(block_len):
            yield _to_adc(_as_columns(block), self.info).astype(self.info.dtype)


class _Scan:
    """What one pass over a table shows."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.n_samples, self.n_leads = 0, 0
        self._low, self._high = 0, 0
        self._known = known

    def add(self, block: Table) -> None:
        if block.dtype.kind == "f" and not np.isfinite(block).all():
            raise InvalidSignalError(
                "Samples must be finite numbers, got NaN or infinity (or an empty "
                f"cell) after sample {self.n_samples}; fill or cut the gap."
            )
        if not self.n_samples:
            self.n_leads = block.shape[1]
        self.n_samples += len(block)
        if block.size:
            adc = _to_adc(block, _spread(self._known, self.n_leads))
            self._low = min(self._low, int(adc.min()))
            self._high = max(self._high, int(adc.max()))

    def describe(self, known: Mapping[str, Any]) -> RecordingInfo:
        if not self.n_samples:
            raise InvalidSignalError(
                "A recording must have at least 1 sample per lead, got 0; check the "
                "file."
            )
        if "fs" not in known:
            raise InvalidSignalError(
                "A table of numbers needs a sampling frequency, got none; give fs in "
                "Hz, or a time column."
            )
        reach = max(-self._low, self._high + 1)
        bits = next((b for b in (16, 24, 32) if reach <= 1 << (b - 1)), None)
        if bits is None:
            raise InvalidSignalError(
                f"Samples must fit 32 bit, got {self._low}..{self._high} ADC units; "
                "give a smaller adc_gain."
            )
        fields = {**known, **_spread(known, self.n_leads)}
        fields["adc_bits"] = max(bits, int(known.get("adc_bits", 16)))
        return RecordingInfo(**fields)


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse an option that no table knows.

    Raises:
        ConfigError: Naming the ones that are known.
    """
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise ConfigError(
            f"The options of a table are {', '.join(OPTIONS)}, got "
            f"{', '.join(unknown)}; leave it out."
        )


def info_to_json(info: RecordingInfo) -> str:
    """Return the description as one line of JSON."""
    fields = {
        "fs": info.fs,
        "adc_gain": info.adc_gain,
        "adc_baseline": info.adc_baseline,
        "units": info.units,
        "lead_names": info.lead_names,
        "adc_bits": info.adc_bits,
        "start_time": info.start_time.isoformat() if info.start_time else None,
        "name": info.name,
    }
    return json.dumps(fields)


def info_from_json(text: str) -> dict[str, Any]:
    """Return the fields that `info_to_json` wrote.

    Raises:
        CorruptError: If the text is no such description.
    """
    try:
        fields = json.loads(text)
        known = {k: v for k, v in fields.items() if k in (*OPTIONS, "start_time")}
        if known.get("start_time") is not None:
            known["start_time"] = datetime.fromisoformat(known["start_time"])
    except (ValueError, TypeError, AttributeError) as error:
        raise CorruptError(
            f"The description of a recording must be JSON, got {text[:80]!r}; write "
            "the file again."
        ) from error
    return known


def _as_columns(block: Table) -> Table:
    """Return the block as (n, n_leads), or explain what is wrong with it."""
    columns = block.reshape(-1, 1) if block.ndim == 1 else block
    if columns.ndim != 2 or columns.dtype.kind not in "iuf":
        raise InvalidSignalError(
            "Samples must be a table of numbers (n_samples, n_leads), got shape "
            f"{block.shape} of {block.dtype}; convert the array."
        )
    if columns.shape[1] > MAX_LEADS:
        raise InvalidSignalError(
            f"A recording must have 1..{MAX_LEADS} leads, got {columns.shape[1]} "
            "columns; leads are columns, so transpose the table."
        )
    return columns


def _spread(known: Mapping[str, Any], n_leads: int) -> dict[str, tuple[Any, ...]]:
    """Return the fields that are given per lead, one value standing for all leads."""
    out: dict[str, tuple[Any, ...]] = {}
    for field, (kind, default) in _PER_LEAD.items():
        value = known.get(field, default)
        if value is None:
            value = [f"lead{i + 1}" for i in range(n_leads)]
        single = isinstance(value, str) or np.ndim(value) == 0
        out[field] = tuple(map(kind, [value] * n_leads if single else value))
        if len(out[field]) != n_leads:
            raise InvalidSignalError(
                f"{field} must have one entry for each of {n_leads} leads, got "
                f"{len(out[field])}; give one value, or as many as leads."
            )
    return out


def _to_adc(block: Table, info: RecordingInfo | Mapping[str, Any]) -> Table:
    if block.dtype.kind != "f":
        return block
    fields = info if isinstance(info, Mapping) else vars(info)
    gain = np.asarray(fields["adc_gain"], dtype=np.float64)
    adc = np.rint(block * gain) + np.asarray(fields["adc_baseline"])
    clipped: Table = np.clip(adc, -(2.0**62), 2.0**62).astype(np.int64)
    return clipped
