# SPDX-License-Identifier: Apache-2.0
"""`training.beat_doubts`: how near beats are to being others, on maps made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dynamic_deep.tasks.peaks import find_peaks
from training.beat_doubts import N_DOUBTS, beat_doubts, quarter_shares

TENT = 60  # samples from a top to its foot


def map_of(tops: dict[int, float], length: int = 2 * 2240) -> np.ndarray:
    """A distance map with a tent of a height at each place."""
    at = np.arange(length)
    nearness = np.zeros(length)
    for place, height in tops.items():
        nearness = np.maximum(nearness, height * (1.0 - np.abs(at - place) / TENT))
    return 1.0 - nearness


def test_faintest_beat_and_highest_bump_of_each_segment() -> None:
    distance = map_of({300: 1.0, 700: 0.7, 1100: 0.3, 1500: 0.4, 2600: 0.9, 3000: 0.95})
    assert len(find_peaks(distance)) == 4
    doubts = beat_doubts(distance)
    assert doubts.shape == (2, N_DOUBTS)
    assert doubts.dtype == np.float32
    # Smoothing takes a little off each top.
    assert doubts[0, :2] == pytest.approx([0.7, 0.4], abs=0.05)
    assert doubts[1, :2] == pytest.approx([0.9, 0.0], abs=0.05)


def test_a_high_bump_that_hardly_stands_out_is_far_from_a_beat() -> None:
    """It counts by its prominence: 0.8 high, but 0.1 above the saddle beside it."""
    distance = map_of({300: 1.0}, length=2240)
    distance[310:500] = np.minimum(distance[310:500], 0.3)
    distance[440:460] = 0.2
    assert len(find_peaks(distance)) == 1
    assert beat_doubts(distance)[0, 1] == pytest.approx(0.1 + 0.3, abs=0.03)


def test_a_flat_map_has_no_doubts() -> None:
    assert beat_doubts(np.ones(2240)).tolist() == [[1.0, 0.0, 0.0, 0.0, 0.0, 1.0]]


def test_shares_by_quarter() -> None:
    found = quarter_shares(np.array([0.0, 0.1, 0.3, 0.9, 1.0]))
    assert found == pytest.approx([0.4, 0.2, 0.0, 0.4])
