# SPDX-License-Identifier: Apache-2.0
"""The autoencoder of 2018 has the layers and weights that are published."""

from __future__ import annotations

import pytest

from dynamic_deep.errors import ConfigError
from experiments.networks.segments2018 import SEGMENT_LEN

# Encoders: 133,585 is printed by Dynamic-Deep for levels 16 and 32, 153,521 follows
# from the layers it lists for 64. The decoder of 32 is the publication's table.
N_ENCODER_WEIGHTS = {16: 133_585, 32: 133_585, 64: 153_521}
LATENT_LENS = {16: 125, 32: 62, 64: 31}


@pytest.mark.parametrize("level", [16, 32, 64])
def test_encoders_have_the_published_sizes(level: int) -> None:
    from experiments.networks.yildirim2018 import build_encoder

    encoder = build_encoder(level)
    assert encoder.count_params() == N_ENCODER_WEIGHTS[level]
    assert encoder.output_shape == (None, LATENT_LENS[level], 1)


def test_the_decoder_of_32_has_the_published_layers() -> None:
    from experiments.networks.yildirim2018 import build_decoder

    decoder = build_decoder(32)
    assert decoder.count_params() == 16_015_984
    sizes = [layer.count_params() for layer in decoder.layers if layer.weights]
    assert sizes == [8, 128, 22_592, 106_624, 6_160, 2_592, 3_104, 776, 15_874_000]
    assert decoder.get_layer("conv26").output.shape == (None, 992, 8)
    assert decoder.output_shape == (None, SEGMENT_LEN, 1)


@pytest.mark.parametrize(("level", "n_positions"), [(16, 1000), (64, 992)])
def test_other_decoders_end_as_the_docstring_says(level: int, n_positions: int) -> None:
    from experiments.networks.yildirim2018 import build_decoder

    decoder = build_decoder(level)
    assert decoder.input_shape == (None, LATENT_LENS[level], 1)
    assert decoder.get_layer("conv26").output.shape == (None, n_positions, 8)


def test_another_level_is_refused() -> None:
    from experiments.networks.yildirim2018 import build_encoder

    with pytest.raises(ConfigError, match="16, 32, 64, got 48"):
        build_encoder(48)
