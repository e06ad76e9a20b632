# SPDX-License-Identifier: Apache-2.0
"""The dense layer as a convolution and a rest."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.networks.dense2018 import (
    FILTER_LEN,
    N_FEATURES,
    N_SAMPLES,
    FactoredDense,
    apply_filter,
    fold_kernel,
    unfold_filter,
)
from experiments.networks.segments2018 import SEGMENT_LEN


@pytest.mark.parametrize("n_positions", [992, 1000])
def test_a_filter_and_its_kernel_do_the_same(
    rng: np.random.Generator, n_positions: int
) -> None:
    filters = rng.normal(size=(FILTER_LEN, N_FEATURES, N_SAMPLES)).astype(np.float32)
    features = rng.normal(size=(3, n_positions * N_FEATURES)).astype(np.float32)
    kernel = unfold_filter(filters, n_positions)
    assert kernel.shape == (n_positions * N_FEATURES, SEGMENT_LEN)
    expected = features @ kernel
    assert np.allclose(apply_filter(features, filters), expected, atol=1e-3)
    assert np.allclose(fold_kernel(kernel), filters, atol=1e-5)


def test_a_filter_reads_the_positions_around_its_samples() -> None:
    filters = np.zeros((FILTER_LEN, N_FEATURES, N_SAMPLES), np.float32)
    filters[FILTER_LEN // 2 + 1, 3, 1] = 2.0  # the position after, to the odd sample
    features = np.zeros((1, 992, N_FEATURES), np.float32)
    features[0, 100, 3] = 1.0
    made = apply_filter(features.reshape(1, -1), filters)
    assert np.flatnonzero(made[0]).tolist() == [2 * 99 + 1]
    assert made[0, 199] == 2.0


def test_the_shipped_form_gives_the_dense_layer(rng: np.random.Generator) -> None:
    from experiments.train.cae_export import factor_dense

    n_features = 992 * N_FEATURES
    filters = rng.normal(size=(FILTER_LEN, N_FEATURES, N_SAMPLES)).astype(np.float32)
    left = rng.normal(size=(n_features, 12)).astype(np.float32)
    right = rng.normal(size=(12, SEGMENT_LEN)).astype(np.float32)
    kernel = unfold_filter(filters, 992) + 0.02 * (left @ right)
    bias = rng.normal(size=SEGMENT_LEN).astype(np.float32)
    features = np.maximum(rng.normal(size=(40, n_features)), 0.0).astype(np.float32)
    outputs = features @ kernel + bias
    of_rank = factor_dense(kernel, bias, features)
    errors = [
        float(np.std(FactoredDense(of_rank(rank))(features) - outputs))
        for rank in (4, 12)
    ]
    assert errors[0] > 2.0 * errors[1]
    assert errors[1] < 0.03 * outputs.std()  # 8 bits a number are left
