# SPDX-License-Identifier: Apache-2.0
"""`tasks.peaks`: peaks are found where they are, and each has at most one partner."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_deep.tasks.peaks import (
    MIN_GAP,
    find_peaks,
    join_peaks,
    match_peaks,
    unmatched_peaks,
)

TOLERANCE_S = 0.05  # 15 samples
PLACES = st.lists(st.integers(0, 400), max_size=12).map(
    lambda at: np.array(sorted(at), np.float64)
)


def tent_map(at: list[float], n_samples: int, reach: float = 60.0) -> np.ndarray:
    """The distance of each sample to the nearest place, 1 from `reach` on."""
    apart = np.abs(np.arange(n_samples)[:, None] - np.array(at)).min(axis=1)
    return np.minimum(apart / reach, 1.0).astype(np.float32)


def test_peaks_are_found_between_samples() -> None:
    at = [100.0, 350.3, 600.5, 871.75]
    found = find_peaks(tent_map(at, 1000))
    assert len(found) == len(at)
    assert np.abs(found - at).max() < 0.15


def test_a_shift_of_the_map_shifts_the_peaks() -> None:
    distance = tent_map([100.3, 350.6], 500)
    assert find_peaks(distance[20:]) == pytest.approx(find_peaks(distance) - 20.0)


@pytest.mark.parametrize(
    "distance",
    [np.ones(300), np.zeros(300), tent_map([150.0], 300) * 0.4 + 0.6, np.ones(3)],
    ids=["far from all", "flat", "never sure", "three samples"],
)
def test_where_no_peak_is_certain_none_is_found(distance: np.ndarray) -> None:
    assert len(find_peaks(distance)) == 0


def test_a_ragged_minimum_is_one_peak() -> None:
    distance = tent_map([150.0], 300)
    distance[[144, 148, 152, 156]] += 0.08
    found = find_peaks(distance)
    assert len(found) == 1
    assert abs(found[0] - 150.0) < 2.0


@pytest.mark.parametrize("at", [2, 5, 15, 40])
def test_a_beat_near_an_end_is_found(at: float) -> None:
    found = find_peaks(tent_map([at, 150.0, 299.0 - at], 300))
    assert found == pytest.approx([at, 150.0, 299.0 - at], abs=0.5)


def test_a_beat_beyond_an_end_is_not_found() -> None:
    distance = tent_map([100.0, 250.0, 400.0], 500)
    assert find_peaks(distance[102:398]) == pytest.approx([148.0], abs=0.15)
    assert find_peaks(distance[100:401]) == pytest.approx([150.0], abs=0.15)


def test_two_minima_nearer_than_any_heart_beats_are_one() -> None:
    assert len(find_peaks(tent_map([150.0, 150.0 + MIN_GAP + 20], 400))) == 2
    assert len(find_peaks(tent_map([150.0, 150.0 + MIN_GAP - 20], 400, 20.0))) == 1


def test_partners_are_paired_by_hand_computed_example() -> None:
    reference = np.array([100.0, 200.0, 300.0, 400.0, 500.0])
    # 100 and 115 are exactly 50 ms apart, 200 and 216 more; 305 is alone in taking
    # 300, 310 comes too late for it; 400 was missed; 490 is early.
    found = np.array([115.0, 216.0, 305.0, 310.0, 490.0])
    assert match_peaks(reference, found, TOLERANCE_S) == [(0, 0), (2, 2), (4, 4)]
    missed, extra = unmatched_peaks(reference, found, TOLERANCE_S)
    assert missed.tolist() == [200.0, 400.0]
    assert extra.tolist() == [216.0, 310.0]


def test_lone_beats_at_the_edge_do_not_count() -> None:
    # 15 samples at each side are the edge of a window of 1000: 0..15 and 984..999.
    reference = np.array([15.0, 500.0, 983.0])
    found = np.array([16.0 + 15.0, 700.0, 984.0 + 15.0])
    missed, extra = unmatched_peaks(reference, found, TOLERANCE_S, n_samples=1000)
    assert missed.tolist() == [500.0, 983.0]
    assert extra.tolist() == [31.0, 700.0]
    missed, extra = unmatched_peaks(reference, found, TOLERANCE_S)
    assert missed.tolist() == [15.0, 500.0, 983.0]
    assert extra.tolist() == [31.0, 700.0, 999.0]


def test_a_beat_at_the_edge_may_have_a_partner_inside() -> None:
    lone = unmatched_peaks(
        np.array([10.0]), np.array([24.0]), TOLERANCE_S, n_samples=1000
    )
    assert [len(peaks) for peaks in lone] == [0, 0]


def most_pairs(reference: np.ndarray, found: np.ndarray) -> int:
    """The size of the largest pairing, by another road: an assignment of costs."""
    from scipy.optimize import linear_sum_assignment

    may = np.abs(reference[:, None] - found) <= 15.0
    rows, columns = linear_sum_assignment(may, maximize=True)
    return int(may[rows, columns].sum())


@given(PLACES, PLACES)
def test_no_pairing_has_more_pairs(reference: np.ndarray, found: np.ndarray) -> None:
    pairs = match_peaks(reference, found, TOLERANCE_S)
    for side in zip(*pairs, strict=True):
        assert list(side) == sorted(set(side)), "in order, each once"
    assert all(abs(reference[i] - found[j]) <= 15.0 for i, j in pairs)
    assert len(pairs) == most_pairs(reference, found)


@given(PLACES, PLACES)
def test_swapping_the_lists_swaps_the_lone(a: np.ndarray, b: np.ndarray) -> None:
    lone = [len(peaks) for peaks in unmatched_peaks(a, b, TOLERANCE_S)]
    swapped = [len(peaks) for peaks in unmatched_peaks(b, a, TOLERANCE_S)]
    assert lone == swapped[::-1]


def test_a_beat_on_a_border_counts_once() -> None:
    windows = [np.array([50.0, 998.0]), np.array([1.0, 400.0]), np.array([])]
    joined = join_peaks([*windows, np.array([70.0])], [0, 1000, 2000, 3000])
    assert joined.tolist() == [50.0, 998.0, 1400.0, 3070.0]
    assert join_peaks([], []).tolist() == []
