# SPDX-License-Identifier: Apache-2.0
"""The body of the file header, to bytes and back.

Layout: docs/format.md, section "Header". A recording of 30 s codes to about 140 bytes
at gain 128, so the header leaves out what has its usual value.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from dynamic_deep import config
from dynamic_deep.bitstream import MAX_LEVEL_ID
from dynamic_deep.container_header import (
    FIXED_LEVELS,
    NO_MODEL,
    FileHeader,
    WindowGeometry,
)
from dynamic_deep.errors import ConfigError, CorruptError, DynamicDeepError, FormatError
from dynamic_deep.field_coding import FieldReader, FieldWriter
from dynamic_deep.recording import RecordingInfo

_HAS_MODEL, _HAS_START, _HAS_OFFSET, _HAS_GEOMETRY, _EACH_LEAD = 1, 2, 4, 8, 16
_RESERVED_FLAGS = 0xE0
_ADC_BITS = (16, 24, 32)
_PREFIXES = ("", "gain_", "wavelet_")
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


class Calibration(NamedTuple):
    """What the ADC units of one lead mean."""

    gain: float
    baseline: int
    units: str


def pack_body(header: FileHeader) -> bytes:
    """Return the header's bytes from `flags` to `levels`."""
    info, out = header.info, FieldWriter()
    calibrations = [
        Calibration(*lead)
        for lead in zip(info.adc_gain, info.adc_baseline, info.units, strict=True)
    ]
    if len(set(calibrations)) == 1:
        del calibrations[1:]
    start, zone = _split_time(info.start_time)
    flags = _HAS_MODEL * (header.model_id != NO_MODEL)
    flags |= _HAS_START * (start is not None) | _HAS_OFFSET * (zone is not None)
    flags |= _HAS_GEOMETRY * (header.geometry != WindowGeometry())
    flags |= _EACH_LEAD * (len(calibrations) > 1)
    out.u8(flags)
    out.varint(4 * (info.n_leads - 1) + _ADC_BITS.index(info.adc_bits))
    out.number(info.fs)
    if flags & _HAS_MODEL:
        out.raw(header.model_id)
    if flags & _HAS_GEOMETRY:
        _pack_geometry(out, header.geometry)
    for calibration in calibrations:
        out.number(calibration.gain)
        out.svarint(calibration.baseline)
        out.text(calibration.units, default="mV")
    for name in info.lead_names:
        out.text(name, default="ECG")
    if start is not None:
        out.i64(start)
    if zone is not None:
        out.svarint(zone)
    out.text(info.name, default="recording")
    _pack_levels(out, header.level_names)
    return out.data()


def unpack_body(body: bytes) -> FileHeader:
    """Return the header whose bytes from `flags` to `levels` these are.

    Raises:
        TruncatedError: If a field runs over the end.
        CorruptError: If a field is wrong.
    """
    fields = FieldReader(body)
    try:
        header = _unpack_fields(fields)
    except FormatError:
        raise
    except (DynamicDeepError, OverflowError, ValueError) as error:
        raise CorruptError(f"a header must describe a recording: {error}") from error
    if not fields.at_end:
        raise CorruptError(
            f"a header must end with its levels, got {len(body)} bytes of which some "
            "are left over; the file is damaged"
        )
    return header


def _unpack_fields(fields: FieldReader) -> FileHeader:
    flags = fields.u8()
    if flags & _RESERVED_FLAGS or (flags & _HAS_OFFSET and not flags & _HAS_START):
        raise CorruptError(
            f"reserved flags must be 0, got {flags:#04x}; the file is damaged"
        )
    leads, width = divmod(fields.varint(4 * config.MAX_LEADS - 1), 4)
    n_leads = leads + 1
    if width >= len(_ADC_BITS):
        raise CorruptError("a reserved sample width is set; the file is damaged")
    fs = fields.number()
    model_id = fields.raw(len(NO_MODEL)) if flags & _HAS_MODEL else NO_MODEL
    geometry = _unpack_geometry(fields) if flags & _HAS_GEOMETRY else WindowGeometry()
    calibrations = [
        Calibration(fields.number(), fields.svarint(), fields.text(default="mV"))
        for _ in range(n_leads if flags & _EACH_LEAD else 1)
    ]
    if len(calibrations) < n_leads:
        calibrations *= n_leads
    names = tuple(fields.text(default="ECG") for _ in range(n_leads))
    start = fields.i64() if flags & _HAS_START else None
    zone = fields.svarint() if flags & _HAS_OFFSET else None
    info = RecordingInfo(
        fs=fs,
        adc_gain=tuple(lead.gain for lead in calibrations),
        adc_baseline=tuple(lead.baseline for lead in calibrations),
        units=tuple(lead.units for lead in calibrations),
        lead_names=names,
        adc_bits=_ADC_BITS[width],
        start_time=_join_time(start, zone),
        name=fields.text(default="recording"),
    )
    levels = _unpack_levels(fields)
    return FileHeader(
        model_id=model_id, info=info, level_names=levels, geometry=geometry
    )


def _pack_geometry(out: FieldWriter, geometry: WindowGeometry) -> None:
    out.number(geometry.model_fs)
    out.varint(geometry.segment_len)
    out.varint(geometry.segments_per_window)
    out.varint(geometry.min_tail_len)


def _unpack_geometry(fields: FieldReader) -> WindowGeometry:
    return WindowGeometry(
        model_fs=fields.number(),
        segment_len=fields.varint(),
        segments_per_window=fields.varint(),
        min_tail_len=fields.varint(),
    )


def _pack_levels(out: FieldWriter, level_names: dict[int, str]) -> None:
    others = {i: name for i, name in level_names.items() if i not in FIXED_LEVELS}
    out.varint(len(others))
    for level_id, name in others.items():
        code = max(i for i, prefix in enumerate(_PREFIXES) if name.startswith(prefix))
        out.u8(level_id | code << 5)
        out.text(name.removeprefix(_PREFIXES[code]), default="")


def _unpack_levels(fields: FieldReader) -> dict[int, str]:
    names: dict[int, str] = {}
    last = max(FIXED_LEVELS)
    for _ in range(fields.varint(MAX_LEVEL_ID + 1 - len(FIXED_LEVELS))):
        code, level_id = divmod(fields.u8(), 1 << 5)
        if code >= len(_PREFIXES) or level_id <= last:
            raise CorruptError(
                f"level ids must ascend and have a known prefix, got {level_id} and "
                f"{code}; the file is damaged"
            )
        names[level_id] = _PREFIXES[code] + fields.text(default="")
        last = level_id
    return names


def _split_time(start: datetime | None) -> tuple[int | None, int | None]:
    if start is None:
        return None, None
    ahead = start.utcoffset()
    local = (start.replace(tzinfo=None) - _EPOCH) // _MICROSECOND
    if ahead is None:
        return local, None
    if ahead.microseconds:
        raise ConfigError(
            f"a zone must be whole seconds from UTC, got {ahead}; convert start_time"
        )
    return local - ahead // _MICROSECOND, ahead // timedelta(seconds=1)


def _join_time(start: int | None, zone: int | None) -> datetime | None:
    if start is None:
        return None
    if zone is None:
        return _EPOCH + start * _MICROSECOND
    ahead = timedelta(seconds=zone)
    return (_EPOCH + start * _MICROSECOND + ahead).replace(tzinfo=timezone(ahead))
