# SPDX-License-Identifier: Apache-2.0
"""`entropy`: tables, exact round trips, messages as short as theory lets them be."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_deep.entropy import (
    TABLE_TOTAL,
    RangeDecoder,
    RangeEncoder,
    TableSet,
    normalize_counts,
)
from dynamic_deep.errors import CorruptError


def make_tables(rng: np.random.Generator, n_tables: int, n_symbols: int) -> TableSet:
    """Tables from nearly flat to very peaked."""
    sharpness = rng.uniform(0.0, 6.0, (n_tables, 1))
    weights = np.exp(sharpness * rng.standard_normal((n_tables, n_symbols)))
    return TableSet(normalize_counts(weights), -(n_symbols // 2))


def draw(
    rng: np.random.Generator, tables: TableSet, table_idx: np.ndarray
) -> np.ndarray:
    """Symbols that are as likely as the tables say."""
    edges = np.cumsum(tables.probabilities, axis=1)[table_idx]
    column = (rng.random(len(table_idx))[:, None] >= edges).sum(axis=1)
    return np.minimum(column, tables.n_symbols - 1) + tables.first_symbol


@given(
    st.lists(
        st.lists(st.floats(0, 1e12), min_size=5, max_size=5), min_size=1, max_size=4
    )
)
def test_normalized_counts_are_tables(rows: list[list[float]]) -> None:
    table = normalize_counts(rows)
    assert table.shape == np.shape(rows)
    assert table.min() >= 1
    assert (table.sum(axis=1) == TABLE_TOTAL).all()
    TableSet(table, 0)


def test_normalized_counts_keep_the_shares() -> None:
    table = normalize_counts([1, 2, 5, 0])
    assert table.shape == (4,)
    # 8 counts share what is left once each of 4 symbols has its 1.
    expected = 1 + np.array([1, 2, 5, 0]) / 8 * (TABLE_TOTAL - 4)
    assert np.abs(table - expected).max() < 1
    assert (normalize_counts([0, 0, 0, 0]) == TABLE_TOTAL // 4).all()


@pytest.mark.parametrize(
    "counts",
    [
        [[TABLE_TOTAL - 1, 2]],
        [[TABLE_TOTAL, 0]],
        [[TABLE_TOTAL + 1, -1]],
        [TABLE_TOTAL // 2] * 2,
        [[TABLE_TOTAL]],
        np.zeros((0, 4)),
    ],
)
def test_what_is_no_table_is_refused(counts: object) -> None:
    with pytest.raises(CorruptError, match="table"):
        TableSet(counts, 0)  # type: ignore[arg-type]


@given(st.integers(0, 2**32 - 1), st.integers(0, 400), st.integers(2, 300))
def test_any_message_comes_back(seed: int, n_values: int, n_symbols: int) -> None:
    rng = np.random.default_rng(seed)
    tables = make_tables(rng, 7, n_symbols)
    table_idx = rng.integers(0, 7, n_values)
    # Any symbols, not only the likely ones.
    symbols = rng.integers(0, n_symbols, n_values) + tables.first_symbol
    encoder = RangeEncoder()
    encoder.encode_bits(seed, 32)
    encoder.encode(symbols, tables, table_idx)
    encoder.encode(symbols[::-1], tables, 3)
    decoder = RangeDecoder(encoder.finish())
    assert decoder.decode_bits(32) == seed
    assert (decoder.decode(n_values, tables, table_idx) == symbols).all()
    assert (decoder.decode(n_values, tables, 3) == symbols[::-1]).all()


@given(st.lists(st.tuples(st.integers(0, 32), st.integers(0, 2**32 - 1)), max_size=60))
def test_bits_come_back(fields: list[tuple[int, int]]) -> None:
    encoder = RangeEncoder()
    for n_bits, value in fields:
        encoder.encode_bits(value % (1 << n_bits), n_bits)
    message = encoder.finish()
    assert 8 * len(message) <= sum(n for n, _ in fields) + 8
    decoder = RangeDecoder(message)
    for n_bits, value in fields:
        assert decoder.decode_bits(n_bits) == value % (1 << n_bits)


@pytest.mark.parametrize("n_values", [0, 1, 2, 5, 20, 100, 1000, 9000])
def test_a_message_is_within_a_byte_of_the_ideal(n_values: int) -> None:
    rng = np.random.default_rng(n_values)
    for _ in range(20 if n_values <= 100 else 3):
        tables = make_tables(rng, 5, 33)
        table_idx = rng.integers(0, 5, n_values)
        symbols = draw(rng, tables, table_idx)
        encoder = RangeEncoder()
        encoder.encode(symbols, tables, table_idx)
        message = encoder.finish()
        assert len(message) <= tables.n_bits(symbols, table_idx) / 8 + 1
        assert not message.endswith(b"\0")  # the reader supplies zeros
        decoded = RangeDecoder(message).decode(n_values, tables, table_idx)
        assert (decoded == symbols).all()


def test_the_ideal_length_by_hand() -> None:
    tables = TableSet([[TABLE_TOTAL // 2, TABLE_TOTAL // 4, TABLE_TOTAL // 4]], -1)
    assert tables.n_bits([-1, 0, 1, 1], np.zeros(4, int)) == 1 + 2 + 2 + 2
    assert (len(tables), tables.n_symbols) == (1, 3)


def test_the_likeliest_message_is_empty() -> None:
    tables = TableSet(normalize_counts([[1e9, 1, 1]]), 0)
    encoder = RangeEncoder()
    encoder.encode(np.zeros(100, int), tables, 0)
    assert encoder.finish() == b""
    assert not RangeDecoder(b"").decode(100, tables, 0).any()


def test_the_bytes_are_those_of_every_other_machine() -> None:
    tables = TableSet(normalize_counts([[4, 2, 1, 1], [1, 1, 1, 5]]), 0)
    symbols = np.arange(40) * 7 % 4
    encoder = RangeEncoder()
    encoder.encode_bits(0x5A, 7)
    encoder.encode(symbols, tables, np.arange(40) % 2)
    assert encoder.finish().hex() == "b4db90c96f48be88cf86c1"


def test_random_bytes_give_symbols_or_the_documented_error() -> None:
    rng = np.random.default_rng(3)
    tables = make_tables(rng, 4, 20)
    for _ in range(300):
        decoder = RangeDecoder(rng.bytes(int(rng.integers(0, 40))))
        with contextlib.suppress(CorruptError):
            values = decoder.decode(100, tables, rng.integers(0, 4, 100))
            values = np.append(values, decoder.decode(30, tables, 2))
            assert 0 <= decoder.decode_bits(13) < 1 << 13
            assert values.min() >= tables.first_symbol
            assert values.max() < tables.first_symbol + tables.n_symbols
