# SPDX-License-Identifier: Apache-2.0
"""A neural level is carried only if it is clearly above the wavelet."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

from dynamic_deep.bundle import load_bundle
from dynamic_deep.synthetic import simulate_ecg
from training.worth import advantage, wavelet_curve


def test_the_advantage_by_hand() -> None:
    curve = np.array([10.0, 20.0, 40.0]), np.array([0.4, 0.1, 0.05])
    assert advantage(curve, prdn=20.0, rate=0.05) == pytest.approx(2.0)
    # Half way on a logarithmic scale: the geometric mean of 0.4 and 0.1.
    assert advantage(curve, prdn=15.0, rate=0.2) == pytest.approx(1.0)
    assert advantage(curve, prdn=90.0, rate=0.1) == pytest.approx(0.5)


def test_the_curve_of_the_shipped_wavelet_falls() -> None:
    x = simulate_ecg(60.0, seed=3).samples[: 2 * 8960, 0].astype(np.float64)
    windows = x.reshape(2, 8960)
    windows -= windows.mean(axis=1, keepdims=True)
    windows /= windows.std(axis=1, keepdims=True)
    tables = load_bundle("classical").tables
    prdn, rate = wavelet_curve(tables, windows.astype(np.float32))
    assert (np.diff(prdn) > 0).all()
    assert (np.diff(rate) < 0).all()
    assert 8 < 16 / rate[2] < 32  # wavelet_16, on a signal that it was not fitted to
