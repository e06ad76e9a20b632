# SPDX-License-Identifier: Apache-2.0
"""What holds for every coder of a latent, whatever chooses its tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_deep.bundle_tables import AnyLatentCoder
from dynamic_deep.entropy import RangeDecoder, RangeEncoder
from dynamic_deep.errors import CorruptError
from tests.context_nets import LIMIT, make_coder, make_latent, make_linear_coder

Maker = Callable[[int, int], AnyLatentCoder]  # of channels and groups
MAKERS: tuple[Maker, Maker] = (make_linear_coder, make_coder)


@pytest.mark.parametrize("make", MAKERS)
@given(
    st.integers(0, 10_000),
    st.sampled_from([1, 2, 3, 35, 36]),
    st.sampled_from([(1, 1), (5, 2), (18, 4), (3, 4)]),
    st.sampled_from([0.3, 2.0, 30.0]),
)
def test_any_latent_comes_back(
    make: Maker, seed: int, n_steps: int, shape: tuple[int, int], spread: float
) -> None:
    n_channels, n_groups = shape
    coder = make(n_channels, n_groups)
    y = make_latent(n_steps, n_channels, seed=seed, spread=spread)
    encoder = RangeEncoder()
    coder.encode(encoder, y)
    decoded = coder.decode(RangeDecoder(encoder.finish()), n_steps)
    assert decoded.dtype == np.int32
    assert (decoded == y).all()


@pytest.mark.parametrize(("make", "escape"), [(MAKERS[0], 16), (MAKERS[1], 14)])
def test_a_window_costs_what_its_tables_say(make: Maker, escape: int) -> None:
    coder = make(18, 4)
    y = np.clip(make_latent(140, 18), -LIMIT, LIMIT)
    encoder = RangeEncoder()
    coder.encode(encoder, y)
    n_bits = coder.n_bits(y)
    assert n_bits / 8 - 1 <= len(encoder.finish()) <= n_bits / 8 + 1
    y[0, 0] = LIMIT + 9
    assert coder.n_bits(y) > n_bits + escape


@pytest.mark.parametrize("make", MAKERS)
def test_random_bytes_give_a_latent_or_the_documented_error(
    make: Maker, rng: np.random.Generator
) -> None:
    coder = make(8, 4)
    n_decoded = 0
    for _ in range(200):
        try:
            y = coder.decode(RangeDecoder(rng.bytes(60)), 35)
        except CorruptError:
            continue
        n_decoded += 1
        assert y.shape == (35, 8)
        assert np.abs(y).max() <= 2**30
    assert n_decoded > 0
