# SPDX-License-Identifier: Apache-2.0
"""The classical levels: wavelet transform, dead-zone quantiser, static tables.

A window at the model's rate is transformed by the biorthogonal 4.4 wavelet over six
octaves (PyWavelets, periodised), every coefficient is quantised with one step, and each
subband is coded with a table of its own. This is the textbook codec that the neural
levels have to beat, and a good rung where high fidelity is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.entropy import RangeDecoder, RangeEncoder
from dynamic_deep.errors import CorruptError
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
        counts: uint32 array, (N_SUBBANDS, 2 * limit + 2): a table a subband.
        centroids: float array, (N_SUBBANDS,): where in its cell a value is restored,
            as the distance from the lower edge of the rounding cell's centre, in steps.
    """

    step: float
    counts: npt.NDArray[np.uint32]
    centroids: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check the shapes."""
        if self.counts.ndim != 2 or self.counts.shape[0] != N_SUBBANDS:
            raise CorruptError(
                f"a wavelet level must have {N_SUBBANDS} tables, got the shape "
                f"{self.counts.shape}; the bundle is damaged"
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


class WaveletCoder:
    """Codes windows at one wavelet level."""

    def __init__(self, level: WaveletLevel) -> None:
        """Prepare the coder's tables."""
        self.level = level
        self.symbols = SymbolCoder(level.counts)

    def encode(self, coder: RangeEncoder, x: npt.NDArray[np.floating]) -> None:
        """Append a normalised window: float array, (n_samples,)."""
        for index, band in enumerate(self.level.quantize(x)):
            self.symbols.encode(coder, band, index)

    def decode(self, coder: RangeDecoder, n_samples: int) -> FloatArray:
        """Read a normalised window of `n_samples` back."""
        n_padded = n_samples + -n_samples % BLOCK
        lengths = [n_padded >> N_OCTAVES]
        lengths += [n_padded >> octave for octave in range(N_OCTAVES, 0, -1)]
        bands = [
            self.symbols.decode(coder, length, index)
            for index, length in enumerate(lengths)
        ]
        return inverse(self.level.dequantize(bands), n_samples)
