# SPDX-License-Identifier: Apache-2.0
"""Preset `paper`: the shared encoder of Brosh et al., and its decoder.

Source: arXiv 2106.00606 with the layer table of the authors' code (tag of October
2021). Departures: none in the convolutions; the zero-filled double branch of the
published decoder, which adds a learned constant waveform to every output, is left out.
"""

from __future__ import annotations

import keras
from keras import layers

PAPER_LEN = 2000  # samples of a segment in the paper

# filters, kernel, stride; a batch normalisation follows convolutions 4 and 9 (from 1)
_TRUNK = (
    (8, 3, 1),
    (16, 3, 2),
    (8, 1, 1),
    (32, 5, 1),
    (64, 5, 2),
    (32, 1, 1),
    (16, 3, 1),
    (32, 3, 2),
    (16, 1, 1),
    (32, 11, 1),
    (64, 7, 2),
    (64, 1, 1),
    (32, 7, 1),
    (64, 5, 2),
    (32, 1, 1),
)
_NORMALIZED = (4, 9)


def _swish(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    stride: int = 1,
    *,
    pad: str = "same",
) -> keras.KerasTensor:
    return layers.Conv1D(
        filters, kernel, strides=stride, padding=pad, activation="swish"
    )(x)


def build_paper_trunk(segment_len: int = PAPER_LEN) -> keras.Model:
    """Build the shared trunk: (2000, 1) -> (63, 32); 69,080 parameters."""
    x = inputs = keras.Input((segment_len, 1), name="segment")
    for number, (filters, kernel, stride) in enumerate(_TRUNK, start=1):
        x = _swish(x, filters, kernel, stride)
        if number in _NORMALIZED:
            x = layers.BatchNormalization()(x)
    return keras.Model(inputs, x, name="paper_trunk")


def build_paper_encoder(segment_len: int = PAPER_LEN) -> keras.Model:
    """Build trunk and both levels: 83,898 parameters.

    Returns:
        A model from (2000, 1) to the latents of level 32, (63, 1), and 64, (32, 1).
    """
    trunk = build_paper_trunk(segment_len)
    latent_32 = _swish(trunk.output, 1, 7)
    tail_64 = _swish(trunk.output, 64, 7, 2)
    latent_64 = _swish(tail_64, 1, 3)
    return keras.Model(trunk.input, [latent_32, latent_64], name="paper_encoder")


def build_paper_decoder(level: int) -> keras.Model:
    """Build adapter and decoder of level 32 or 64, to (2000, 1).

    Raises:
        ConfigError: If the paper has no such level.
    """
    from dynamic_deep.errors import ConfigError

    adapters = {32: _adapter_32, 64: _adapter_64}
    if level not in adapters:
        raise ConfigError(f"a level of the paper must be 32 or 64, got {level}")
    inputs, x = adapters[level]()
    for filters, kernel, up in ((64, 7, 1), (128, 7, 2), (32, 3, 1), (32, 5, 2)):
        x = _swish(x, filters, kernel)
        x = layers.UpSampling1D(up)(x) if up > 1 else x
    for filters in (32, 8, 2):
        x = _swish(x, filters, 3)
    x = layers.Dense(PAPER_LEN)(layers.Flatten()(x))
    x_hat = layers.Reshape((PAPER_LEN, 1))(x)
    return keras.Model(inputs, x_hat, name=f"paper_decoder_{level}")


def _adapter_32() -> tuple[keras.KerasTensor, keras.KerasTensor]:
    inputs = keras.Input((63, 1), name="latent_32")
    x = _swish(_swish(inputs, 8, 3), 16, 3)
    x = _swish(layers.UpSampling1D(2)(x), 16, 3)
    return inputs, _swish(x, 32, 3, pad="valid")


def _adapter_64() -> tuple[keras.KerasTensor, keras.KerasTensor]:
    inputs = keras.Input((32, 1), name="latent_64")
    x = _swish(_swish(inputs, 16, 7), 32, 3)
    x = _swish(layers.UpSampling1D(2)(x), 32, 3, pad="valid")
    return inputs, layers.UpSampling1D(2)(x)
