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
from dynamic_deep.bench.groups import LOSSLESS
from dynamic_deep.bitstream import CHECK_LEN, pack_head
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import mv_per_unit

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

    def encode(self, samples: IntArray, lead: LeadContext) -> Coded:
        """Code one window."""
        level_id, payload = self.codec.encode_window(
            samples,
            lead.fs,
            self.level,
            adc_gain=lead.adc_gain,
            max_error=self.max_error,
        )
        n_bytes = len(pack_head(level_id, len(payload))) + len(payload) + CHECK_LEN
        return Coded(payload, n_bytes, level_id)

    def decode(
        self, coded: Coded, n_samples: int, dtype: npt.DTypeLike, lead: LeadContext
    ) -> IntArray:
        """Return its samples."""
        decoded = self.codec.decode_window(
            coded.level_id, coded.payload, n_samples, lead.fs, **_known(lead)
        )
        return np.asarray(decoded, dtype=dtype)


def _known(lead: LeadContext) -> dict[str, int]:
    """Return what both sides of the codec know of a lead beside its rate."""
    return {"baseline": lead.adc_baseline, "adc_bits": lead.adc_bits}
