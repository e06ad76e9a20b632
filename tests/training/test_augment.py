# SPDX-License-Identifier: Apache-2.0
"""`training.augment`: a stretch of a lead, as another day might have given it."""

from __future__ import annotations

import numpy as np
import pytest

from training import augment
from training.augment import MAX_WARP, crop, disturb


def test_a_stretch_says_where_it_comes_from() -> None:
    ramp = np.arange(20_000, dtype=np.float32)
    paces = []
    for seed in range(40):
        stretch, start, pace = crop(ramp, 8960, np.random.default_rng(seed))
        assert stretch.shape == (8960,)
        assert stretch.dtype == np.float32
        # Of a ramp each sample tells its place.
        assert np.abs(stretch - (start + pace * np.arange(8960))).max() < 1e-2
        paces.append(pace)
    as_it_is = [pace == 1.0 for pace in paces]
    assert 8 < sum(as_it_is) < 32
    assert max(paces) <= np.exp(MAX_WARP)
    assert min(paces) >= np.exp(-MAX_WARP)
    assert max(paces) > 1.02
    assert min(paces) < 0.98


def test_a_lead_of_just_that_length_is_enough() -> None:
    ramp = np.arange(500, dtype=np.float32)
    for seed in range(30):
        stretch, _, pace = crop(ramp, 500, np.random.default_rng(seed))
        assert stretch.shape == (500,)
        assert pace <= 1.0
        assert stretch.max() <= 499


def test_a_disturbed_window_is_a_new_one(rng: np.random.Generator) -> None:
    x = rng.normal(0, 100, 8960).astype(np.float32)
    kept = x.copy()
    changed = 0
    for seed in range(30):
        y = disturb(x, np.random.default_rng(seed))
        again = disturb(x, np.random.default_rng(seed))
        assert (y == again).all()
        assert y.dtype == np.float32
        assert y.shape == x.shape
        changed += not (y == x).all()
    assert (x == kept).all()
    assert 10 < changed < 30  # most, and not all


@pytest.mark.parametrize(
    ("share", "most"), [("NOISE_SHARE", 0.3), ("WANDER_SHARE", 1.0)]
)
def test_disturbances_are_in_units_of_the_deviation(
    monkeypatch: pytest.MonkeyPatch, share: str, most: float
) -> None:
    for name in ("NOISE_SHARE", "WANDER_SHARE", "BURST_SHARE"):
        monkeypatch.setattr(augment, name, 1.0 if name == share else 0.0)
    x = 50.0 * np.sin(np.arange(8960) / 7.0).astype(np.float32)
    for seed in range(10):
        small = disturb(x, np.random.default_rng(seed)) - x
        large = disturb(10 * x, np.random.default_rng(seed)) - 10 * x
        assert 0 < small.std() < most * x.std()
        assert np.allclose(large, 10 * small, atol=1e-2 * x.std())


def test_a_burst_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOISE_SHARE", "WANDER_SHARE", "BURST_SHARE"):
        monkeypatch.setattr(augment, name, float(name == "BURST_SHARE"))
    x = np.sin(np.arange(8960) / 7.0).astype(np.float32)
    touched = np.flatnonzero(disturb(x, np.random.default_rng(1)) - x)
    assert 90 <= touched[-1] - touched[0] + 1 <= 900
