# SPDX-License-Identifier: Apache-2.0
"""The lossless coder that a small device can afford: differences and Rice codes.

Beside the levels of the format, as the cheapest thing to beat: what FLAC does with its
fixed predictors, in blocks, with a few dozen cycles a sample and no memory to speak of.
Only the energy report uses it.

A block: order of the difference (2 bits), Rice parameter (5 bits), code words; a code
word is the quotient in ones, a zero, and the remainder. Orders beyond 0 go on over the
border of a block; the samples before the window are 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import CorruptError, InvalidSignalError

BLOCK = 256
MAX_ORDER = 3
_ORDER_BITS, _PARAMETER_BITS = 2, 5
_MAX_PARAMETER = (1 << _PARAMETER_BITS) - 1
_MAX_MAGNITUDE = 1 << 26  # of a sample; third differences and code words stay int64

Int64Array = npt.NDArray[np.int64]


def encode_rice(samples: npt.ArrayLike) -> bytes:
    """Code one window of one lead.

    Args:
        samples: integer array, (n_samples,), ADC units, of 27 bits at most.

    Raises:
        InvalidSignalError: If it is not such an array.
    """
    x = np.asarray(samples)
    if x.ndim != 1 or not len(x) or not np.issubdtype(x.dtype, np.integer):
        raise InvalidSignalError(
            f"samples must be a 1-D integer array, got {x.shape} of {x.dtype}"
        )
    if max(abs(int(x.min())), abs(int(x.max()))) > _MAX_MAGNITUDE:
        raise InvalidSignalError(
            f"samples must lie within {_MAX_MAGNITUDE}, got {x.min()} to {x.max()}"
        )
    residuals = _differences(x.astype(np.int64))
    bits: list[npt.NDArray[np.uint8]] = []
    for start in range(0, len(x), BLOCK):
        block = residuals[:, start : start + BLOCK]
        order = int(np.abs(block).sum(axis=1).argmin())
        folded = _fold(block[order])
        parameter = _parameter(folded)
        bits.append(_number(order, _ORDER_BITS))
        bits.append(_number(parameter, _PARAMETER_BITS))
        bits.append(_code_words(folded, parameter))
    return np.packbits(np.concatenate(bits)).tobytes()


def decode_rice(payload: bytes, n_samples: int) -> Int64Array:
    """Return the window that `encode_rice` coded: int64, (n_samples,).

    Raises:
        CorruptError: If the payload ends too soon.
    """
    bits = np.unpackbits(np.frombuffer(payload, np.uint8))
    past = [0] * MAX_ORDER  # newest last
    found: list[int] = []
    at = 0
    try:
        while len(found) < n_samples:
            order = _value(bits, at, _ORDER_BITS)
            parameter = _value(bits, at + _ORDER_BITS, _PARAMETER_BITS)
            at += _ORDER_BITS + _PARAMETER_BITS
            for _ in range(min(BLOCK, n_samples - len(found))):
                quotient = 0
                while bits[at]:
                    quotient, at = quotient + 1, at + 1
                folded = (quotient << parameter) | _value(bits, at + 1, parameter)
                at += 1 + parameter
                value = (folded >> 1) ^ -(folded & 1)
                value += _predicted(past, order)
                past = [*past[1:], value]
                found.append(value)
    except IndexError as error:
        raise CorruptError(
            f"a Rice-coded window must hold {n_samples} samples, its bytes end after "
            f"{len(found)}"
        ) from error
    return np.array(found, np.int64)


def _differences(x: Int64Array) -> Int64Array:
    """Return the differences of order 0 to `MAX_ORDER`: (MAX_ORDER + 1, n)."""
    rows = [x]
    for _ in range(MAX_ORDER):
        rows.append(np.diff(rows[-1], prepend=0))
    return np.array(rows)


def _predicted(past: list[int], order: int) -> int:
    one, two, three = past[-1], past[-2], past[-3]
    return (0, one, 2 * one - two, 3 * one - 3 * two + three)[order]


def _fold(values: Int64Array) -> Int64Array:
    """0, -1, 1, -2, 2 ... become 0, 1, 2, 3, 4."""
    return np.where(values >= 0, 2 * values, -2 * values - 1)


def _parameter(folded: Int64Array) -> int:
    """Return the Rice parameter that needs the fewest bits."""
    around = max(0, int(folded.mean() + 1.0).bit_length() - 1)
    tried = range(max(0, around - 1), min(_MAX_PARAMETER, around + 1) + 1)
    return min(tried, key=lambda k: int((folded >> k).sum()) + k * len(folded))


def _code_words(folded: Int64Array, parameter: int) -> npt.NDArray[np.uint8]:
    quotients = folded >> parameter
    lengths = quotients + 1 + parameter
    ends = np.cumsum(lengths)
    stops = ends - lengths + quotients  # where the zero stands
    bits = np.zeros(int(ends[-1]), np.int8)
    bits[ends - lengths] += 1
    bits[stops] -= 1
    ones = np.cumsum(bits, dtype=np.int64).astype(np.uint8)
    for bit in range(parameter):
        ones[stops + parameter - bit] = (folded >> bit) & 1
    return ones


def _number(value: int, n_bits: int) -> npt.NDArray[np.uint8]:
    return np.array([(value >> b) & 1 for b in reversed(range(n_bits))], np.uint8)


def _value(bits: npt.NDArray[np.uint8], at: int, n_bits: int) -> int:
    value = 0
    for number in range(at, at + n_bits):
        value = (value << 1) | int(bits[number])
    return value
