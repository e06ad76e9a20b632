# SPDX-License-Identifier: Apache-2.0
"""`tasks.rpeaks`: same beats within 50 ms, and what the edge of a window excuses."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_deep.config import SEGMENT_LEN, WINDOW_LEN
from dynamic_deep.errors import ConfigError, InvalidSignalError
from dynamic_deep.tasks.rpeaks import STRIDE, Peaks, RPeaksTask, changed_segments
from tests.tasks.small_networks import ANY_NETWORK, tents

ERRORS = RPeaksTask(ANY_NETWORK)  # to ask for errors, never for answers
BEATS = st.lists(st.integers(0, WINDOW_LEN - 1), max_size=20).map(
    lambda at: np.array(sorted(at), np.float64)
)


@pytest.fixture(scope="module")
def task(rpeaks_content: bytes) -> RPeaksTask:
    return RPeaksTask(rpeaks_content)


@pytest.mark.parametrize("n_samples", [WINDOW_LEN, 1120, 10_079, 1001])
def test_peaks_are_where_the_map_has_them(task: RPeaksTask, n_samples: int) -> None:
    at = [100.0, 350.5, 700.25, n_samples - 60.0]
    found = task.answer(tents(at, n_samples))
    assert found.dtype == np.float64
    assert len(found) == len(at)
    assert np.abs(found - at).max() < 0.3
    assert found.n_samples == n_samples


class LateBeat:
    """Stands for a network that sees a beat in what a window is filled up with."""

    def run(self, x: np.ndarray) -> list[np.ndarray]:
        assert x.shape[1] % STRIDE == 0
        return [1.0 - tents([100.0, 505.0], x.shape[1])[None, :, None]]


def test_no_peak_lies_after_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    task = RPeaksTask(ANY_NETWORK)
    monkeypatch.setattr(task, "_network", LateBeat())
    assert task.answer(np.zeros(520, np.float32)) == pytest.approx([100.0, 505.0])
    assert task.answer(np.zeros(506, np.float32)) == pytest.approx([100.0, 505.0])
    assert task.answer(np.zeros(504, np.float32)) == pytest.approx([100.0])


@pytest.mark.parametrize("n_samples", [1, 2, 15])
def test_the_shortest_windows_have_an_answer(task: RPeaksTask, n_samples: int) -> None:
    assert len(task.answer(np.zeros(n_samples, np.float32))) == 0


def test_what_is_no_window_is_refused() -> None:
    with pytest.raises(InvalidSignalError, match="one lead at a time"):
        ERRORS.answer(np.zeros((WINDOW_LEN, 2), np.float32))


def test_error_by_hand() -> None:
    reference = Peaks([1000.0, 1300.0, 1600.0, 1900.0])
    # 15 samples away is 50 ms: the same beat. One more is not; 2500 is nobody's.
    found = Peaks([1015.0, 1300.0, 1616.0, 1900.0, 2500.0])
    assert ERRORS.error(reference, found) == pytest.approx(1.0 - 2 * 3 / 9)


@pytest.mark.parametrize(
    ("reference", "found", "error"),
    [([], [], 0.0), ([500.0], [], 1.0), ([], [500.0], 1.0), ([500.0], [500.0], 0.0)],
)
def test_error_of_few_beats(
    reference: list[float], found: list[float], error: float
) -> None:
    assert ERRORS.error(Peaks(reference), Peaks(found)) == error


def test_a_lone_beat_at_the_edge_is_no_error() -> None:
    beats = [500.0]
    for at in (2.0, 15.0, 984.0, 998.5):
        lone = Peaks(sorted([*beats, at]), 1000)
        assert ERRORS.error(Peaks(beats, 1000), lone) == 0.0
        assert ERRORS.error(lone, Peaks(beats, 1000)) == 0.0
    for at in (16.0, 983.0):
        lone = Peaks(sorted([*beats, at]), 1000)
        assert ERRORS.error(Peaks(beats, 1000), lone) == pytest.approx(1 - 2 / 3)
    # Without its length a window is taken for a whole one.
    assert ERRORS.error(np.array(beats), np.array([500.0, 8950.0])) == 0.0
    assert ERRORS.error(np.array(beats), np.array([500.0, 990.0])) > 0.0


@given(BEATS, BEATS)
def test_error_is_symmetric_and_within_0_and_1(a: np.ndarray, b: np.ndarray) -> None:
    error = ERRORS.error(Peaks(a), Peaks(b))
    assert 0.0 <= error <= 1.0
    assert error == ERRORS.error(Peaks(b), Peaks(a))
    assert ERRORS.error(Peaks(a), Peaks(a)) == 0.0


def test_answers_of_two_windows_are_not_compared() -> None:
    with pytest.raises(ConfigError, match="windows of 1120 and 8960 samples"):
        ERRORS.error(Peaks([500.0]), Peaks([500.0], 1120))


def test_there_are_no_labels() -> None:
    assert ERRORS.references == ("raw",)
    with pytest.raises(ConfigError, match="choose raw"):
        ERRORS.label_error("N", Peaks([]))


def test_a_windows_length_goes_where_its_peaks_go() -> None:
    peaks = Peaks([10.0, 20.0, 30.0], 1120)
    for other in (peaks[1:], peaks.copy(), pickle.loads(pickle.dumps(peaks))):
        assert other.n_samples == 1120
    assert pickle.loads(pickle.dumps(peaks)).tolist() == [10.0, 20.0, 30.0]


def test_changed_segments_by_hand() -> None:
    reference = np.array([100.0, 2239.0, 2600.0, 7000.0, 8950.0])
    # 2239 and 2250 lie in two segments but are the same beat; 2600 went missing; 5000
    # is new; 7000 moved within 50 ms; 8950 may be the next window's.
    answer = np.array([100.0, 2250.0, 5000.0, 7015.0])
    changed = changed_segments(reference, answer, WINDOW_LEN)
    assert changed.dtype == np.bool_
    assert changed.tolist() == [False, True, True, False]


def test_a_beat_that_moves_far_changes_both_segments() -> None:
    changed = changed_segments(np.array([2200.0]), np.array([2300.0]), WINDOW_LEN)
    assert changed.tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("n_samples", "n_segments"), [(1120, 1), (2240, 1), (2241, 2), (10_079, 5)]
)
def test_a_part_of_a_segment_is_a_segment(n_samples: int, n_segments: int) -> None:
    changed = changed_segments(np.array([500.0]), np.array([]), n_samples)
    assert changed.tolist() == [True] + [False] * (n_segments - 1)


@given(BEATS, BEATS)
def test_segments_are_changed_just_where_the_error_is_not_0(
    a: np.ndarray, b: np.ndarray
) -> None:
    changed = changed_segments(a, b, WINDOW_LEN)
    assert len(changed) == WINDOW_LEN // SEGMENT_LEN
    assert changed.any() == (ERRORS.error(Peaks(a), Peaks(b)) > 0.0)


@pytest.mark.parametrize("size", ["compact"])
def test_a_built_network_takes_windows_of_any_length(
    size: str, rng: np.random.Generator
) -> None:
    """LiteRT first prepares it for one sample, which halving leaves at one."""
    pytest.importorskip("tensorflow", reason="needs the extra `train`")
    from training.lite import convert
    from training.task_networks import build_task_network

    model = build_task_network("rpeaks", size)
    content = convert(lambda x: model(x, training=False), [((1, None, 1), "float32")])
    task = RPeaksTask(content)
    for n_samples in (WINDOW_LEN, 1120, 10_079, 1):
        x = rng.normal(0.0, 1.0, n_samples).astype(np.float32)
        assert task.answer(x).n_samples == n_samples
