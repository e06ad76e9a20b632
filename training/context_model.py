# SPDX-License-Identifier: Apache-2.0
"""The context network while it is trained, and the integers that it becomes.

It computes what `dynamic_deep.latent_net` does, in real numbers: a table's number is
not rounded down but lies between two tables, whose logits are trained, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from dynamic_deep.latent import N_TABLES
from dynamic_deep.latent_context import (
    HIDDEN_CAP,
    N_SIGNS,
    ROW,
    UNIT,
    ContextNet,
)
from training.latent_tables import table_middles

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.integer]

LOGIT_STEP = 0.5  # from one table of signs to the next
MAX_WEIGHT = 127 / UNIT
LEAST_SHARE = 1e-7


def magnitude_priors(limit: int) -> npt.NDArray[np.float64]:
    """Return each table's first guess: 0 to `limit`, then all beyond, rows of sum 1.

    The logistic distribution at the middle of the table's scales.
    """
    scales = np.exp(table_middles())[:, None]
    edges = np.arange(limit + 1) + 0.5
    # On the negative tail nothing cancels.
    beyond = 2.0 / (1.0 + np.exp(np.minimum(edges / scales, 700.0)))
    shares = np.concatenate(
        [1.0 - beyond[:, :1], beyond[:, :-1] - beyond[:, 1:], beyond[:, -1:]], axis=1
    )
    shares = np.maximum(shares, LEAST_SHARE)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def sign_priors() -> npt.NDArray[np.float64]:
    """Return the share of minus and plus in the middle of each table of signs."""
    logits = LOGIT_STEP * (np.arange(N_SIGNS) - N_SIGNS // 2 + 0.5)
    plus = 1.0 / (1.0 + np.exp(-logits))
    return np.stack([1.0 - plus, plus], axis=1)


def _whole(weights: Any, unit: int, limit: int) -> npt.NDArray[np.int64]:
    scaled = np.rint(ops.convert_to_numpy(weights).astype(np.float64) * unit)
    return np.clip(scaled, -limit, limit).astype(np.int64)


class ContextModel(keras.Model):
    """Bits of a latent, given what is coded before each symbol of it.

    Args:
        y: latents to begin from, (n_windows, n_steps, n_channels).
        n_taps: steps from which a symbol is heard, odd.
        n_hidden: width of the hidden map.
        bounds: where each group of channels begins, and the number of channels.
        n_sizes: classes of magnitudes that are told apart.
        cap: magnitudes from here on share a column of the tables.
    """

    def __init__(
        self,
        y: IntArray,
        *,
        n_taps: int,
        n_hidden: int,
        bounds: Sequence[int],
        n_sizes: int,
        cap: int,
    ) -> None:
        """Make the weights; each channel begins with the table of its zeros' share."""
        super().__init__(name="context")
        n_channels = y.shape[-1]
        self.bounds = tuple(bounds)
        self.groups = [slice(a, b) for a, b in itertools.pairwise(bounds)]
        self.n_sizes = n_sizes
        self.cap = cap

        def weights(name: str, shape: tuple[int, ...], start: Any = "zeros") -> Any:
            return self.add_weight(
                shape=shape,
                initializer=start,
                constraint=lambda w: ops.clip(w, -MAX_WEIGHT, MAX_WEIGHT),
                name=name,
            )

        # As of a convolution that hears one symbol in ten.
        spread = keras.initializers.RandomNormal(
            stddev=float(np.sqrt(20.0 / (n_taps * n_channels)))
        )
        self.near = weights("near", (n_taps, n_channels, 2 * n_sizes, n_hidden), spread)
        self.first = self.add_weight(
            shape=(2 * len(self.groups), n_hidden), initializer="zeros", name="first"
        )
        self.out = weights("out", (2, n_hidden, n_channels, 2))
        self.out_bias = self.add_weight(
            shape=(2, n_channels, 2), initializer="zeros", name="out_bias"
        )
        priors = magnitude_priors(cap - 1)
        zeros = (y == 0).mean(axis=(0, 1))
        rows = np.abs(priors[None, :, 0] - zeros[:, None]).argmin(axis=1) + 0.5
        bias = np.stack([rows, np.zeros(n_channels)], axis=1)
        self.out_bias.assign(np.stack([bias, bias]))
        self.tables = self.add_weight(shape=priors.shape, name="tables")
        self.tables.assign(np.log(priors))

    def call(self, y: Any, training: bool = False) -> Any:
        """Return the bits of each window, (n,), of y (n, n_steps, n_channels)."""
        odd = (np.arange(y.shape[1]) % 2).astype(np.float32)[None, :, None]
        log_shares = ops.log_softmax(self.tables) / float(np.log(2.0))
        heard: Any = ops.zeros((1, 1, self.first.shape[1]))
        bits: Any = 0.0
        for number, group in enumerate(self.groups):
            for first in (0, 1):
                values = y[:, :, group]
                here = odd if first else 1.0 - odd
                hidden = heard + self.first[2 * number + first]
                hidden = ops.clip(hidden, 0.0, HIDDEN_CAP / UNIT)
                table, sign = (
                    ops.matmul(hidden, self.out[first, :, group, kind])
                    + self.out_bias[first, group, kind]
                    for kind in (0, 1)
                )
                costs = _size_bits(values, table, log_shares) + _sign_bits(values, sign)
                bits = bits + ops.sum(costs * here, axis=(1, 2))
                heard = heard + self._said(values * here, group)
        return bits

    def _said(self, values: Any, group: slice) -> Any:
        """Return what symbols add to the hidden map: (n, n_steps, n_hidden)."""
        edges = [2.0**i for i in range(self.n_sizes)]
        size = ops.abs(values)[..., None]
        # 1 for the magnitude's class alone, whether the value is minus or plus.
        above = [ops.cast(size >= edge, "float32") for edge in edges]
        within = [a - b for a, b in itertools.pairwise([*above, 0.0])]
        is_plus = ops.cast(values > 0.0, "float32")[..., None]
        minus = [part * (1.0 - is_plus) for part in reversed(within)]
        classes = ops.concatenate([*minus, *(v * is_plus for v in within)], axis=-1)
        shape = (values.shape[1], values.shape[2] * 2 * self.n_sizes)
        kernel = self.near[:, group]
        return ops.conv(
            ops.reshape(classes, (-1, *shape)),
            ops.reshape(kernel, (kernel.shape[0], shape[-1], -1)),
            padding="same",
        )

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the bits of a window, mean over windows, per 64 symbols."""
        return ops.mean(y_pred) / 64.0

    def whole(self) -> ContextNet:
        """Return the integers."""
        return ContextNet(
            near=_whole(self.near, UNIT, 127).astype(np.int8),
            first=_whole(self.first, UNIT, 2**15 - 1).astype(np.int16),
            out=_whole(self.out, UNIT, 127).astype(np.int8),
            out_bias=_whole(self.out_bias, ROW, 2**21).astype(np.int32),
            bounds=np.array(self.bounds, np.int16),
        )


def _size_bits(values: Any, table: Any, log_shares: Any) -> Any:
    """Return the bits of magnitudes, between the two tables that lie nearest."""
    n_columns = log_shares.shape[1]
    size = ops.cast(ops.minimum(ops.abs(values), n_columns - 1.0), "int32")
    at = ops.clip(table - 0.5, 0.0, N_TABLES - 1.001)
    low = ops.floor(at)
    index = ops.cast(low, "int32") * n_columns + size
    flat = ops.reshape(log_shares, (-1,))
    below, above = ops.take(flat, index), ops.take(flat, index + n_columns)
    return -below - (at - low) * (above - below)


def _sign_bits(values: Any, sign: Any) -> Any:
    """Return the bits of signs; of none where a value is 0."""
    against = -LOGIT_STEP * sign * ops.sign(values)
    is_signed = ops.cast(ops.abs(values) > 0.0, "float32")
    return is_signed * ops.softplus(against) / float(np.log(2.0))
