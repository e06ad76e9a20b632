# SPDX-License-Identifier: Apache-2.0
"""The measures against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dynamic_deep import metrics
from dynamic_deep.errors import InvalidSignalError

# sum x^2 = 30, mean 2.5, sum (x - 2.5)^2 = 5, sum (x - 1)^2 = 14, errors 1, 0, 0, -1
X = np.array([1, 2, 3, 4], dtype=np.int16)
X_HAT = np.array([0, 2, 3, 5], dtype=np.int16)


def test_the_four_prds():
    assert metrics.prd(X, X_HAT) == pytest.approx(100 * math.sqrt(2 / 30))
    assert metrics.prd1(X, X_HAT, baseline=2) == pytest.approx(100 * math.sqrt(2 / 6))
    assert metrics.prd01(X, X_HAT) == pytest.approx(100 * math.sqrt(2 / 14))
    assert metrics.prdn(X, X_HAT) == pytest.approx(100 * math.sqrt(2 / 5))


def test_error_measures():
    assert metrics.rmse(X, X_HAT) == pytest.approx(math.sqrt(0.5))
    assert metrics.max_error(X, X_HAT) == 1.0
    assert metrics.snr_db(X, X_HAT) == pytest.approx(10 * math.log10(2.5))
    prdn = metrics.prdn(X, X_HAT)
    assert metrics.snr_db(X, X_HAT) == pytest.approx(-20 * math.log10(prdn / 100))


def test_integers_do_not_wrap_around():
    x = np.array([32767, -32768], dtype=np.int16)
    assert metrics.max_error(x, -1 - x) == 65535.0
    assert metrics.rmse(x, -1 - x) == 65535.0


def test_offset_changes_prd_but_not_prdn():
    assert metrics.prd(X + 1024, X_HAT + 1024) < metrics.prd(X, X_HAT) / 50
    assert metrics.prdn(X + 1024, X_HAT + 1024) == metrics.prdn(X, X_HAT)
    shifted = metrics.prd1(X + 1024, X_HAT + 1024, baseline=1024)
    assert shifted == pytest.approx(metrics.prd(X, X_HAT))


def test_flat_and_perfect_signals():
    flat = np.full(5, 7)
    assert metrics.prdn(flat, flat) == 0.0
    assert metrics.prdn(flat, flat + 1) == math.inf
    assert metrics.snr_db(X, X) == math.inf
    assert metrics.snr_db(flat, flat + 1) == -math.inf


def test_gains():
    assert metrics.compression_gain(9000, 250) == 72.0
    assert metrics.compression_gain(9000, 250, adc_bits=24) == 108.0
    assert metrics.bits_per_sample(9000, 250) == pytest.approx(2000 / 9000)
    # A quarter sent raw: the mean of ratios says 48.25, the bytes say 3.8.
    sizes = [(17920, 280)] * 3 + [(17920, 17920)]
    assert metrics.aggregate_gain(sizes) == pytest.approx(4 / (3 / 64 + 1))


@pytest.mark.parametrize(
    ("x", "x_hat"),
    [([1, 2], [1]), ([], []), ([1, np.nan], [1, 2]), ([1, 2], [1, np.inf])],
)
def test_bad_pairs_are_refused(x, x_hat):
    for measure in (metrics.prd, metrics.prdn, metrics.rmse, metrics.max_error):
        with pytest.raises(InvalidSignalError):
            measure(x, x_hat)


def test_empty_sizes_are_refused():
    for call in (
        lambda: metrics.compression_gain(10, 0),
        lambda: metrics.compression_gain(0, 10),
        lambda: metrics.aggregate_gain([]),
        lambda: metrics.aggregate_gain([(0, 0)]),
    ):
        with pytest.raises(InvalidSignalError):
            call()
