# SPDX-License-Identifier: Apache-2.0
"""Codes a quantised latent: static integer tables, chosen by a small integer network.

Channels lie in groups; within a group the even steps come first, then the odd ones. A
hidden map, a row a step, hears every symbol that is already coded and not 0: what it
adds follows from how far away it is, from its channel, its sign and its bits. From the
row of a symbol's step follow two tables, of its magnitude and, if that is not 0, of its
sign.

All weights and sums are whole numbers; so every machine finds the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.entropy import RangeDecoder, RangeEncoder, TableSet
from dynamic_deep.errors import CorruptError
from dynamic_deep.latent import N_TABLES
from dynamic_deep.latent_context import (
    HIDDEN_CAP,
    N_SIGNS,
    ROW,
    ContextNet,
    classes,
)
from dynamic_deep.quantizer import decode_escape, encode_escape

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]

MAX_VALUE = 1 << 30
MANY = 50  # symbols of a pass, above which a product of matrices is faster


@dataclass(frozen=True, kw_only=True)
class Pass:
    """Symbols that are coded at once.

    Attributes:
        steps: even or odd ones.
        channels: of a group.
        table_idx: int32 array, (n_steps, n_channels) of the pass: of magnitudes.
        sign_idx: the same shape: of signs.
    """

    steps: slice
    channels: slice
    table_idx: IntArray
    sign_idx: IntArray


def _indices(
    heard: FloatArray, out: FloatArray, bias: FloatArray
) -> tuple[IntArray, IntArray]:
    """Return the tables of magnitudes and signs of a pass, (n_steps, n_channels)."""
    sums = (heard @ out + bias).astype(np.int32)
    rows = (sums // ROW).reshape(len(heard), len(bias) // 2, 2)
    table, sign = rows[..., 0], rows[..., 1] + N_SIGNS // 2
    return (
        np.minimum(np.maximum(table, 0), N_TABLES - 1),
        np.minimum(np.maximum(sign, 0), N_SIGNS - 1),
    )


class NetCoder:
    """Codes the latent of one level by a context network.

    Args:
        context: the network.
        magnitudes: uint32 array, (N_TABLES, limit + 2): tables of 0 to `limit` and the
            escape.
        signs: uint32 array, (N_SIGNS, 2): tables of minus and plus.

    Raises:
        CorruptError: If there are other numbers of tables.
    """

    def __init__(
        self,
        context: ContextNet,
        magnitudes: npt.ArrayLike,
        signs: npt.ArrayLike,
    ) -> None:
        """Prepare the tables and the weights of each pass."""
        self.context = context
        self.magnitudes = TableSet(magnitudes, 0)
        self.signs = TableSet(signs, 0)
        shapes = (len(self.magnitudes), *self.signs.counts.shape)
        if shapes != (N_TABLES, N_SIGNS, 2):
            raise CorruptError(
                f"a latent must have {N_TABLES} tables of magnitudes and {N_SIGNS} of "
                f"signs, of two columns, got {shapes}; the bundle is damaged"
            )
        self.n_channels = context.n_channels
        self.groups = context.groups
        # What a symbol adds to the rows about its step lies side by side, row by row.
        blocks = context.near[::-1].transpose(1, 2, 0, 3).astype(np.float32)
        self._blocks = blocks.reshape(*blocks.shape[:2], -1)
        self._first = context.first.astype(np.float32)
        self._out = [self._weights_of(group) for group in self.groups]

    @property
    def limit(self) -> int:
        """The largest magnitude with a symbol of its own."""
        return self.magnitudes.n_symbols - 2

    def _weights_of(self, group: slice) -> list[tuple[FloatArray, FloatArray]]:
        """Return weights and biases of a group's even and odd passes."""
        out = self.context.out[:, :, group].astype(np.float32)
        bias = self.context.out_bias[:, group].astype(np.float32)
        n_hidden = out.shape[1]
        return [(out[i].reshape(n_hidden, -1), bias[i].ravel()) for i in (0, 1)]

    def passes(self, y: IntArray) -> Iterator[Pass]:
        """Yield every pass, reading `y` (n_steps, n_channels) as it fills."""
        reach, n_steps = self.context.reach, len(y)
        n_hidden = self._first.shape[1]
        hidden = np.zeros((n_steps + 2 * reach, n_hidden), np.float32)
        for number, group in enumerate(self.groups):
            for first in (0, 1):
                steps = slice(first, None, 2)
                rows = hidden[reach : reach + n_steps][steps]
                heard = rows + self._first[2 * number + first]
                np.maximum(heard, 0.0, out=heard)
                np.minimum(heard, HIDDEN_CAP, out=heard)
                table_idx, sign_idx = _indices(heard, *self._out[number][first])
                yield Pass(
                    steps=steps, channels=group, table_idx=table_idx, sign_idx=sign_idx
                )
                if first == 0 or number + 1 < len(self.groups):
                    self._hear(hidden, y[steps, group], first, group)

    def _hear(
        self, hidden: FloatArray, values: IntArray, first: int, group: slice
    ) -> None:
        """Add to the hidden map what the symbols of a pass say."""
        steps, channels = np.nonzero(values)
        kinds = classes(values[steps, channels], self.context.n_sizes)
        blocks = self._blocks[group]
        if len(steps) > MANY:
            said = np.zeros((*values.shape, blocks.shape[1]), np.float32)
            said[steps, channels, kinds] = 1.0
            sums = said.reshape(len(values), -1) @ blocks.reshape(-1, blocks.shape[2])
            by_tap = sums.reshape(len(values), -1, hidden.shape[1])
            for tap in range(by_tap.shape[1]):
                hidden[first + tap :: 2][: len(values)] += by_tap[:, tap]
            return
        flat, n_hidden = hidden.reshape(-1), hidden.shape[1]
        starts = (2 * steps + first) * n_hidden
        chosen = blocks[channels, kinds]
        for start, block in zip(starts.tolist(), chosen, strict=True):
            flat[start : start + len(block)] += block

    def indices(self, y: IntArray) -> tuple[IntArray, IntArray]:
        """Return the tables of every magnitude and sign of a known latent."""
        tables, signs = np.zeros(y.shape, np.int32), np.zeros(y.shape, np.int32)
        for one in self.passes(y):
            tables[one.steps, one.channels] = one.table_idx
            signs[one.steps, one.channels] = one.sign_idx
        return tables, signs

    def n_bits(self, y: IntArray) -> float:
        """Return the ideal code length of a latent in bits, escapes at 16 bits."""
        tables, signs = self.indices(y)
        size = np.abs(y)
        n_bits = self.magnitudes.n_bits(np.minimum(size, self.limit + 1), tables)
        signed = (size > 0) & (size <= self.limit)
        n_bits += self.signs.n_bits((y > 0)[signed], signs[signed])
        return n_bits + 16.0 * int((size > self.limit).sum())

    def encode(self, coder: RangeEncoder, y: IntArray) -> None:
        """Append a latent: int32 array, (n_steps, n_channels)."""
        for one in self.passes(y):
            values = y[one.steps, one.channels]
            size = np.abs(values)
            symbols = np.minimum(size, self.limit + 1)
            coder.encode(symbols, self.magnitudes, one.table_idx)
            signed = (size > 0) & (size <= self.limit)
            is_plus = (values[signed] > 0).astype(np.int32)
            coder.encode(is_plus, self.signs, one.sign_idx[signed])
            for value in values[size > self.limit].tolist():
                encode_escape(coder, value, self.limit)

    def decode(self, coder: RangeDecoder, n_steps: int) -> IntArray:
        """Read a latent of `n_steps` back: int32 array, (n_steps, n_channels)."""
        y = np.zeros((n_steps, self.n_channels), np.int32)
        for one in self.passes(y):
            index = one.table_idx
            values = coder.decode(index.size, self.magnitudes, index)
            values = values.reshape(index.shape)
            signed = (values > 0) & (values <= self.limit)
            is_plus = coder.decode(int(signed.sum()), self.signs, one.sign_idx[signed])
            values[signed] *= 2 * is_plus - 1
            for step, channel in np.argwhere(values > self.limit):
                value = decode_escape(coder, self.limit)
                values[step, channel] = np.clip(value, -MAX_VALUE, MAX_VALUE)
            y[one.steps, one.channels] = values
        return y
