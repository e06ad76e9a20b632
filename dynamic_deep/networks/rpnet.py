# SPDX-License-Identifier: Apache-2.0
"""The paper's R-peak network: RPnet of Vijayarangan et al., 51,098,337 parameters.

Source: arXiv 2004.08103, with the layer table of the authors' code. A U-Net of
Inception-residual blocks from a window to the distance of each sample to its R peak.
It is made for 10 s at 500 Hz, 5000 samples; to bring a window to this rate and its map
back is the caller's business (Brosh et al. feed it 300 Hz as they are). The
normalisation it wants, mean 0 and deviation 1, is its first layer.

Its lengths come out for 256 k + 136 samples alone, k >= 1, of which 5000 is one: two
layers shorten the map by one sample (625 -> 624, 39 -> 38) so that it can be halved on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from dynamic_deep.networks.tasks import CropLike, Standardize

RPNET_LEN = 5000  # samples, 10 s at 500 Hz
DROPOUT = 0.5
KERNELS = (17, 19, 21)
_PERIOD, _REMAINDER = 256, 136
MIN_LEN = _PERIOD + _REMAINDER  # with 136 nothing would be left of e8

Step = tuple[Callable[[keras.KerasTensor, int], keras.KerasTensor], int]


def _leaky(x: keras.KerasTensor) -> keras.KerasTensor:
    # The signal itself, the one map of a single channel, goes in with both its signs.
    return x if x.shape[-1] == 1 else layers.LeakyReLU(negative_slope=0.2)(x)


def _same(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    h = layers.Conv1D(filters, 3, padding="same")(_leaky(x))
    return layers.BatchNormalization()(h)


def _dropped(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    return layers.Dropout(DROPOUT)(_same(x, filters))


def _halved(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    h = layers.Conv1D(filters, 4, strides=2, padding="same")(_leaky(x))
    return layers.BatchNormalization()(h)


def _shortened(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    h = layers.Conv1D(filters, 4)(layers.ZeroPadding1D(1)(_leaky(x)))
    return layers.BatchNormalization()(h)


def _doubled(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    h = layers.Conv1DTranspose(filters, 4, strides=2, padding="same")(_leaky(x))
    return layers.BatchNormalization()(h)


def _lengthened(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    h = layers.Cropping1D(1)(layers.Conv1DTranspose(filters, 4)(_leaky(x)))
    return layers.BatchNormalization()(h)


def _inception(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """Four branches of a quarter of the filters, and a residual."""
    quarter = filters // 4
    branches = [layers.Conv1D(quarter, 15, padding="same")(x)]
    for kernel in KERNELS:
        h = layers.Conv1D(quarter, 1, use_bias=False)(x)
        h = _leaky(layers.BatchNormalization()(h))
        branches.append(layers.Conv1D(quarter, kernel, padding="same")(h))
    joined = layers.Concatenate()([layers.BatchNormalization()(b) for b in branches])
    residual = layers.Conv1D(filters, 1, use_bias=False)(x)
    return layers.ReLU()(layers.Add()([joined, residual]))


# Each row feeds the next; the decoder's are fed what stands beside them as well.
_ENCODER: dict[str, tuple[Step, ...]] = {
    "e1": ((_halved, 64), (_inception, 64)),
    "e2": ((_halved, 128), (_inception, 128)),
    "e2add": ((_same, 128),),
    "e3": ((_same, 128), (_halved, 256), (_inception, 256)),
    "e4": ((_shortened, 256), (_halved, 512), (_inception, 512)),
    "e4add": ((_same, 512),),
    "e5": ((_same, 512), (_halved, 512), (_inception, 512)),
    "e6": ((_same, 512), (_halved, 512), (_inception, 512)),
    "e6add": ((_same, 512),),
    "e7": ((_same, 512), (_halved, 512), (_inception, 512)),
    "e8": ((_shortened, 512), (_halved, 512)),
}
_DECODER: dict[str, tuple[str | None, tuple[Step, ...]]] = {
    "d1": (None, ((_doubled, 512), (_lengthened, 512), (_inception, 512))),
    "d2": ("e7", ((_doubled, 512), (_same, 512), (_inception, 512))),
    "d3": ("e6add", ((_dropped, 512), (_inception, 512))),
    "d4": ("e6", ((_doubled, 512), (_same, 512), (_inception, 512))),
    "d5": ("e5", ((_doubled, 512), (_same, 512), (_inception, 512))),
    "d6": ("e4add", ((_same, 512), (_inception, 512))),
    "d7": ("e4", ((_doubled, 256), (_lengthened, 256), (_inception, 256))),
    "d8": ("e3", ((_doubled, 128), (_same, 128))),
    "d9": ("e2add", ((_same, 128),)),
    "d10": ("e2", ((_doubled, 64),)),
}


def _fitting_len(n_samples: Any) -> Any:
    """Return the next length that comes out; of a number, or of a tensor."""
    n = n_samples + (_REMAINDER - n_samples) % _PERIOD
    # A compiled graph slices to a number only if it has been one all along.
    return max(n, MIN_LEN) if isinstance(n, int) else ops.maximum(n, MIN_LEN)


class PadToFit(layers.Layer):
    """Append zeros, the mean of a standardised window, to the next length that fits."""

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return (batch, n_fitting, n_channels)."""
        padded = ops.pad(inputs, ((0, 0), (0, MIN_LEN - 1), (0, 0)))
        return padded[:, : _fitting_len(ops.shape(inputs)[1])]

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return the shape; a length not known yet stays so."""
        batch, n, n_channels = input_shape
        return batch, None if n is None else _fitting_len(n), n_channels


def build_rpnet(n_samples: int | None = RPNET_LEN) -> keras.Model:
    """Build it: (n_samples, 1), any unit -> (n_samples, 1), 0 at a peak, unbounded.

    The weights of a row of the layer table have its name first in their path: e1, e2,
    e2add to e8, d1 to d10, out.

    Args:
        n_samples: None for windows of any length. A length that does not come out is
            padded behind, and the map cut to it.
    """
    inputs = keras.Input((n_samples, 1), name="window")
    x = PadToFit()(Standardize()(inputs))
    skips = {}
    for name, steps in _ENCODER.items():
        with keras.name_scope(name):
            for step, filters in steps:
                x = step(x, filters)
        skips[name] = x
    for name, (skip, steps) in _DECODER.items():
        if skip is not None:
            x = layers.Concatenate()([skips[skip], x])
        with keras.name_scope(name):
            for step, filters in steps:
                x = step(x, filters)
    x = _leaky(layers.Concatenate()([skips["e1"], x]))
    with keras.name_scope("out"):
        x = layers.Conv1DTranspose(1, 4, strides=2, padding="same")(x)
    return keras.Model(inputs, CropLike()(x, inputs), name="rpnet")
