# SPDX-License-Identifier: Apache-2.0
"""The last dense layer of the autoencoder of 2018, seen as a convolution and a rest.

It makes 2000 samples of about 1000 positions of 8 features, two samples a position. A
convolution that makes two samples of the 15 positions around is one such layer, so that
a layer can be begun as one (`unfold_filter`), and most of a trained one is one
(`fold_kernel`), which leaves little to store. Samples beyond the last position belong
to that position.

    filter   float32, (15, 8, 2): position, feature, sample of the middle position
    kernel   float32, (n_positions * 8, 2000), as Keras has it
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.networks.segments2018 import SEGMENT_LEN

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

FILTER_LEN = 15
N_FEATURES = 8
N_SAMPLES = 2  # of a position


def _places(n_positions: int, at: int) -> tuple[IntArray, IntArray]:
    """Return the samples that have a position at a place of their filter, and it."""
    samples = np.arange(SEGMENT_LEN)
    middle = np.minimum(samples // N_SAMPLES, n_positions - 1)
    positions = middle + at - FILTER_LEN // 2
    inside = (positions >= 0) & (positions < n_positions)
    return samples[inside], positions[inside]


def unfold_filter(filters: FloatArray, n_positions: int) -> FloatArray:
    """Return the kernel of the dense layer that does what a filter does."""
    kernel = np.zeros((n_positions, N_FEATURES, SEGMENT_LEN), np.float32)
    for at, taps in enumerate(filters):
        samples, positions = _places(n_positions, at)
        kernel[positions, :, samples] = taps[:, samples % N_SAMPLES].T
    return kernel.reshape(-1, SEGMENT_LEN)


def fold_kernel(kernel: FloatArray) -> FloatArray:
    """Return the filter that is nearest to a kernel: the mean over all positions."""
    whole = kernel.reshape(-1, N_FEATURES, SEGMENT_LEN)
    filters = np.empty((FILTER_LEN, N_FEATURES, N_SAMPLES), np.float32)
    for at in range(FILTER_LEN):
        samples, positions = _places(len(whole), at)
        taps = whole[positions, :, samples]
        for sample in range(N_SAMPLES):
            filters[at, :, sample] = taps[samples % N_SAMPLES == sample].mean(axis=0)
    return filters


def apply_filter(features: FloatArray, filters: FloatArray) -> FloatArray:
    """Return what a filter makes of features, without bias.

    Args:
        features: float32, (n, n_positions * 8).
        filters: the filter.

    Returns:
        float32, (n, 2000).
    """
    maps = features.reshape(len(features), -1, N_FEATURES)
    half = FILTER_LEN // 2
    padded = np.pad(maps, ((0, 0), (half, half), (0, 0)))
    around = np.lib.stride_tricks.sliding_window_view(padded, FILTER_LEN, axis=1)
    taps = filters.transpose(1, 0, 2).reshape(-1, N_SAMPLES)
    made = around.reshape(*maps.shape[:2], -1) @ taps
    samples = np.arange(SEGMENT_LEN)
    middle = np.minimum(samples // N_SAMPLES, maps.shape[1] - 1)
    return np.asarray(made[:, middle, samples % N_SAMPLES])


class FactoredDense:
    """The last dense layer as a convolution and two thin layers beside it.

    `apply_filter(features) + (features @ a) @ b + bias`

    Args:
        arrays: `filter` float32, see `experiments.networks.dense2018`; `a` int8,
            (n_features, rank), with one `a_step` a column; `b` int8, (rank, 2000), with
            one `b_step` a row; `bias` float32, (2000,).
    """

    def __init__(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Expand the factors to float32."""
        self.filter = arrays["filter"]
        self.a = arrays["a"].astype(np.float32) * arrays["a_step"]
        self.b = arrays["b"].astype(np.float32) * arrays["b_step"][:, None]
        self.bias = arrays["bias"]

    def __call__(self, features: FloatArray) -> FloatArray:
        """Return scaled samples: float32 (n, n_features) -> (n, 2000)."""
        beside = (features @ self.a) @ self.b
        return apply_filter(features, self.filter) + beside + self.bias
