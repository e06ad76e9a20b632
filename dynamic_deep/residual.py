# SPDX-License-Identifier: Apache-2.0
"""Which probability table the next prediction error is coded with.

The size of the next error is foretold from the errors and the slopes just before it:
two running means of each (fast and slow), their logarithms weighed by trained integers.
The estimate, the trend of the errors, and how far the prediction lies from a whole
sample choose one of `N_CONTEXTS` static tables. Errors far beyond the tables lose low
bits, which are sent as they are. Integers only; the tables come from
`python -m training.lossless_tables`.
"""

from __future__ import annotations

import functools
from bisect import bisect
from dataclasses import dataclass
from importlib import resources
from operator import mul
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dynamic_deep.entropy import RangeDecoder, RangeEncoder, TableSet
from dynamic_deep.errors import CorruptError
from dynamic_deep.prediction import ERROR_BITS

N_PROFILES = 2  # 0: noise-limited signals as of MIT-BIH, 1: smooth ones as of CinC 2017
MAX_SYMBOL = 47  # larger errors escape; the top level's mean is about 7
ESCAPE = 2 * MAX_SYMBOL + 1
N_SYMBOLS = ESCAPE + 1

LEVELS_PER_OCTAVE = 3
N_LEVELS = 15  # the top one expects an error of about 6 steps
MAX_DROPPED_BITS = 24
_NUMBER_BITS = 6
_TREND_EDGES = (-97, -55, -21, 17, 54)  # ratios 0.35, 0.55, 0.8, 1.2, 1.8
N_TRENDS = len(_TREND_EDGES) + 1
# By the distance of the prediction from the nearest whole sample, in sixteenths.
FRACTION_BIN = (0, 0, 1, 1, 1, 2, 2, 2, 2)
N_FRACTIONS = 3
N_CONTEXTS = N_LEVELS * N_TRENDS * N_FRACTIONS

LOG_ONE = 64  # one octave in the fixed point of the logarithms
_LOG_OFFSET = 1 << (ERROR_BITS - 2)  # a quarter of a step: below it sizes don't differ
_LOG_BITS = 12
_COEF_BITS = 10


def integer_log(value: int) -> int:
    """Return the floor of `LOG_ONE` times the base-2 logarithm, exactly."""
    return int(value**LOG_ONE).bit_length() - 1


@functools.cache
def _logs() -> list[int]:
    return [integer_log(size + _LOG_OFFSET) for size in range(1 << _LOG_BITS)]


@dataclass(frozen=True, kw_only=True)
class LosslessTables:
    """The trained integers.

    Attributes:
        priors: int64 array, shape (N_PROFILES, ORDER + 1, ORDER + 1): see
            `prediction.AdaptivePredictor`.
        scale_coefs: for each profile the weights of the fast and the slow error and of
            the fast and the slow slope, and a constant.
        counts: uint16 array, shape (2 * N_PROFILES, N_CONTEXTS, N_SYMBOLS); row
            2 * profile is for lossless coding, the one after it for near-lossless.
    """

    priors: npt.NDArray[np.int64]
    scale_coefs: list[list[int]]
    counts: npt.NDArray[np.uint16]

    @functools.cached_property
    def _sets(self) -> dict[int, TableSet]:
        return {}

    def tables(self, profile: int, *, near: bool) -> TableSet:
        """Return the probability tables of a profile, built on first use."""
        idx = 2 * profile + near
        if idx not in self._sets:
            self._sets[idx] = TableSet(self.counts[idx], -MAX_SYMBOL)
        return self._sets[idx]


@functools.cache
def load_tables() -> LosslessTables:
    """Read the tables that are shipped with the package."""
    source = resources.files("dynamic_deep") / "tables" / "lossless.npz"
    with source.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return LosslessTables(
            priors=arrays["priors"].astype(np.int64),
            scale_coefs=arrays["scale_coefs"].tolist(),
            counts=arrays["counts"],
        )


class ScaleTracker:
    """Follows the size of the errors and the slopes of one window.

    Args:
        coefs: one row of `LosslessTables.scale_coefs`.
        step: the quantiser's step in ADC units; sizes are counted in steps.

    Attributes:
        logs: the logarithms of the four running means, for the training.
    """

    def __init__(self, coefs: list[int], step: int) -> None:
        """Start as after a stretch of errors of about two steps."""
        *self._weights, self._constant = coefs
        self._step = step
        self._table = _logs()
        # The means carry 4 bits below the errors' own.
        start = 2 << (ERROR_BITS + 4)
        self._means = (start, start, start, start)
        self.logs: tuple[int, ...] = (0, 0, 0, 0)

    def update(self, error: int, difference: int) -> tuple[int, int]:
        """Take in one sample and return the context of the next.

        Args:
            error: absolute error of the prediction, in units of 2**-ERROR_BITS.
            difference: absolute difference of the sample to the one before it.

        Returns:
            The first of the `N_FRACTIONS` tables of the context, and the number of low
            bits that an error loses before it is looked up there.
        """
        step = self._step
        error = (error << 4) // step
        difference = (difference << (ERROR_BITS + 4)) // step
        e_fast, e_slow, d_fast, d_slow = self._means
        e_fast += (error - e_fast) >> 1
        e_slow += (error - e_slow) >> 3
        d_fast += (difference - d_fast) >> 1
        d_slow += (difference - d_slow) >> 3
        self._means = means = (e_fast, e_slow, d_fast, d_slow)
        table, octaves = self._table, 0
        try:
            logs: tuple[int, ...] = (
                table[e_fast >> 4],
                table[e_slow >> 4],
                table[d_fast >> 4],
                table[d_slow >> 4],
            )
        except IndexError:
            # Beyond the table all four lose the same octaves: the weights, which lean
            # towards usual sizes, hold for any amplitude then.
            octaves = max(means).bit_length() - _LOG_BITS - 4
            logs = tuple(table[mean >> (4 + octaves)] for mean in means)
        self.logs = logs
        level = (sum(map(mul, self._weights, logs)) + self._constant) >> _COEF_BITS
        level += octaves * LEVELS_PER_OCTAVE
        n_dropped = 0
        if level >= N_LEVELS:
            n_dropped = (level - N_LEVELS) // LEVELS_PER_OCTAVE + 1
            level -= n_dropped * LEVELS_PER_OCTAVE
            n_dropped = min(n_dropped, MAX_DROPPED_BITS)
        elif level < 0:
            level = 0
        trend = bisect(_TREND_EDGES, logs[0] - logs[1])
        return (level * N_TRENDS + trend) * N_FRACTIONS, n_dropped


class SymbolCoder(Protocol):
    """One end of the loop: writes the errors it is given, or reads and returns them."""

    def code(self, context: int, n_dropped: int, error: int) -> int:
        """Code one error in steps; a reader ignores `error`."""


class SymbolWriter:
    """Writes the errors."""

    def __init__(self) -> None:
        """Start an empty message."""
        self.encoder = RangeEncoder()
        self._models: list[Any] = []
        self._encode_one: Any = self.encoder.encode_one

    def use(self, tables: TableSet) -> None:
        """Take the tables that the header names."""
        self._models = tables.models

    def number(self, value: int) -> None:
        """Write a non-negative integer below 2**63."""
        n_bits = value.bit_length()
        self.encoder.encode_bits(n_bits, _NUMBER_BITS)
        low = min(n_bits, 32)
        self.encoder.encode_bits(value & ((1 << low) - 1), low)
        self.encoder.encode_bits(value >> low, n_bits - low)

    def code(self, context: int, n_dropped: int, error: int) -> int:
        """Write one error, and return it."""
        kept = error >> n_dropped
        if -MAX_SYMBOL <= kept <= MAX_SYMBOL:
            self._encode_one(kept + MAX_SYMBOL, self._models[context])
        else:
            self._encode_one(ESCAPE, self._models[context])
            self.encoder.encode_bits(int(kept < 0), 1)
            self.number(abs(kept) - MAX_SYMBOL - 1)
        if n_dropped:
            self.encoder.encode_bits(error & ((1 << n_dropped) - 1), n_dropped)
        return error


class SymbolReader:
    """Reads the errors."""

    def __init__(self, payload: bytes) -> None:
        """Start at the first bit of `payload`."""
        self.decoder = RangeDecoder(payload)
        self._models: list[Any] = []
        self._decode_one: Any = self.decoder.decode_one

    def use(self, tables: TableSet) -> None:
        """Take the tables that the header names."""
        self._models = tables.models

    def number(self, limit: int) -> int:
        """Read a number, at most `limit`."""
        n_bits = self.decoder.decode_bits(_NUMBER_BITS)
        low = min(n_bits, 32)
        value = self.decoder.decode_bits(low)
        value |= self.decoder.decode_bits(n_bits - low) << low
        if value > limit:
            raise CorruptError(
                f"a number must be at most {limit}, got {value}; the frame is damaged"
            )
        return value

    def code(self, context: int, n_dropped: int, _error: int) -> int:
        """Read one error."""
        kept = int(self._decode_one(self._models[context])) - MAX_SYMBOL
        if kept > MAX_SYMBOL:
            negative = self.decoder.decode_bits(1)
            kept = self.number(1 << 34) + MAX_SYMBOL + 1
            kept = -kept if negative else kept
        if n_dropped:
            kept = (kept << n_dropped) | self.decoder.decode_bits(n_dropped)
        return kept
