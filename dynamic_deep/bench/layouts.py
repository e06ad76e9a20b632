# SPDX-License-Identifier: Apache-2.0
"""How the samples are laid out as bytes before a byte compressor sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer[Any]]


def pack_raw(samples: IntArray) -> bytes:
    """Return the samples as little-endian bytes."""
    return samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes()


def unpack_raw(raw: bytes, dtype: np.dtype[Any]) -> IntArray:
    """Return the samples that `pack_raw` was given."""
    return np.frombuffer(raw, dtype=dtype.newbyteorder("<")).astype(dtype)


def pack_second_difference(samples: IntArray) -> bytes:
    """Return the second difference, zigzag-coded, low bytes first, then high bytes.

    The arithmetic wraps at the width of the samples, so that nothing ever overflows.

    Example:
        >>> pack_second_difference(np.array([1, 2, 2], np.int16)).hex(" ")
        '02 00 01 00 00 00'
    """
    width = samples.dtype.itemsize
    unsigned = samples.view(np.dtype(f"u{width}"))
    twice = np.diff(unsigned, n=2, prepend=np.zeros(2, unsigned.dtype))
    signed = twice.view(samples.dtype)
    zigzag = (signed << 1) ^ (signed >> (8 * width - 1))
    planes = np.frombuffer(pack_raw(zigzag), np.uint8).reshape(-1, width)
    return planes.T.tobytes()


def unpack_second_difference(raw: bytes, dtype: np.dtype[Any]) -> IntArray:
    """Return the samples that `pack_second_difference` was given."""
    width = dtype.itemsize
    planes = np.frombuffer(raw, np.uint8).reshape(width, -1)
    zigzag = unpack_raw(planes.T.tobytes(), np.dtype(f"u{width}"))
    twice = (zigzag >> 1) ^ (np.zeros_like(zigzag) - (zigzag & 1))
    once = np.cumsum(twice, dtype=zigzag.dtype)
    return np.cumsum(once, dtype=zigzag.dtype).view(dtype)
