# SPDX-License-Identifier: Apache-2.0
"""`latent`: the tables follow from integers that both sides have, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from dynamic_deep.errors import CorruptError
from dynamic_deep.latent import (
    FIRST_TABLE_AT,
    MAGNITUDE_CAP,
    N_TABLES,
    TABLE_STEP,
    ContextWeights,
    LatentCoder,
)
from tests.context_nets import make_latent, make_linear_coder


def slow_table_idx(context: ContextWeights, y: list[list[int]]) -> list[list[int]]:
    """The documented rule, symbol by symbol, in Python's own integers."""
    n_steps, n_channels = len(y), len(context.bias)
    group = [c * context.n_groups // n_channels for c in range(n_channels)]
    earlier, same = context.earlier.tolist(), context.same.tolist()
    rows = []
    for t in range(n_steps):
        row = []
        for to in range(n_channels):
            scale = int(context.bias[to])
            for tap in (0, 1, 2):
                near = t + tap - 1
                if not 0 <= near < n_steps:
                    continue
                for c in range(n_channels):
                    magnitude = min(abs(int(y[near][c])), MAGNITUDE_CAP)
                    if group[c] < group[to]:
                        scale += earlier[tap][c][to] * magnitude
                    elif group[c] == group[to] and t % 2 == 1 and near % 2 == 0:
                        scale += same[tap][c][to] * magnitude
            idx = (scale - FIRST_TABLE_AT) // TABLE_STEP
            row.append(min(max(idx, 0), N_TABLES - 1))
        rows.append(row)
    return rows


@pytest.mark.parametrize(
    ("n_steps", "n_channels", "n_groups", "largest"),
    [(9, 7, 3, 12), (8, 4, 4, 30), (1, 5, 2, 12), (12, 6, 1, 12), (6, 5, 8, 2**14)],
)
def test_tables_are_those_of_whole_numbers(
    n_steps: int, n_channels: int, n_groups: int, largest: int
) -> None:
    coder = make_linear_coder(n_channels, n_groups, largest=largest)
    for seed in range(4):
        y = make_latent(n_steps, n_channels, seed=seed, spread=4.0)
        expected = slow_table_idx(coder.context, y.tolist())
        assert coder.table_idx(y).tolist() == expected
        # Nor does the layout in memory, by which BLAS chooses its order, matter.
        assert coder.table_idx(np.asfortranarray(y)).tolist() == expected
        assert coder.table_idx(np.repeat(y, 2, axis=1)[:, ::2]).tolist() == expected
    assert len(np.unique(expected)) >= 3


def test_passes_cover_each_symbol_once_in_the_documented_order() -> None:
    coder = make_linear_coder(7, 3)
    y = make_latent(6, 7)
    order = np.full(y.shape, -1)
    for number, (steps, channels, idx) in enumerate(coder.passes(y)):
        assert idx.shape == y[steps, channels].shape
        assert (order[steps, channels] == -1).all()
        order[steps, channels] = number
    # Groups of channels 0-2, 3-4, 5-6; even steps first.
    assert order[0].tolist() == [0, 0, 0, 2, 2, 4, 4]
    assert order[1].tolist() == [1, 1, 1, 3, 3, 5, 5]
    assert (order[2::2] == order[0]).all()
    assert (order[3::2] == order[1]).all()


@pytest.mark.parametrize(("n_channels", "n_groups"), [(7, 3), (4, 4), (6, 1)])
def test_no_pass_looks_ahead(n_channels: int, n_groups: int) -> None:
    coder = make_linear_coder(n_channels, n_groups, largest=40)
    y = make_latent(11, n_channels)
    order = np.empty(y.shape, int)
    for number, (steps, channels, _) in enumerate(coder.passes(y)):
        order[steps, channels] = number
    before = coder.table_idx(y)
    n_moved = 0
    for t, c in np.ndindex(y.shape):
        changed = y.copy()
        changed[t, c] += 5
        moved = coder.table_idx(changed) != before
        assert (order[moved] > order[t, c]).all(), (t, c)
        steps = np.nonzero(moved)[0]
        assert (np.abs(steps - t) <= 1).all(), (t, c)
        n_moved += bool(moved.any())
    assert n_moved > y.size // 4


def test_signs_and_sizes_past_the_cap_change_no_table() -> None:
    coder = make_linear_coder(6, 3)
    y = make_latent(20, 6, spread=5.0)
    assert (coder.table_idx(-y) == coder.table_idx(y)).all()
    huge = np.where(np.abs(y) >= MAGNITUDE_CAP, y * 10**6, y)
    assert (coder.table_idx(huge) == coder.table_idx(y)).all()


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    good = make_linear_coder(4, 2)
    counts = good.symbols.tables.counts
    with pytest.raises(CorruptError, match="tables"):
        LatentCoder(good.context, counts[:-1])
    with pytest.raises(CorruptError, match="shape"):
        ContextWeights(
            earlier=good.context.earlier[:2],
            same=good.context.same,
            bias=good.context.bias,
            n_groups=2,
        )
