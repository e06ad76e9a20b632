# SPDX-License-Identifier: Apache-2.0
"""`segments`: where windows begin and end, and the way to the model's rate and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_deep.config import MIN_TAIL_LEN, WINDOW_LEN
from dynamic_deep.container import WindowGeometry
from dynamic_deep.errors import InvalidSignalError
from dynamic_deep.segments import (
    check_fs,
    from_model_rate,
    min_tail_len,
    model_len,
    n_segments,
    to_model_rate,
    window_bounds,
    window_start,
)

RATES = [50, 62.4725, 99.99, 128, 250, 257, 257.0625, 300, 359.5, 360, 500, 1000, 2000]


@pytest.mark.parametrize("fs", RATES)
def test_windows_tile_every_length(fs: float) -> None:
    window, tail = window_start(1, fs), min_tail_len(fs)
    near = [1, 2, tail - 1, tail, tail + 1, window - 1, window, window + 1]
    near += [window + tail - 1, window + tail, 2 * window + 3, 7 * window + tail]
    for n_samples in [n for n in near if n > 0]:
        bounds = window_bounds(n_samples, fs)
        assert bounds[0][0] == 0
        assert bounds[-1][1] == n_samples
        assert [stop for _, stop in bounds[:-1]] == [start for start, _ in bounds[1:]]
        assert [start for start, _ in bounds] == [
            window_start(i, fs) for i in range(len(bounds))
        ]
        last = bounds[-1][1] - bounds[-1][0]
        assert last <= window + 1 + tail
        assert last >= tail or len(bounds) == 1


def test_a_short_tail_joins_the_window_before_it() -> None:
    assert MIN_TAIL_LEN == 1120
    assert window_bounds(8960 + 1119, 300.0) == [(0, 10079)]
    assert window_bounds(8960 + 1120, 300.0) == [(0, 8960), (8960, 10080)]
    assert window_bounds(100, 300.0) == [(0, 100)]
    assert window_bounds(0, 300.0) == []
    # 360 Hz: a window is 10752 samples, the shortest tail 1344.
    assert window_bounds(10752 + 1343, 360.0) == [(0, 12095)]
    assert window_bounds(10752 + 1344, 360.0) == [(0, 10752), (10752, 12096)]


@given(st.floats(1.0, 100_000.0), st.integers(0, 100_000))
def test_the_container_places_windows_at_the_same_samples(fs: float, idx: int) -> None:
    assert WindowGeometry().window_start(idx, fs) == window_start(idx, fs)


@given(st.floats(50.0, 2000.0), st.integers(0, 10_000))
def test_a_whole_window_is_whole_at_the_models_rate(fs: float, idx: int) -> None:
    n_samples = window_start(idx + 1, fs) - window_start(idx, fs)
    assert model_len(n_samples, fs) == WINDOW_LEN
    assert n_segments(n_samples, fs) == 4


def test_segments_are_counted_by_hand() -> None:
    counts = {1: 1, 2240: 1, 2241: 2, 8960: 4, 9000: 5, 10_079: 5}
    assert {n: n_segments(n, 300.0) for n in counts} == counts


@pytest.mark.parametrize("fs", [0.0, -300.0, math.nan, math.inf, 0.5, 100_001.0])
def test_an_impossible_rate_is_refused(fs: float) -> None:
    with pytest.raises(InvalidSignalError, match="fs"):
        check_fs(fs)


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("n_samples", [1, 2, 3, 11, 100, 1500])
def test_lengths_and_levels_survive_at_any_length(fs: float, n_samples: int) -> None:
    x = np.full(n_samples, 700.0)
    at_model_rate = to_model_rate(x, fs)
    assert at_model_rate.shape == (model_len(n_samples, fs),)
    back = from_model_rate(at_model_rate, fs, n_samples)
    assert back.shape == (n_samples,)
    # A level is kept within the ripple of the resampling filter.
    assert np.abs(back - 700.0).max() < 700.0 * 0.005


@pytest.mark.parametrize("fs", RATES)
def test_a_slow_wave_comes_back_in_its_place(fs: float) -> None:
    n_samples = window_start(1, fs)
    at = np.arange(n_samples) / fs
    x = 1000 * np.sin(2 * np.pi * 1.3 * at) + 300 * np.cos(2 * np.pi * 8.0 * at)
    y = to_model_rate(x, fs)
    at_model = np.arange(WINDOW_LEN) / 300.0
    expected = 1000 * np.sin(2 * np.pi * 1.3 * at_model)
    expected += 300 * np.cos(2 * np.pi * 8.0 * at_model)
    inside = slice(60, -60)
    error = np.abs(y - expected)[inside].max()
    assert error < 8.0  # of 1300; a shift of one sample would be 50
    back = from_model_rate(y, fs, n_samples)
    edge = math.ceil(0.2 * fs)
    assert np.abs(back - x)[edge:-edge].max() < 12.0


@pytest.mark.parametrize("fs", [250.0, 360.0, 1000.0])
def test_a_steep_end_keeps_its_place(fs: float) -> None:
    x = 1000 * np.sin(2 * np.pi * 5.0 * np.arange(window_start(1, fs)) / fs)
    back = from_model_rate(to_model_rate(x, fs), fs, len(x))
    assert np.abs(back - x)[:6].max() < 1.0


@pytest.mark.parametrize("fs", [250.0, 360.0, 1000.0])
def test_an_electrodes_offset_leaves_no_ripple(fs: float) -> None:
    x = 1000 * np.sin(2 * np.pi * 1.3 * np.arange(window_start(1, fs)) / fs)
    plain = to_model_rate(x, fs)
    raised = to_model_rate(x + 2_000_000, fs)
    assert np.abs(raised - 2_000_000.0 - plain).max() < 0.5  # float32 at 2,000,000


def test_the_models_own_rate_changes_nothing(rng: np.random.Generator) -> None:
    x = rng.normal(0, 1000, 9000).astype(np.float32)
    assert (to_model_rate(x, 300.0)[:9000] == x[: model_len(9000, 300.0)]).all()
    assert (from_model_rate(x, 300.0, 9000) == x).all()
