# SPDX-License-Identifier: Apache-2.0
"""Everything that takes part in a benchmark, behind one pair of calls.

A baseline is counted by its payload; a level of the codec by its payload and the bytes
that its frame adds in a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dynamic_deep.bench.baselines import Baseline
from dynamic_deep.bench.groups import KIND_GROUPS, LOSSLESS
from dynamic_deep.bitstream import frame_len
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import mv_per_unit
from dynamic_deep.window_codec import only_lossless_fits

IntArray = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, kw_only=True)
class LeadContext:
    """What a coder may know of the lead that a window is cut from."""

    fs: float  # Hz
    adc_gain: float  # ADC units per physical unit
    adc_baseline: int
    adc_bits: int
    units: str
    window_idx: int
    lead: int
    n_leads: int

    @property
    def uv_per_adc(self) -> float:
        """How many uV one ADC unit is; NaN if the lead's unit is no voltage."""
        try:
            return 1000.0 * mv_per_unit(self.units) / abs(self.adc_gain)
        except ConfigError:
            return float("nan")


@dataclass(frozen=True)
class Coded:
    """One coded window: the bytes, what they count for, and the level used."""

    payload: bytes
    n_bytes: int
    level_id: int = -1


class Entrant(Protocol):
    """A coder that takes part."""

    @property
    def name(self) -> str:
        """The name of its row."""

    @property
    def group(self) -> str:
        """The block of the table."""

    @property
    def bundle(self) -> str:
        """The bundle it belongs to; empty for a baseline."""

    @property
    def level(self) -> str:
        """The name of the level in the bundle; empty for a baseline."""

    @property
    def lossless(self) -> bool:
        """Whether every sample must come back."""

    @property
    def note(self) -> str:
        """What a reader must know."""

    def sent_at(self, level_id: int) -> tuple[str, str]:
        """Return the name and the group of the level that a window was sent at."""

    def encode(self, samples: IntArray, lead: LeadContext) -> Coded:
        """Code one window, shape (n_samples,), ADC units."""

    def decode(
        self, coded: Coded, n_samples: int, dtype: npt.DTypeLike, lead: LeadContext
    ) -> IntArray:
        """Return its samples, shape (n_samples,), ADC units."""


@dataclass(frozen=True)
class BaselineEntrant:
    """A baseline, counted by its payload."""

    baseline: Baseline
    bundle: str = ""
    level: str = ""

    @property
    def name(self) -> str:
        """The name of its row."""
        return self.baseline.name

    @property
    def group(self) -> str:
        """The block of the table."""
        return self.baseline.group

    @property
    def lossless(self) -> bool:
        """Whether every sample must come back."""
        return self.baseline.lossless

    @property
    def note(self) -> str:
        """What a reader must know."""
        return self.baseline.note

    def sent_at(self, level_id: int) -> tuple[str, str]:
        """Return its own name and group: it has one level."""
        return self.name, self.group

    def encode(self, samples: IntArray, lead: LeadContext) -> Coded:
        """Code one window."""
        payload = self.baseline.encode(samples, lead.fs)
        return Coded(payload, len(payload))

    def decode(
        self, coded: Coded, n_samples: int, dtype: npt.DTypeLike, lead: LeadContext
    ) -> IntArray:
        """Return its samples."""
        return self.baseline.decode(coded.payload, n_samples, dtype)


@dataclass(frozen=True)
class LevelEntrant:
    """One level of one bundle, counted by payload and frame.

    Args:
        codec: the loaded `Codec`.
        name: the name of the row.
        group: the block of the table.
        bundle: the name of the bundle.
        level: the name of the level.
        max_error: the bound of a near-lossless level in ADC units.
        note: what a reader must know.
    """

    codec: Any
    name: str
    group: str
    bundle: str
    level: str
    max_error: int | None = None
    note: str = ""

    @property
    def lossless(self) -> bool:
        """Whether every sample must come back."""
        return self.group == LOSSLESS

    def sent_at(self, level_id: int) -> tuple[str, str]:
        """Return the level's name and group; a flat window is sent lossless."""
        level = self.codec.bundle.level_by_id(level_id)
        return level.name, KIND_GROUPS[level.kind]

    def encode(self, samples: IntArray, lead: LeadContext) -> Coded:
        """Code one window, at the level that a file would give it."""
        level = self.codec.bundle.level(self.level)
        if only_lossless_fits(samples, lead.adc_bits):
            level = self.codec.bundle.level("lossless")
        x = samples.astype(np.int32, copy=False)
        windows = self.codec.windows
        analysis = windows.analyze(x, place_of(len(x), lead))
        payload = windows.encode(analysis, level, max_error=self._bound(level.kind))
        return Coded(payload, frame_len(level.id, len(payload)), level.id)

    def decode(
        self, coded: Coded, n_samples: int, dtype: npt.DTypeLike, lead: LeadContext
    ) -> IntArray:
        """Return its samples, clipped to their width as in a decoded file."""
        return decode_level(self.codec, coded, n_samples, dtype, lead=lead)

    def _bound(self, kind: str) -> int:
        return (self.max_error or 0) if kind == "near_lossless" else 0


def decode_level(
    codec: Any, coded: Coded, n_samples: int, dtype: npt.DTypeLike, *, lead: LeadContext
) -> IntArray:
    """Return the samples of a window that a bundle coded, as in a decoded file."""
    level = codec.bundle.level_by_id(coded.level_id)
    decoded = codec.windows.decode(coded.payload, level, place_of(n_samples, lead))
    limit = 1 << (lead.adc_bits - 1)
    return np.asarray(np.clip(decoded, -limit, limit - 1), dtype=dtype)


def place_of(n_samples: int, lead: LeadContext) -> Any:
    """Return what encoder and decoder know of a window before its payload."""
    from dynamic_deep.window_codec import WindowPlace

    return WindowPlace(
        n_samples=n_samples,
        fs=lead.fs,
        baseline=lead.adc_baseline,
        adc_bits=lead.adc_bits,
    )
