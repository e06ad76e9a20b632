# SPDX-License-Identifier: Apache-2.0
"""Range coding with static integer tables.

The coder is constriction's (32-bit words, 24-bit probabilities; its version fixes the
bitstream). A table is a row of positive integer counts whose sum is `TABLE_TOTAL`, a
power of two: divided by it every probability is exact in a float64, so that any machine
builds the same code from the same integers.

constriction ends a message on a whole 32-bit word. `RangeEncoder.finish` writes the
shortest byte string inside the last interval instead; the reader supplies the zeros
that were cut off. This saves 2.5 bytes a message on average, which counts where a
window has 70.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import constriction
import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import CorruptError

IntArray = npt.NDArray[np.int32]

TABLE_BITS = 16
TABLE_TOTAL = 1 << TABLE_BITS

_QUEUE = constriction.stream.queue
_MODEL = constriction.stream.model
_FAMILY = _MODEL.Categorical(perfect=False)
_STATE_BYTES = 8  # the coder's state is two 32-bit words


def normalize_counts(counts: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Scale counts to a table: integers of at least 1 whose sum is `TABLE_TOTAL`.

    Args:
        counts: non-negative array, shape (n_symbols,) or (n_tables, n_symbols).

    Returns:
        uint32 array of the same shape.
    """
    rows = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    n_symbols = rows.shape[1]
    total = rows.sum(axis=1, keepdims=True)
    share = np.where(total > 0, rows / np.maximum(total, 1e-300), 1.0 / n_symbols)
    exact = share * (TABLE_TOTAL - n_symbols)
    table = np.floor(exact).astype(np.int64) + 1
    for row, want in zip(table, exact, strict=True):
        missing = TABLE_TOTAL - int(row.sum())
        largest = np.argsort(np.floor(want) - want, kind="stable")[:missing]
        row[largest] += 1
    return np.asarray(table.reshape(np.shape(counts)), dtype=np.uint32)


class TableSet:
    """Static tables over one alphabet, chosen symbol by symbol through an index.

    Args:
        counts: uint32 array, shape (n_tables, n_symbols); each row sums to
            `TABLE_TOTAL` and holds no zero.
        first_symbol: the integer that column 0 stands for.

    Raises:
        CorruptError: If a row is not a table.
    """

    def __init__(self, counts: npt.ArrayLike, first_symbol: int) -> None:
        """Check the tables and build the coder's models."""
        table = np.asarray(counts, dtype=np.int64)
        if table.ndim != 2 or table.shape[1] < 2 or table.shape[0] < 1:
            raise CorruptError(
                "a table set must have the shape (n_tables, n_symbols >= 2), "
                f"got {table.shape}"
            )
        if (table < 1).any() or (table.sum(axis=1) != TABLE_TOTAL).any():
            raise CorruptError(
                f"each probability table must hold counts >= 1 that sum to "
                f"{TABLE_TOTAL}; the bundle is damaged or was made by other code"
            )
        self.counts = table.astype(np.uint32)
        self.first_symbol = int(first_symbol)
        self.probabilities = table / float(TABLE_TOTAL)

    def __len__(self) -> int:
        """Return the number of tables."""
        return int(self.counts.shape[0])

    @property
    def n_symbols(self) -> int:
        """The size of the alphabet."""
        return int(self.counts.shape[1])

    @functools.cached_property
    def models(self) -> list[object]:
        """Models of the coder, one a table; coding a single symbol takes one."""
        return [_MODEL.Categorical(row, perfect=False) for row in self.probabilities]

    @functools.cached_property
    def code_lengths(self) -> npt.NDArray[np.float64]:
        """float64 array, (n_tables, n_symbols), bits: the ideal cost of each symbol."""
        return -np.log2(self.probabilities)

    def n_bits(self, symbols: npt.ArrayLike, table_idx: npt.ArrayLike) -> float:
        """Return the ideal code length of `symbols` in bits."""
        column = np.asarray(symbols) - self.first_symbol
        return float(self.code_lengths[np.asarray(table_idx), column].sum())


class RangeEncoder:
    """Collects symbols and gives back bytes."""

    def __init__(self) -> None:
        """Start an empty message."""
        self._coder = _QUEUE.RangeEncoder()
        # Bound once: the lossless coder calls these for every sample.
        self.encode_one = self._coder.encode

    def encode(
        self, symbols: npt.ArrayLike, tables: TableSet, table_idx: npt.ArrayLike
    ) -> None:
        """Append symbols.

        Args:
            symbols: integer array, any shape, within the alphabet of `tables`.
            tables: the tables.
            table_idx: integer, or an integer array of the shape of `symbols`.
        """
        column = np.asarray(symbols).ravel() - tables.first_symbol
        if column.size == 0:
            return
        if np.ndim(table_idx) == 0:
            model = tables.models[int(table_idx)]  # type: ignore[arg-type]
            self._coder.encode(column.astype(np.int32), model)
            return
        rows = tables.probabilities[np.asarray(table_idx).ravel()]
        self._coder.encode(column.astype(np.int32), _FAMILY, rows)

    def encode_bits(self, value: int, n_bits: int) -> None:
        """Append `n_bits` (0 to 32) equiprobable bits of a non-negative integer."""
        for shift in range(0, n_bits, 8):
            width = min(8, n_bits - shift)
            self._coder.encode((value >> shift) & ((1 << width) - 1), _uniform(width))

    def finish(self) -> bytes:
        """Return the message as the shortest bytes that decode to it."""
        n_words, (lower, span) = self._coder.pos()
        sealed = self._coder.get_compressed()
        n_bytes = 4 * n_words + _STATE_BYTES
        point = int.from_bytes(sealed.astype(">u4").tobytes(), "big")
        point <<= 8 * (n_bytes - 4 * len(sealed))
        low = point - ((point - lower) % (1 << 64))
        high = low + span - 1
        # The last interval is narrower than the state, so only the state's bytes can
        # be cut; zeros before them fall to rstrip.
        for kept in range(n_bytes - _STATE_BYTES, n_bytes + 1):
            unit = 1 << (8 * (n_bytes - kept))
            candidate = -(-low // unit) * unit
            if candidate <= high:
                break
        return bytes(candidate.to_bytes(n_bytes, "big")[:kept].rstrip(b"\0"))


class RangeDecoder:
    """Reads symbols back from bytes of `RangeEncoder.finish`.

    A message says nothing of its own length: any bytes decode to some symbols, and a
    checksum outside has to vouch for them. What constriction itself can tell to be
    impossible raises `CorruptError`.
    """

    def __init__(self, payload: bytes) -> None:
        """Start reading `payload`."""
        padded = payload + b"\0" * (-len(payload) % 4 + _STATE_BYTES)
        words = np.frombuffer(padded, dtype=">u4").astype(np.uint32)
        self._coder = _QUEUE.RangeDecoder(words)
        self.decode_one = self._coder.decode

    def decode(
        self,
        n_symbols: int,
        tables: TableSet,
        table_idx: int | Sequence[int] | IntArray,
    ) -> IntArray:
        """Return the next `n_symbols` symbols.

        Args:
            n_symbols: how many.
            tables: the tables.
            table_idx: one index for all, or one for each symbol.

        Returns:
            int32 array, shape (n_symbols,).

        Raises:
            CorruptError: If the bytes can't come from the encoder.
        """
        if n_symbols == 0:
            return np.zeros(0, np.int32)
        try:
            if isinstance(table_idx, int | np.integer):
                model = tables.models[int(table_idx)]
                column = self._coder.decode(model, n_symbols)
            else:
                rows = tables.probabilities[np.asarray(table_idx).ravel()]
                column = self._coder.decode(_FAMILY, rows)
        except (AssertionError, ValueError) as error:
            raise CorruptError(
                "the payload must be a range-coded message, got bytes that no encoder "
                "writes; the frame is damaged"
            ) from error
        return np.asarray(column + tables.first_symbol, dtype=np.int32)

    def decode_bits(self, n_bits: int) -> int:
        """Return the next `n_bits` equiprobable bits as a non-negative integer."""
        value = 0
        try:
            for shift in range(0, n_bits, 8):
                value |= (
                    int(self._coder.decode(_uniform(min(8, n_bits - shift)))) << shift
                )
        except AssertionError as error:
            raise CorruptError(
                "the payload must be a range-coded message, got bytes that no encoder "
                "writes; the frame is damaged"
            ) from error
        return value


@functools.cache
def _uniform(n_bits: int) -> object:
    return _MODEL.Categorical(np.full(1 << n_bits, 0.5**n_bits), perfect=False)
