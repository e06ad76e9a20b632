# SPDX-License-Identifier: Apache-2.0
"""The ring buffer: in order, of fixed size, and it counts what it loses."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from device_sim.ring import RingBuffer
from dynamic_deep.errors import ConfigError


def rows(first: int, stop: int) -> np.ndarray:
    """Samples of two leads that say their own position."""
    return np.arange(first, stop, dtype=np.int32)[:, None] * np.array([[1, -1]])


def test_what_goes_in_comes_out_in_order() -> None:
    ring = RingBuffer(10, 2, np.int32)
    ring.write(rows(0, 7))
    assert np.array_equal(ring.read(5), rows(0, 5))
    ring.write(rows(7, 15))  # goes round the end
    assert len(ring) == 10
    assert np.array_equal(ring.read(10), rows(5, 15))
    assert (ring.n_overrun, ring.high_water) == (0, 10)


def test_an_overrun_is_counted_and_the_newest_stay() -> None:
    ring = RingBuffer(10, 2, np.int32)
    ring.write(rows(0, 8))
    ring.write(rows(8, 13))  # 3 too many
    assert (ring.first, ring.n_overrun) == (3, 3)
    ring.write(rows(13, 63))  # five times the buffer at once
    assert (ring.first, ring.end, ring.n_overrun) == (53, 63, 53)
    assert np.array_equal(ring.read(10), rows(53, 63))


@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 12)), max_size=30))
def test_every_sample_is_read_or_counted_as_lost(steps: list[tuple[int, int]]) -> None:
    ring = RingBuffer(11, 2, np.int32)
    n_read = 0
    for n_written, n_wanted in steps:
        ring.write(rows(ring.end, ring.end + n_written))
        first = ring.first
        block = ring.read(min(n_wanted, len(ring)))
        assert np.array_equal(block, rows(first, first + len(block)))
        n_read += len(block)
    assert n_read + ring.n_overrun + len(ring) == ring.end


def test_it_gives_no_more_than_it_has() -> None:
    ring = RingBuffer(4, 1, np.int16)
    ring.write(np.zeros((2, 1), np.int16))
    with pytest.raises(ConfigError, match=r"0 to 2 samples, .* got 3"):
        ring.read(3)
    with pytest.raises(ConfigError, match="at least 1 sample"):
        RingBuffer(0, 1, np.int16)
