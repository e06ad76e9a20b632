# SPDX-License-Identifier: Apache-2.0
"""Codes a quantised latent: static integer tables, chosen by what came before.

Channels lie in groups; within a group the even steps come first, then the odd ones.
Each such pass is coded at once. The table of a symbol follows from the magnitudes of
symbols of earlier passes within one step: those of earlier groups, and, at an odd step,
its even neighbours of the same group. All weights are integers, so every machine finds
the same table.

The idea is the channel-wise model of Minnen and Singh (2020, arXiv 2007.08739) and the
checkerboard of He et al. (2021, arXiv 2103.15306), with a linear map for a network.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.entropy import RangeDecoder, RangeEncoder
from dynamic_deep.errors import CorruptError
from dynamic_deep.quantizer import SymbolCoder

IntArray = npt.NDArray[np.int32]

MAGNITUDE_CAP = 8
WEIGHT_UNIT = 64  # integer weights count 64ths of a natural logarithm of the scale
TABLE_STEP = 16  # a table a quarter of a natural logarithm
FIRST_TABLE_AT = -5 * WEIGHT_UNIT
N_TABLES = 36


@dataclass(frozen=True, kw_only=True)
class ContextWeights:
    """The integer map from magnitudes to a scale.

    Attributes:
        earlier: int16 array, (3, n_channels, n_channels): step -1, 0, 1; from; to.
        same: int16 array, the same shape, for the even neighbours of an odd step.
        bias: int16 array, (n_channels,).
        n_groups: number of groups of channels.
    """

    earlier: npt.NDArray[np.int16]
    same: npt.NDArray[np.int16]
    bias: npt.NDArray[np.int16]
    n_groups: int

    def __post_init__(self) -> None:
        """Check the shapes."""
        n_channels = len(self.bias)
        shape = (3, n_channels, n_channels)
        if self.earlier.shape != shape or self.same.shape != shape:
            raise CorruptError(
                f"context weights must have the shape {shape}, got "
                f"{self.earlier.shape} and {self.same.shape}; the bundle is damaged"
            )


def group_bounds(n_channels: int, n_groups: int) -> list[int]:
    """Return where each group of channels begins, and the number of channels.

    Groups are as equal as they can be; none is empty.
    """
    return sorted({-(-g * n_channels // n_groups) for g in range(n_groups + 1)})


class LatentCoder:
    """Codes the latent of one level by linear context weights.

    Args:
        context: the integer weights.
        counts: uint32 array, (N_TABLES, 2 * limit + 2): the tables.
    """

    def __init__(self, context: ContextWeights, counts: npt.ArrayLike) -> None:
        """Prepare the maps of each pass."""
        self.context = context
        self.symbols = SymbolCoder(counts)
        if len(self.symbols.tables) != N_TABLES:
            raise CorruptError(
                f"a latent must have {N_TABLES} tables, got "
                f"{len(self.symbols.tables)}; the bundle is damaged"
            )
        self.n_channels = len(context.bias)
        bounds = group_bounds(self.n_channels, context.n_groups)
        self.groups = [slice(a, b) for a, b in itertools.pairwise(bounds)]

    @property
    def limit(self) -> int:
        """The largest magnitude with a symbol of its own."""
        return int(self.symbols.limit)

    def passes(self, y: IntArray) -> Iterator[tuple[slice, slice, IntArray]]:
        """Yield (steps, channels, table_idx) of each pass, reading `y` as it fills.

        Sums of products stay far below 2**53, so that float64 adds them exactly in
        any order.
        """
        n_steps = len(y)
        magnitude = np.zeros((n_steps + 2, self.n_channels))
        for group in self.groups:
            scale = self._from_earlier(magnitude, group)
            for first in (0, 1):
                steps = slice(first, None, 2)
                if first == 1:
                    scale = scale + self._from_same(magnitude, group)
                table_idx = (
                    scale[steps].astype(np.int64) - FIRST_TABLE_AT
                ) // TABLE_STEP
                yield steps, group, np.clip(table_idx, 0, N_TABLES - 1).astype(np.int32)
                seen = np.minimum(np.abs(y[steps, group]), MAGNITUDE_CAP)
                magnitude[1 + first : n_steps + 1 : 2, group] = seen

    def _from_earlier(
        self, magnitude: npt.NDArray[np.float64], group: slice
    ) -> npt.NDArray[np.float64]:
        weights = self.context.earlier[:, : group.start, group].astype(np.float64)
        scale = np.zeros((len(magnitude) - 2, group.stop - group.start))
        scale += self.context.bias[group]
        for tap in range(3):
            near = magnitude[tap : len(magnitude) - 2 + tap, : group.start]
            scale += near @ weights[tap]
        return scale

    def _from_same(
        self, magnitude: npt.NDArray[np.float64], group: slice
    ) -> npt.NDArray[np.float64]:
        weights = self.context.same[:, group, group].astype(np.float64)
        before = magnitude[:-2, group] @ weights[0]
        return np.asarray(before + magnitude[2:, group] @ weights[2])

    def table_idx(self, y: IntArray) -> IntArray:
        """Return the table of every symbol of a known latent, the shape of `y`."""
        tables = np.zeros(y.shape, np.int32)
        for steps, group, idx in self.passes(y):
            tables[steps, group] = idx
        return tables

    def n_bits(self, y: IntArray) -> float:
        """Return the ideal code length of a latent in bits, escapes at 16 bits."""
        return self.symbols.n_bits(y, self.table_idx(y))

    def encode(self, coder: RangeEncoder, y: IntArray) -> None:
        """Append a latent: int32 array, (n_steps, n_channels)."""
        for steps, group, idx in self.passes(y):
            self.symbols.encode(coder, y[steps, group], idx)

    def decode(self, coder: RangeDecoder, n_steps: int) -> IntArray:
        """Read a latent of `n_steps` back: int32 array, (n_steps, n_channels)."""
        y = np.zeros((n_steps, self.n_channels), np.int32)
        for steps, group, idx in self.passes(y):
            y[steps, group] = self.symbols.decode(coder, idx.size, idx).reshape(
                idx.shape
            )
        return y
