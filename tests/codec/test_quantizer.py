# SPDX-License-Identifier: Apache-2.0
"""`quantizer`: a window's scale, the dead zone, integers outside the alphabet."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_deep.entropy import RangeDecoder, RangeEncoder, normalize_counts
from dynamic_deep.errors import CorruptError
from dynamic_deep.quantizer import (
    N_SCALES,
    OFFSET_LIMIT,
    OFFSETS_PER_SCALE,
    ScaleCoder,
    SymbolCoder,
    WindowScale,
    decode_escape,
    encode_escape,
    quantize,
    symbol_counts,
)


def uniform_coder() -> ScaleCoder:
    """Return a coder that knows nothing of the data."""
    offsets = normalize_counts(np.ones((1, 2 * OFFSET_LIMIT + 2)))
    return ScaleCoder(normalize_counts(np.ones((1, N_SCALES))), offsets)


@pytest.mark.parametrize("spread", [1.0, 3.0, 47.0, 1234.5, 2.0e6, 5.0e8])
@pytest.mark.parametrize("mean", [0.0, -1.0, 17.3, 1e4, -3e7])
def test_scale_and_offset_are_near_the_windows_own(
    spread: float, mean: float, rng: np.random.Generator
) -> None:
    noise = rng.normal(0, 1, 5000)
    x = spread * (noise - noise.mean()) / noise.std() + mean
    window = WindowScale.of(x)
    assert 2**-0.126 <= window.scale / spread <= 2**0.126
    # Half a step, and what the mean of float numbers loses.
    assert abs(window.offset - mean) <= window.scale / OFFSETS_PER_SCALE * 0.5001
    normalized = window.normalize(x)
    assert normalized.dtype == np.float32
    assert abs(normalized.mean()) < 0.04
    assert np.abs(window.restore(normalized) - x).max() <= 1e-5 * window.scale


def test_a_flat_or_wild_window_has_a_scale() -> None:
    assert WindowScale.of(np.full(100, 5.0)) == WindowScale(scale_idx=0, offset_idx=80)
    wild = np.array([-(2.0**40), 2.0**40])
    assert WindowScale.of(wild).scale_idx == N_SCALES - 1


@given(st.integers(0, N_SCALES - 1), st.integers(-(2**37), 2**37))
def test_any_scale_and_offset_come_back(scale_idx: int, offset_idx: int) -> None:
    window = WindowScale(scale_idx=scale_idx, offset_idx=offset_idx)
    encoder = RangeEncoder()
    uniform_coder().encode(encoder, window)
    message = encoder.finish()
    assert uniform_coder().decode(RangeDecoder(message)) == window
    if abs(offset_idx) <= OFFSET_LIMIT:
        assert len(message) <= 2  # 7 bits and 6 bits


def test_a_scale_table_of_another_size_is_refused() -> None:
    offsets = normalize_counts(np.ones((1, 2 * OFFSET_LIMIT + 2)))
    with pytest.raises(CorruptError, match=str(N_SCALES)):
        ScaleCoder(normalize_counts(np.ones((1, N_SCALES - 1))), offsets)


@given(st.integers(0, 200), st.integers(1, 2**47), st.booleans())
def test_any_escaped_integer_comes_back(limit: int, excess: int, minus: bool) -> None:
    value = -(limit + excess) if minus else limit + excess
    encoder = RangeEncoder()
    encode_escape(encoder, value, limit)
    message = encoder.finish()
    assert decode_escape(RangeDecoder(message), limit) == value
    assert 8 * len(message) <= 7 + excess.bit_length() + 8


@pytest.mark.parametrize("n_bits", [0, 49, 63])
def test_an_escape_that_no_encoder_writes_is_refused(n_bits: int) -> None:
    encoder = RangeEncoder()
    encoder.encode_bits(n_bits << 1, 7)
    encoder.encode_bits(0xFFFF, 16)
    with pytest.raises(CorruptError, match=str(n_bits)):
        decode_escape(RangeDecoder(encoder.finish()), 15)


def test_the_dead_zone_by_hand() -> None:
    y = np.array([0.0, 0.49, 0.51, -0.51, 0.61, 0.63, -0.63, 1.61, 1.63, -7.5])
    assert quantize(y, 0.62).tolist() == [0, 0, 0, 0, 0, 1, -1, 1, 2, -7]
    assert quantize(y, 0.5).tolist() == [0, 0, 1, -1, 1, 1, -1, 2, 2, -8]
    assert quantize(y.astype(np.float32), 0.5).dtype == np.int32


def make_coder(limit: int = 4, n_tables: int = 3) -> SymbolCoder:
    rng = np.random.default_rng(5)
    return SymbolCoder(normalize_counts(rng.random((n_tables, 2 * limit + 2))))


@given(
    st.lists(
        st.one_of(st.integers(-6, 6), st.integers(-(2**30), 2**30)),
        min_size=0,
        max_size=40,
    )
)
def test_any_integers_come_back(numbers: list[int]) -> None:
    values = np.array(numbers, np.int32)
    coder = make_coder()
    table_idx = np.arange(len(values), dtype=np.int32) % 3
    encoder = RangeEncoder()
    coder.encode(encoder, values, table_idx)
    coder.encode(encoder, values, 1)
    decoder = RangeDecoder(encoder.finish())
    assert (coder.decode(decoder, len(values), table_idx) == values).all()
    assert (coder.decode(decoder, len(values), 1) == values).all()


def test_hostile_escapes_stay_within_int32() -> None:
    coder = make_coder()
    encoder = RangeEncoder()
    encoder.encode([5, 5], coder.tables, 0)
    for value in (2**47, -(2**47)):
        encode_escape(encoder, value, 4)
    values = coder.decode(RangeDecoder(encoder.finish()), 2, 0)
    assert values.tolist() == [2**30, -(2**30)]


def test_random_bytes_give_integers_or_the_documented_error(
    rng: np.random.Generator,
) -> None:
    coder = make_coder()
    n_refused = 0
    for _ in range(300):
        try:
            coder.decode(RangeDecoder(rng.bytes(12)), 20, 2)
        except CorruptError:
            n_refused += 1
        with contextlib.suppress(CorruptError):
            uniform_coder().decode(RangeDecoder(rng.bytes(6)))
    assert 0 < n_refused < 300


def test_symbols_are_counted_by_table() -> None:
    values = np.array([[0, 1, -2], [9, -9, 2]])
    tables = np.array([[0, 0, 0], [0, 1, 1]])
    counts = symbol_counts(values, tables, n_tables=2, limit=2)
    assert counts.tolist() == [[1, 0, 1, 1, 0, 1], [0, 0, 0, 0, 1, 1]]
