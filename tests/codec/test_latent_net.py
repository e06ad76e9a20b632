# SPDX-License-Identifier: Apache-2.0
"""`latent_net`: tables follow from whole numbers that both sides have."""

from __future__ import annotations

import bisect
import dataclasses

import numpy as np
import pytest

from dynamic_deep.entropy import normalize_counts
from dynamic_deep.errors import CorruptError
from dynamic_deep.latent import N_TABLES
from dynamic_deep.latent_context import (
    HIDDEN_CAP,
    MAX_HIDDEN,
    N_SIGNS,
    ROW,
    ContextNet,
)
from dynamic_deep.latent_net import NetCoder
from tests.context_nets import make_coder, make_latent, make_net


def slow_class(value: int, n_sizes: int) -> int:
    size = min(abs(value).bit_length(), n_sizes)
    return n_sizes - size if value < 0 else n_sizes + size - 1


def slow_indices(net: ContextNet, y: list[list[int]]) -> list[list[tuple[int, int]]]:
    """The documented rule, symbol by symbol, in Python's own integers."""
    n_steps, n_channels = len(y), net.n_channels
    bounds = net.bounds.tolist()
    group = [bisect.bisect_right(bounds, c) - 1 for c in range(n_channels)]
    near, first = net.near.tolist(), net.first.tolist()
    out, bias = net.out.tolist(), net.out_bias.tolist()
    rows = []
    for t in range(n_steps):
        row = []
        for to in range(n_channels):
            odd = t % 2
            hidden = list(first[2 * group[to] + odd])
            for tap in range(len(near)):
                at = t + tap - len(near) // 2
                if not 0 <= at < n_steps:
                    continue
                for c in range(n_channels):
                    is_earlier = group[c] < group[to]
                    is_even = group[c] == group[to] and odd == 1 and at % 2 == 0
                    value = int(y[at][c])
                    if value == 0 or not (is_earlier or is_even):
                        continue
                    kind = slow_class(value, net.n_sizes)
                    for j, weight in enumerate(near[tap][c][kind]):
                        hidden[j] += weight
            heard = [min(max(h, 0), HIDDEN_CAP) for h in hidden]
            sums = [
                bias[odd][to][k]
                + sum(h * o[to][k] for h, o in zip(heard, out[odd], strict=True))
                for k in (0, 1)
            ]
            sign = sums[1] // ROW + N_SIGNS // 2
            row.append(
                (
                    min(max(sums[0] // ROW, 0), N_TABLES - 1),
                    min(max(sign, 0), N_SIGNS - 1),
                )
            )
        rows.append(row)
    return rows


@pytest.mark.parametrize(
    ("n_steps", "n_channels", "n_groups", "n_sizes"),
    [
        (9, 7, 3, 2),
        (8, 4, 4, 1),
        (1, 5, 2, 2),
        (12, 6, 1, 3),
        (5, 3, 8, 4),
        (40, 6, 2, 2),
    ],
)
def test_tables_are_those_of_whole_numbers(
    n_steps: int, n_channels: int, n_groups: int, n_sizes: int
) -> None:
    coder = make_coder(n_channels, n_groups, n_sizes=n_sizes)
    for seed in range(4):
        y = make_latent(n_steps, n_channels, seed=seed, spread=2.0**seed / 2)
        expected = np.array(slow_indices(coder.context, y.tolist()))
        tables, signs = coder.indices(y)
        assert tables.tolist() == expected[..., 0].tolist()
        assert signs.tolist() == expected[..., 1].tolist()
        # Nor does the layout in memory, by which BLAS chooses its order, matter.
        again = coder.indices(np.asfortranarray(y))
        assert all((a == b).all() for a, b in zip(again, (tables, signs), strict=True))
    assert len(np.unique(tables)) >= 3
    assert len(np.unique(signs)) >= 2


def test_no_pass_looks_ahead_or_too_far() -> None:
    coder = make_coder(7, 3)
    y = make_latent(23, 7)
    order = np.full(y.shape, -1)
    for number, one in enumerate(coder.passes(y)):
        assert (order[one.steps, one.channels] == -1).all()
        order[one.steps, one.channels] = number
    # Groups of channels 0-2, 3-4, 5-6; even steps first.
    assert order[0].tolist() == [0, 0, 0, 2, 2, 4, 4]
    assert order[1].tolist() == [1, 1, 1, 3, 3, 5, 5]
    before = np.stack(coder.indices(y))
    farthest = n_moved = 0
    for t, c in np.ndindex(y.shape):
        changed = y.copy()
        changed[t, c] = -y[t, c] or 1
        moved = (np.stack(coder.indices(changed)) != before).any(axis=0)
        assert (order[moved] > order[t, c]).all(), (t, c)
        steps = np.nonzero(moved)[0]
        farthest = max(farthest, int(np.abs(steps - t).max(initial=0)))
        n_moved += bool(moved.any())
    assert farthest == coder.context.reach == 2
    assert n_moved > y.size // 4


def test_what_is_beyond_two_counts_as_two() -> None:
    coder = make_coder(6, 3)
    y = make_latent(20, 6, spread=3.0)
    huge = np.where(np.abs(y) >= 2, y * 10**6, y)
    assert np.array_equal(coder.indices(huge), coder.indices(y))
    assert not np.array_equal(coder.indices(-y), coder.indices(y))


def test_the_largest_weights_are_summed_exactly() -> None:
    n_hidden = MAX_HIDDEN
    net = make_net(3, 2, n_taps=9, n_hidden=n_hidden)
    for bias in (2**21, -(2**21)):
        largest = dataclasses.replace(
            net,
            near=np.full_like(net.near, 127),
            out=np.full_like(net.out, 127 if bias > 0 else -128),
            out_bias=np.full_like(net.out_bias, bias),
        )
        coder = NetCoder(
            largest,
            normalize_counts(np.ones((36, 17))),
            normalize_counts(np.ones((16, 2))),
        )
        y = make_latent(9, 3, spread=4.0)
        expected = np.array(slow_indices(largest, y.tolist()))
        assert np.array_equal(np.stack(coder.indices(y), axis=-1), expected)


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    net, good = make_net(4, 2), make_coder(4, 2)
    for wrong in (
        {"near": net.near[:4]},
        {"near": net.near[:, :3]},
        {"first": net.first[:3]},
        {"out": net.out[:, :5]},
        {"near": net.near[:, :, :3]},
        {"bounds": net.bounds[:2]},
    ):
        with pytest.raises(CorruptError, match="shapes"):
            dataclasses.replace(net, **wrong)
    for name in ("near", "first", "out", "out_bias", "bounds"):
        array = getattr(net, name)
        for wrong_kind in (array.astype(np.float32), array[0]):
            with pytest.raises(CorruptError, match="kinds"):
                dataclasses.replace(net, **{name: wrong_kind})
    for bounds in ([1, 2, 4], [0, 2, 3], [0, 0, 4]):
        with pytest.raises(CorruptError, match="groups"):
            dataclasses.replace(net, bounds=np.array(bounds, np.int16))
    with pytest.raises(CorruptError, match="bias"):
        dataclasses.replace(net, out_bias=net.out_bias + 2**22)
    with pytest.raises(CorruptError, match="bias"):
        dataclasses.replace(net, out_bias=np.full_like(net.out_bias, -(2**31)))
    sizes, signs = good.magnitudes.counts, good.signs.counts
    with pytest.raises(CorruptError, match="tables"):
        NetCoder(net, sizes[:-1], signs)
    with pytest.raises(CorruptError, match="tables"):
        NetCoder(net, sizes, signs[:-1])
