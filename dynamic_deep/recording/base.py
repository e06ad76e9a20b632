# SPDX-License-Identifier: Apache-2.0
"""The signal as measured: the samples and what they mean.

Samples are the integers of the converter; gain and baseline say what they mean. This
file knows no file format.
"""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import MAX_FS, MAX_LEADS, MIN_FS
from dynamic_deep.errors import ConfigError, InvalidSignalError

IntArray = npt.NDArray[np.signedinteger[Any]]
FloatArray = npt.NDArray[np.float64]

ADC_BITS = (16, 24, 32)

# A time of day whose date is unknown (WFDB allows that) is kept on this day.
UNKNOWN_DATE = date(1970, 1, 1)

_MV_PER_UNIT = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordingInfo:
    """Everything about a recording but its samples.

    Attributes:
        fs: Sampling frequency in Hz, 1 to 100,000.
        adc_gain: ADC units per physical unit, one per lead; never zero.
        adc_baseline: ADC value of 0 physical units, one per lead.
        units: Physical unit, one per lead.
        lead_names: Name, one per lead.
        adc_bits: Width of a stored sample: 16 (narrower ones count as 16), 24 or 32.
        start_time: When the first sample was taken; a time of day with no known date
            lies on `UNKNOWN_DATE`.
        name: The recording's name.

    Raises:
        InvalidSignalError: If a field can't describe a signal.
    """

    fs: float
    adc_gain: tuple[float, ...]
    adc_baseline: tuple[int, ...]
    units: tuple[str, ...]
    lead_names: tuple[str, ...]
    adc_bits: int = 16
    start_time: datetime | None = None
    name: str = "recording"

    def __post_init__(self) -> None:
        """Bring the fields to their plain types and check them."""
        for field, kind in _FIELD_TYPES.items():
            object.__setattr__(
                self, field, _as_tuple(field, getattr(self, field), kind)
            )
        object.__setattr__(self, "fs", float(self.fs))
        _check_rate(self.fs)
        _check_leads(self)
        if self.adc_bits not in ADC_BITS:
            raise InvalidSignalError(
                f"adc_bits must be one of {ADC_BITS}, got {self.adc_bits}; give the "
                "width in which the samples are stored."
            )

    @property
    def n_leads(self) -> int:
        """Number of leads."""
        return len(self.lead_names)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type that holds the samples: int16, or int32 for 24 and 32 bit."""
        return np.dtype(np.int16 if self.adc_bits == 16 else np.int32)

    @property
    def info(self) -> RecordingInfo:
        """These fields alone, without any samples."""
        fields = dataclasses.fields(RecordingInfo)
        return RecordingInfo(**{f.name: getattr(self, f.name) for f in fields})


_FIELD_TYPES = {"adc_gain": float, "adc_baseline": int, "units": str, "lead_names": str}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Recording(RecordingInfo):
    """A whole recording in memory.

    Attributes:
        samples: int16 array (int32 when `adc_bits` is 24 or 32), shape
            (n_samples, n_leads), ADC units, C-contiguous. Other integer types are
            converted when the values fit.

    Raises:
        InvalidSignalError: If the samples are no integers, are none, or do not fit.
    """

    samples: IntArray

    # The parent's equality would compare everything but the samples.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        """Check the samples against the fields."""
        super().__post_init__()
        samples = check_samples(self.samples, self)
        if not samples.shape[0]:
            raise InvalidSignalError(
                "A recording must have at least 1 sample per lead, got 0; check the "
                "file that it came from."
            )
        object.__setattr__(self, "samples", samples)

    @property
    def n_samples(self) -> int:
        """Samples per lead."""
        return int(self.samples.shape[0])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.fs

    def physical(self) -> FloatArray:
        """Return float64 samples in the physical unit of each lead."""
        gain = np.asarray(self.adc_gain, dtype=np.float64)
        baseline = np.asarray(self.adc_baseline, dtype=np.float64)
        physical: FloatArray = (self.samples - baseline) / gain
        return physical

    def to_mv(self) -> FloatArray:
        """Return float64 samples in mV.

        Raises:
            ConfigError: If a lead's unit is no voltage.
        """
        factors = [mv_per_unit(unit) for unit in self.units]
        mv: FloatArray = self.physical() * np.asarray(factors)
        return mv


def mv_per_unit(unit: str) -> float:
    """Return how many mV one physical unit is.

    Raises:
        ConfigError: If the unit is no voltage.
    """
    try:
        return _MV_PER_UNIT[unit.strip().lower()]
    except KeyError:
        raise ConfigError(
            f"A lead in mV needs a voltage unit (V, mV, uV, nV), got {unit!r}; use "
            "the physical values instead."
        ) from None


def check_samples(samples: npt.ArrayLike, info: RecordingInfo) -> IntArray:
    """Return samples as the recording's own integer type, C-contiguous.

    Args:
        samples: integer array, shape (n_samples, n_leads), ADC units.
        info: What they belong to.

    Raises:
        InvalidSignalError: If type, shape or range do not fit `info`.
    """
    array = np.asarray(samples)
    if array.dtype.kind not in "iu":
        raise InvalidSignalError(
            f"Samples must be integers (ADC units), got {array.dtype}; multiply by the "
            "gain, add the baseline and round."
        )
    if array.ndim != 2 or array.shape[1] != info.n_leads:
        raise InvalidSignalError(
            f"Samples must have the shape (n_samples, {info.n_leads}), got "
            f"{array.shape}; one column per lead."
        )
    limit = 1 << (info.adc_bits - 1)
    narrow = array.dtype.kind == "i" and 8 * array.dtype.itemsize <= info.adc_bits
    if array.size and not narrow:
        low, high = int(array.min()), int(array.max())
        if low < -limit or high >= limit:
            raise InvalidSignalError(
                f"Samples of {info.adc_bits} bit must lie in {-limit}..{limit - 1}, "
                f"got {low}..{high}; set adc_bits to 24 or 32."
            )
    return np.ascontiguousarray(array, dtype=info.dtype)


def with_samples(info: RecordingInfo, samples: IntArray) -> Recording:
    """Join the description and the samples of a recording."""
    fields = {f.name: getattr(info, f.name) for f in dataclasses.fields(RecordingInfo)}
    return Recording(**fields, samples=samples)


def _as_tuple(field: str, value: Any, kind: type) -> tuple[Any, ...]:
    if isinstance(value, str | int | float):
        raise InvalidSignalError(
            f"{field} must be a sequence with one entry per lead, got {value!r}; wrap "
            "it in a tuple."
        )
    return tuple(kind(entry) for entry in value)


def _check_rate(fs: float) -> None:
    if not (math.isfinite(fs) and MIN_FS <= fs <= MAX_FS):
        raise InvalidSignalError(
            f"fs must lie in {MIN_FS:g}..{MAX_FS:g} Hz, got {fs:g}; state the sampling "
            "frequency of the recording."
        )


def _check_leads(info: RecordingInfo) -> None:
    counts = {field: len(getattr(info, field)) for field in _FIELD_TYPES}
    if len(set(counts.values())) != 1 or not 1 <= info.n_leads <= MAX_LEADS:
        raise InvalidSignalError(
            f"A recording must have 1..{MAX_LEADS} leads, each with a gain, baseline, "
            f"unit and name, got {counts}; split it, or complete the fields."
        )
    for gain, baseline in zip(info.adc_gain, info.adc_baseline, strict=True):
        if not (math.isfinite(gain) and gain) or not -(2**31) <= baseline < 2**31:
            raise InvalidSignalError(
                "adc_gain must be finite and not zero and adc_baseline a 32-bit "
                f"integer, got {gain} and {baseline}; correct the recording's header."
            )
    for text in (*info.lead_names, *info.units, info.name):
        if not text.isprintable():
            raise InvalidSignalError(
                f"Names and units must be printable, got {text!r}; rename it."
            )
