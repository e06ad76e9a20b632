# SPDX-License-Identifier: Apache-2.0
"""`wavelet`: the transform is undone, and what is quantised comes back exactly."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.bundle import load_bundle
from dynamic_deep.entropy import RangeDecoder, RangeEncoder
from dynamic_deep.errors import CorruptError
from dynamic_deep.wavelet import (
    BLOCK,
    N_SUBBANDS,
    WaveletCoder,
    WaveletLevel,
    block_bounds,
    block_channels,
    from_blocks,
    inverse,
    to_blocks,
    transform,
)
from tests.context_nets import make_coder
from tests.signals import CONTEXT, COSINE

LENGTHS = [1, 2, 63, 64, 65, 575, 576, 1120, 2240, 8960, 9000, 10_079]
BUNDLE = load_bundle(COSINE)
NAMES = [level.name for level in BUNDLE.levels if level.kind == "wavelet"]


def wave(n_samples: int) -> np.ndarray:
    at = np.arange(n_samples) / 300.0
    rng = np.random.default_rng(3)
    x = np.sin(2 * np.pi * 1.2 * at) ** 15 * 4 + 0.3 * np.sin(2 * np.pi * 0.3 * at)
    return (x + rng.normal(0, 0.05, n_samples)).astype(np.float32)


@pytest.mark.parametrize("n_samples", LENGTHS)
def test_the_transform_is_undone(n_samples: int) -> None:
    x = wave(n_samples)
    bands = transform(x)
    n_padded = -(-n_samples // 64) * 64
    lengths = [n_padded // 64] + [n_padded >> octave for octave in (6, 5, 4, 3, 2, 1)]
    assert [len(band) for band in bands] == lengths
    restored = inverse(bands, n_samples)
    assert restored.shape == (n_samples,)
    assert np.abs(restored - x).max() < 1e-5


def test_the_transform_is_that_of_pywavelets() -> None:
    import pywt

    x = wave(8960)
    expected = pywt.wavedec(x.astype(float), "bior4.4", mode="periodization", level=6)
    for band, other in zip(transform(x), expected, strict=True):
        assert np.abs(band - other).max() < 1e-9


@pytest.mark.parametrize("folder", [COSINE, CONTEXT])
@pytest.mark.parametrize("n_samples", LENGTHS)
def test_what_is_quantised_comes_back_exactly(n_samples: int, folder: Path) -> None:
    coder = load_bundle(folder).wavelet_coder("wavelet_16")
    assert (coder.net is None) == (folder == COSINE)
    x = wave(n_samples)
    encoder = RangeEncoder()
    coder.encode(encoder, x)
    decoded = coder.decode(RangeDecoder(encoder.finish()), n_samples)
    level = coder.level
    expected = inverse(level.dequantize(level.quantize(x)), n_samples)
    assert (decoded == expected).all()
    # bior4.4 is nearly orthonormal: an error of a step's dead zone stays about that.
    assert np.sqrt(np.mean((decoded - x) ** 2)) < level.step


def test_levels_trade_bytes_for_fidelity() -> None:
    x = wave(8960)
    sizes, errors, steps = [], [], []
    for name in NAMES:
        coder = BUNDLE.wavelet_coder(name)
        encoder = RangeEncoder()
        coder.encode(encoder, x)
        message = encoder.finish()
        sizes.append(len(message))
        errors.append(np.square(coder.decode(RangeDecoder(message), 8960) - x).sum())
        steps.append(coder.level.step)
    assert sizes == sorted(sizes, reverse=True)
    assert errors == sorted(errors)
    assert steps == sorted(steps)
    assert sizes[0] > 4 * sizes[-1]


def test_centroids_lie_within_their_cell() -> None:
    for name in NAMES:
        centroids = BUNDLE.wavelet_coder(name).level.centroids
        assert centroids.shape == (N_SUBBANDS,)
        assert (np.abs(centroids) <= 0.62).all()


def test_tables_of_another_shape_are_refused() -> None:
    level = BUNDLE.wavelet_coder("wavelet_16").level
    with pytest.raises(CorruptError, match=str(N_SUBBANDS)):
        WaveletLevel(
            step=level.step, counts=level.counts[:-1], centroids=level.centroids
        )


def test_blocks_hold_every_coefficient_coarse_ones_first() -> None:
    n_blocks = 5
    sizes = [1, 1, 2, 4, 8, 16, 32]
    bands = [
        np.arange(n_blocks * size, dtype=np.int32) + 1000 * band
        for band, size in enumerate(sizes)
    ]
    blocks = to_blocks(bands)
    assert blocks.shape == (n_blocks, BLOCK)
    back = from_blocks(blocks)
    assert all((a == b).all() for a, b in zip(back, bands, strict=True))
    # Block 2: of each subband what lies there; even places before odd ones.
    assert blocks[2, :8].tolist() == [2, 1002, 2004, 2005, 3008, 3010, 3009, 3011]
    # A group is of one subband, and of even or odd places.
    for first, stop in itertools.pairwise(block_bounds()):
        kinds = {(band, k % 2) for band, k in block_channels()[first:stop]}
        assert len(kinds) == 1
    assert block_bounds()[-1] == BLOCK


def test_a_level_needs_tables_or_a_network_of_its_channels() -> None:
    level = BUNDLE.wavelet_coder("wavelet_16").level
    bare = WaveletLevel(step=level.step, counts=None, centroids=level.centroids)
    with pytest.raises(CorruptError, match="64 channels, got None"):
        WaveletCoder(bare)
    with pytest.raises(CorruptError, match="64 channels, got 5"):
        WaveletCoder(bare, make_coder(5, 2))


def test_random_bytes_give_a_finite_signal_or_the_documented_error(
    rng: np.random.Generator,
) -> None:
    coder: WaveletCoder = BUNDLE.wavelet_coder("wavelet_48")
    n_decoded = 0
    for _ in range(60):
        try:
            x_hat = coder.decode(RangeDecoder(rng.bytes(80)), 2240)
        except CorruptError:
            continue
        n_decoded += 1
        assert x_hat.shape == (2240,)
        assert np.isfinite(x_hat).all()
    assert n_decoded > 0
