# SPDX-License-Identifier: Apache-2.0
"""The classical levels: wavelet transform, dead-zone quantiser, static tables.

A window at the model's rate is transformed by the biorthogonal 4.4 wavelet over six
octaves (PyWavelets, periodised), every coefficient is quantised with one step. Then
either each subband is coded with a table of its own: that is the textbook codec, which
the neural levels have to beat. Or a context network chooses the tables, for which
blocks of 64 samples are taken as steps with 64 channels: a good rung where high
fidelity is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.entropy import RangeDecoder, RangeEncoder
from dynamic_deep.errors import CorruptError
from dynamic_deep.latent_net import NetCoder
from dynamic_deep.quantizer import SymbolCoder, quantize

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

WAVELET = "bior4.4"
N_OCTAVES = 6
N_SUBBANDS = N_OCTAVES + 1
BLOCK = 1 << N_OCTAVES  # lengths are padded to a multiple of this
THRESHOLD = 0.62  # of the dead zone, in steps; chosen on the training records


def transform(x: npt.NDArray[np.floating]) -> list[npt.NDArray[np.float64]]:
    """Return the subbands of a window, coarsest first.

    Args:
        x: float array, (n_samples,), padded with its last value to a whole block.
    """
    import pywt

    approximation = np.pad(x.astype(np.float64), (0, -len(x) % BLOCK), mode="edge")
    subbands = []
    # Octave by octave, since `wavedec` warns of windows shorter than two seconds.
    for _ in range(N_OCTAVES):
        approximation, detail = pywt.dwt(approximation, WAVELET, mode="periodization")
        subbands.append(detail)
    return [approximation, *reversed(subbands)]


def inverse(subbands: list[npt.NDArray[np.float64]], n_samples: int) -> FloatArray:
    """Undo `transform`."""
    import pywt

    x = pywt.waverec(subbands, WAVELET, mode="periodization")
    return np.asarray(x[:n_samples], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class WaveletLevel:
    """One wavelet level.

    Attributes:
        step: quantiser step in units of the window's scale.
        counts: uint32 array, (N_SUBBANDS, 2 * limit + 2): a table a subband; None where
            a context network chooses tables.
        centroids: float array, (N_SUBBANDS,): where in its cell a value is restored,
            as the distance from the lower edge of the rounding cell's centre, in steps.
    """

    step: float
    counts: npt.NDArray[np.uint32] | None
    centroids: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check the shapes."""
        if self.counts is None:
            return
        shape = self.counts.shape
        if len(shape) != 2 or shape[0] != N_SUBBANDS:
            raise CorruptError(
                f"a wavelet level must have {N_SUBBANDS} tables, got the shape "
                f"{shape}; the bundle is damaged"
            )

    def quantize(self, x: npt.NDArray[np.floating]) -> list[IntArray]:
        """Return the quantised subbands of a normalised window."""
        return [quantize(band / self.step, THRESHOLD) for band in transform(x)]

    def dequantize(self, bands: list[IntArray]) -> list[npt.NDArray[np.float64]]:
        """Return the subbands restored."""
        return [
            np.sign(band) * (np.abs(band) + shift) * self.step
            for band, shift in zip(bands, self.centroids, strict=True)
        ]


def block_channels() -> list[tuple[int, int]]:
    """Return the subband and the place there of each channel of a block.

    Coarse subbands come first; in each the even places, then the odd ones.
    """
    channels = [(0, 0), (1, 0)]
    for band in range(2, N_SUBBANDS):
        places = range(1 << (band - 1))
        channels += [(band, k) for k in (*places[::2], *places[1::2])]
    return channels


def block_bounds() -> list[int]:
    """Return where groups of channels begin: even and odd places of each subband."""
    ends = [1 << band for band in range(1, N_SUBBANDS)]
    middles = [3 * end // 4 for end in ends[1:]]
    return sorted([0, 1, *ends, *middles])


_CHANNELS = block_channels()


def to_blocks(bands: list[IntArray]) -> IntArray:
    """Return quantised subbands as (n_blocks, BLOCK)."""
    n_blocks = len(bands[0])
    by_block = [band.reshape(n_blocks, -1) for band in bands]
    return np.stack([by_block[band][:, k] for band, k in _CHANNELS], axis=1)


def from_blocks(blocks: IntArray) -> list[IntArray]:
    """Undo `to_blocks`."""
    n_blocks = len(blocks)
    sizes = [1, *(1 << band for band in range(N_OCTAVES))]
    by_block = [np.zeros((n_blocks, size), np.int32) for size in sizes]
    for channel, (band, k) in enumerate(_CHANNELS):
        by_block[band][:, k] = blocks[:, channel]
    return [band.ravel() for band in by_block]


class WaveletCoder:
    """Codes windows at one wavelet level.

    Args:
        level: the level.
        net: what codes its blocks; None if its subbands have tables.

    Raises:
        CorruptError: If there is neither, or a network of other channels.
    """

    def __init__(self, level: WaveletLevel, net: NetCoder | None = None) -> None:
        """Prepare the coder's tables."""
        self.level = level
        self.net = net
        if net is None and level.counts is not None:
            self.symbols = SymbolCoder(level.counts)
        elif net is None or net.n_channels != BLOCK:
            raise CorruptError(
                f"a wavelet level must have tables, or a context network of {BLOCK} "
                f"channels, got {net and net.n_channels}; the bundle is damaged"
            )

    @property
    def limit(self) -> int:
        """The largest magnitude with a symbol of its own."""
        return self.symbols.limit if self.net is None else self.net.limit

    def n_bits(self, blocks: IntArray) -> float:
        """Return the ideal code length of `to_blocks` in bits, escapes at 16 bits."""
        if self.net is not None:
            return self.net.n_bits(blocks)
        bands = enumerate(from_blocks(blocks))
        return sum(
            self.symbols.n_bits(band, np.full(band.shape, index, np.int32))
            for index, band in bands
        )

    def encode(self, coder: RangeEncoder, x: npt.NDArray[np.floating]) -> None:
        """Append a normalised window: float array, (n_samples,)."""
        bands = self.level.quantize(x)
        if self.net is not None:
            self.net.encode(coder, to_blocks(bands))
            return
        for index, band in enumerate(bands):
            self.symbols.encode(coder, band, index)

    def decode(self, coder: RangeDecoder, n_samples: int) -> FloatArray:
        """Read a normalised window of `n_samples` back."""
        n_padded = n_samples + -n_samples % BLOCK
        if self.net is not None:
            bands = from_blocks(self.net.decode(coder, n_padded // BLOCK))
        else:
            bands = self._decode_bands(coder, n_padded)
        return inverse(self.level.dequantize(bands), n_samples)

    def _decode_bands(self, coder: RangeDecoder, n_padded: int) -> list[IntArray]:
        lengths = [n_padded >> N_OCTAVES]
        lengths += [n_padded >> octave for octave in range(N_OCTAVES, 0, -1)]
        return [
            self.symbols.decode(coder, length, index)
            for index, length in enumerate(lengths)
        ]
