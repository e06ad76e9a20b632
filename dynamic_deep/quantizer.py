# SPDX-License-Identifier: Apache-2.0
"""Integers from reals: the window's scale and offset, and the dead-zone quantiser.

Whatever is decided here is decided once, by the encoder; the decoder sees integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.entropy import RangeDecoder, RangeEncoder, TableSet
from dynamic_deep.errors import CorruptError

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

N_SCALES = 128
SCALES_PER_OCTAVE = 4  # the scale is within 9 % of the standard deviation
OFFSETS_PER_SCALE = 16  # the mean is within 3 % of the scale, far under any lossy PRDN
OFFSET_LIMIT = 31  # beyond it the offset is escaped and sent in bits
_OFFSET_BITS = 40
_MAX_ESCAPE_BITS = 48


@dataclass(frozen=True, kw_only=True)
class WindowScale:
    """How a window was brought to mean 0 and standard deviation 1.

    `scale_idx` counts quarter octaves of ADC units; `offset_idx` counts sixteenths of
    the scale from the lead's baseline.
    """

    scale_idx: int
    offset_idx: int

    @property
    def scale(self) -> float:
        """The scale in ADC units."""
        return float(2.0 ** (self.scale_idx / SCALES_PER_OCTAVE))

    @property
    def offset(self) -> float:
        """The mean, less the baseline, in ADC units."""
        return self.offset_idx * self.scale / OFFSETS_PER_SCALE

    @classmethod
    def of(cls, x: npt.NDArray[np.floating]) -> WindowScale:
        """Measure a window: float array, (n_samples,), ADC units from the baseline."""
        spread = max(float(np.std(x, dtype=np.float64)), 1.0)
        scale_idx = round(SCALES_PER_OCTAVE * float(np.log2(spread)))
        scale = 2.0 ** (min(scale_idx, N_SCALES - 1) / SCALES_PER_OCTAVE)
        mean = float(np.mean(x, dtype=np.float64))
        return cls(
            scale_idx=min(scale_idx, N_SCALES - 1),
            offset_idx=round(mean / scale * OFFSETS_PER_SCALE),
        )

    def normalize(self, x: npt.NDArray[np.floating]) -> FloatArray:
        """Return the window in units of its scale, about 0."""
        return ((x - self.offset) / self.scale).astype(np.float32)

    def restore(self, x_hat: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Undo `normalize`."""
        return x_hat.astype(np.float64) * self.scale + self.offset


class ScaleCoder:
    """Codes a `WindowScale`; its tables come from the bundle.

    Args:
        scale_counts: uint32 array, shape (1, N_SCALES): a table.
        offset_counts: uint32 array, shape (1, 2 * OFFSET_LIMIT + 2): a table; the last
            column is the escape.
    """

    def __init__(
        self, scale_counts: npt.ArrayLike, offset_counts: npt.ArrayLike
    ) -> None:
        """Keep the tables."""
        self.scales = TableSet(scale_counts, 0)
        self.offsets = TableSet(offset_counts, -OFFSET_LIMIT)
        if self.scales.n_symbols != N_SCALES:
            raise CorruptError(
                f"the scale table must have {N_SCALES} columns, got "
                f"{self.scales.n_symbols}; the bundle is damaged"
            )

    def encode(self, coder: RangeEncoder, window: WindowScale) -> None:
        """Append a window's scale and offset."""
        coder.encode([window.scale_idx], self.scales, 0)
        if abs(window.offset_idx) <= OFFSET_LIMIT:
            coder.encode([window.offset_idx], self.offsets, 0)
            return
        coder.encode([OFFSET_LIMIT + 1], self.offsets, 0)
        encode_escape(coder, window.offset_idx, OFFSET_LIMIT)

    def decode(self, coder: RangeDecoder) -> WindowScale:
        """Read a window's scale and offset back."""
        scale_idx = int(coder.decode(1, self.scales, 0)[0])
        offset_idx = int(coder.decode(1, self.offsets, 0)[0])
        if offset_idx > OFFSET_LIMIT:
            offset_idx = decode_escape(coder, OFFSET_LIMIT)
        return WindowScale(scale_idx=scale_idx, offset_idx=offset_idx)


def encode_escape(coder: RangeEncoder, value: int, limit: int) -> None:
    """Append an integer with |value| > limit: sign, number of bits, bits."""
    excess = abs(value) - limit
    n_bits = excess.bit_length()
    coder.encode_bits(int(value < 0) | n_bits << 1, 7)
    coder.encode_bits(excess & 0xFFFF, min(n_bits, 16))
    coder.encode_bits(excess >> 16, max(n_bits - 16, 0))


def decode_escape(coder: RangeDecoder, limit: int) -> int:
    """Read an integer of `encode_escape` back.

    Raises:
        CorruptError: If it has more bits than any encoder writes.
    """
    head = coder.decode_bits(7)
    n_bits = head >> 1
    if not 1 <= n_bits <= _MAX_ESCAPE_BITS:
        raise CorruptError(
            f"an escaped integer must have 1 to {_MAX_ESCAPE_BITS} bits, got {n_bits}; "
            "the frame is damaged"
        )
    excess = coder.decode_bits(min(n_bits, 16))
    excess |= coder.decode_bits(max(n_bits - 16, 0)) << 16
    return -(excess + limit) if head & 1 else excess + limit


def quantize(y: npt.NDArray[np.floating], threshold: float) -> IntArray:
    """Round away from zero from `threshold` on: |y| < threshold becomes 0.

    Args:
        y: float array, quantiser steps.
        threshold: 0.5 is plain rounding; above it, values are pulled towards zero,
            which saves more bits than it costs distortion.

    Returns:
        int32 array of the same shape.
    """
    magnitude = np.floor(np.abs(y) + (1.0 - threshold))
    return np.asarray(np.copysign(magnitude, y), dtype=np.int32)


class SymbolCoder:
    """Codes integers with chosen tables; those outside the alphabet are escaped.

    Args:
        counts: uint32 array, shape (n_tables, 2 * limit + 2); the last column is the
            escape, the others stand for -limit to limit.
    """

    def __init__(self, counts: npt.ArrayLike) -> None:
        """Keep the tables."""
        n_columns = np.shape(counts)[1]
        self.limit = (n_columns - 2) // 2
        self.tables = TableSet(counts, -self.limit)

    def encode(
        self, coder: RangeEncoder, values: IntArray, table_idx: int | IntArray
    ) -> None:
        """Append integers: all symbols first, then the escaped values."""
        symbols = np.where(np.abs(values) > self.limit, self.limit + 1, values)
        coder.encode(symbols, self.tables, table_idx)
        for value in values[np.abs(values) > self.limit].ravel().tolist():
            encode_escape(coder, value, self.limit)

    def n_bits(self, values: IntArray, table_idx: IntArray) -> float:
        """Return the ideal code length of integers in bits, escapes at 16 bits."""
        escaped = np.abs(values) > self.limit
        symbols = np.where(escaped, self.limit + 1, values)
        return self.tables.n_bits(symbols, table_idx) + 16.0 * int(escaped.sum())

    def decode(
        self, coder: RangeDecoder, n_values: int, table_idx: int | IntArray
    ) -> IntArray:
        """Return the next `n_values` integers, int32."""
        values = coder.decode(n_values, self.tables, table_idx)
        for at in np.flatnonzero(values > self.limit).tolist():
            value = decode_escape(coder, self.limit)
            values[at] = np.clip(value, -(2**30), 2**30)
        return values


def symbol_counts(
    values: IntArray, table_idx: IntArray, *, n_tables: int, limit: int
) -> npt.NDArray[np.float64]:
    """Count symbols by table, the escape last; what `normalize_counts` wants."""
    columns = np.where(np.abs(values) > limit, limit + 1, values) + limit
    flat = table_idx.astype(np.int64) * (2 * limit + 2) + columns
    counts = np.bincount(flat.ravel(), minlength=n_tables * (2 * limit + 2))
    return counts.reshape(n_tables, 2 * limit + 2).astype(np.float64)
