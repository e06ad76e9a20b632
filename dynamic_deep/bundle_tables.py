# SPDX-License-Identifier: Apache-2.0
"""The coders of levels from the arrays that a bundle's tables hold of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from dynamic_deep.latent import ContextWeights, LatentCoder
from dynamic_deep.latent_context import ContextNet
from dynamic_deep.latent_net import NetCoder
from dynamic_deep.wavelet import WaveletCoder, WaveletLevel

AnyLatentCoder = LatentCoder | NetCoder
Lookup = Callable[[str], npt.NDArray[Any]]  # of an array of a level by its name


def read_wavelet_coder(table: Lookup) -> WaveletCoder:
    """Return the coder of a wavelet level whose subbands have tables."""
    return WaveletCoder(_wavelet_level(table, counts=table("counts")))


def read_wavelet_net(table: Lookup) -> WaveletCoder:
    """Return the coder of a wavelet level with a context network."""
    return WaveletCoder(_wavelet_level(table, counts=None), read_net_coder(table))


def _wavelet_level(table: Lookup, *, counts: npt.NDArray[Any] | None) -> WaveletLevel:
    return WaveletLevel(
        step=float(table("step")), counts=counts, centroids=table("centroids")
    )


def read_context_weights(table: Lookup) -> ContextWeights:
    """Return the linear contexts of a neural level."""
    return ContextWeights(
        earlier=table("earlier"),
        same=table("same"),
        bias=table("bias"),
        n_groups=int(table("n_groups")),
    )


def read_linear_coder(table: Lookup) -> LatentCoder:
    """Return the coder of a latent by linear contexts."""
    return LatentCoder(read_context_weights(table), table("counts"))


def read_net_coder(table: Lookup) -> NetCoder:
    """Return the coder of a latent by a context network."""
    keys = ("near", "first", "out", "out_bias", "bounds")
    net = ContextNet(**{key: table(key) for key in keys})
    return NetCoder(net, table("magnitudes"), table("signs"))
