# SPDX-License-Identifier: Apache-2.0
"""Context networks with made-up weights."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from dynamic_deep.bundle import BUNDLE_VERSION, Bundle
from dynamic_deep.entropy import normalize_counts
from dynamic_deep.latent import (
    N_TABLES,
    ContextWeights,
    LatentCoder,
    group_bounds,
)
from dynamic_deep.latent_context import N_SIGNS, ROW, ContextNet
from dynamic_deep.latent_net import NetCoder
from dynamic_deep.wavelet import BLOCK, block_bounds

LIMIT = 15


def make_net(
    n_channels: int,
    n_groups: int,
    *,
    n_taps: int = 5,
    n_hidden: int = 6,
    n_sizes: int = 2,
    seed: int = 0,
) -> ContextNet:
    rng = np.random.default_rng(seed)
    bounds = group_bounds(n_channels, n_groups)
    n_passes = 2 * (len(bounds) - 1)
    near = rng.integers(-90, 128, (n_taps, n_channels, 2 * n_sizes, n_hidden))
    out = rng.integers(-60, 60, (2, n_hidden, n_channels, 2))
    bias = rng.integers(0, 30 * ROW, (2, n_channels, 2))
    bias[..., 1] = rng.integers(-6 * ROW, 6 * ROW, (2, n_channels))
    return ContextNet(
        near=near.astype(np.int8),
        first=rng.integers(-80, 120, (n_passes, n_hidden)).astype(np.int16),
        out=out.astype(np.int8),
        out_bias=bias.astype(np.int32),
        bounds=np.array(bounds, np.int16),
    )


def make_coder(
    n_channels: int, n_groups: int, *, n_sizes: int = 2, seed: int = 0
) -> NetCoder:
    width = np.exp(np.linspace(-2, 3, N_TABLES))[:, None]
    sizes = np.exp(-np.arange(LIMIT + 2) / width)
    plus = np.linspace(0.05, 0.95, N_SIGNS)
    return NetCoder(
        make_net(n_channels, n_groups, n_sizes=n_sizes, seed=seed),
        normalize_counts(sizes),
        normalize_counts(np.stack([1 - plus, plus], axis=1)),
    )


def make_linear_coder(
    n_channels: int, n_groups: int, *, largest: int = 12, seed: int = 0
) -> LatentCoder:
    rng = np.random.default_rng(seed)
    shape = (3, n_channels, n_channels)
    context = ContextWeights(
        earlier=rng.integers(-largest // 2, largest, shape).astype(np.int16),
        same=rng.integers(-largest // 2, largest, shape).astype(np.int16),
        bias=rng.integers(-100, 60, n_channels).astype(np.int16),
        n_groups=n_groups,
    )
    width = np.exp(np.linspace(-2, 3, N_TABLES))[:, None]
    weights = np.exp(-np.abs(np.arange(-LIMIT, LIMIT + 2)) / width)
    return LatentCoder(context, normalize_counts(weights))


def make_latent(
    n_steps: int, n_channels: int, *, seed: int = 1, spread: float = 1.5
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.rint(rng.laplace(0, spread, (n_steps, n_channels))).astype(np.int32)


def coder_tables(coder: NetCoder) -> dict[str, np.ndarray[Any, Any]]:
    """Return what a bundle's tables hold of a coder."""
    return {
        **vars(coder.context),
        "magnitudes": coder.magnitudes.counts,
        "signs": coder.signs.counts,
    }


def wavelet_net(*, seed: int = 0) -> NetCoder:
    """Return a coder of the blocks of a wavelet level."""
    coder = make_coder(BLOCK, 1, n_sizes=3, seed=seed)
    bounds = np.array(block_bounds(), np.int16)
    rng = np.random.default_rng(seed)
    first = rng.integers(-80, 120, (2 * len(bounds) - 2, 6)).astype(np.int16)
    net = dataclasses.replace(coder.context, bounds=bounds, first=first)
    return NetCoder(net, coder.magnitudes.counts, coder.signs.counts)


def with_networks(bundle: Bundle) -> Bundle:
    """Return a bundle whose lossy levels have context networks."""
    tables = dict(bundle.tables)
    for seed, level in enumerate(bundle.levels):
        name = level.name
        if level.kind == "neural":
            coder = make_coder(bundle.latents[name].n_channels, 3, seed=seed)
        elif level.kind == "wavelet":
            coder = wavelet_net(seed=seed)
        else:
            continue
        tables.pop(f"{name}/counts", None)
        tables |= {f"{name}/{k}": v for k, v in coder_tables(coder).items()}
    config = bundle.config | {"version": BUNDLE_VERSION}
    return dataclasses.replace(bundle, tables=tables, config=config)


def linear_contexts(bundle: Bundle) -> Bundle:
    """Return a bundle whose neural levels have linear contexts."""
    tables = {
        key: table
        for key, table in bundle.tables.items()
        if key.split("/")[0] not in bundle.latents
    }
    rng = np.random.default_rng(2)
    for name, shape in bundle.latents.items():
        sizes = (3, shape.n_channels, shape.n_channels)
        width = np.exp(np.linspace(-2, 3, N_TABLES))[:, None]
        counts = np.exp(-np.abs(np.arange(-LIMIT, LIMIT + 2)) / width)
        tables |= {
            f"{name}/earlier": rng.integers(-6, 12, sizes).astype(np.int16),
            f"{name}/same": rng.integers(-6, 12, sizes).astype(np.int16),
            f"{name}/bias": rng.integers(-100, 60, shape.n_channels).astype(np.int16),
            f"{name}/n_groups": np.asarray(3),
            f"{name}/counts": normalize_counts(counts),
        }
    return dataclasses.replace(bundle, tables=tables)
