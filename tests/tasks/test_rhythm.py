# SPDX-License-Identifier: Apache-2.0
"""`tasks.rhythm`: the answer is the network's, the errors are the glossary's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dynamic_deep.errors import ConfigError, InvalidSignalError, ModelError
from dynamic_deep.tasks.rhythm import CLASSES, RhythmTask
from tests.tasks.small_networks import ANY_NETWORK, sampled_softmax

ERRORS = RhythmTask(ANY_NETWORK)  # to ask for errors, never for answers
ANSWERS = arrays(np.float32, (3, 4), elements=st.floats(0.0, 1.0, width=32)).map(
    lambda raw: (raw + 1e-3) / (raw + 1e-3).sum(axis=-1, keepdims=True)
)


@pytest.fixture(scope="module")
def task(rhythm_content: bytes) -> RhythmTask:
    return RhythmTask(rhythm_content)


@pytest.mark.parametrize("n_samples", [8960, 1120, 10079, 256, 511])
def test_an_answer_has_a_row_every_256_samples(
    task: RhythmTask, rng: np.random.Generator, n_samples: int
) -> None:
    x = rng.normal(3.0, 0.7, n_samples).astype(np.float32)
    answer = task.answer(x)
    assert answer.dtype == np.float32
    assert answer.shape == (n_samples // 256, len(CLASSES))
    whole = n_samples // 256 * 256
    expected = sampled_softmax((x[:whole] - x.mean()) / x.std())
    assert np.abs(answer - expected).max() < 1e-5


def test_a_window_shorter_than_a_row_is_held_to_its_end(task: RhythmTask) -> None:
    x = np.array([1.0, 4.0, 4.0], np.float32)
    held = np.concatenate([x, np.full(253, 4.0, np.float32)])
    standard = (held - x.mean()) / x.std()
    assert task.answer(x) == pytest.approx(sampled_softmax(standard), abs=1e-5)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 2e5])
def test_the_unit_makes_no_difference(
    task: RhythmTask, rng: np.random.Generator, unit: float
) -> None:
    x = rng.normal(0.0, 1.0, 8960).astype(np.float32)
    changed = ((x.astype(np.float64) + 30.0) * unit).astype(np.float32)
    assert np.abs(task.answer(changed) - task.answer(x)).max() < 1e-4


@pytest.mark.parametrize("value", [0.0, 1024.0, -1e7, 0.1])
def test_a_flat_window_has_an_answer(task: RhythmTask, value: float) -> None:
    answer = task.answer(np.full(8960, value, np.float32))
    assert np.allclose(answer, 0.25)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((1, 8960), np.float32), r"shape \(n_samples,\), got \(1, 8960\)"),
        (np.zeros(0, np.float32), r"got \(0,\)"),
        (np.array([0.0, math.nan, math.inf], np.float32), "got 2 that are not"),
    ],
)
def test_what_is_no_window_is_refused(x: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidSignalError, match=message):
        ERRORS.answer(x)


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ModelError, match="task_rhythm"):
        RhythmTask(b"TFL3")


def test_a_window_is_of_the_class_likeliest_on_average() -> None:
    # O is likeliest in two of three rows, but A on average.
    answer = np.array(
        [[0.3, 0.2, 0.4, 0.1], [0.35, 0.1, 0.45, 0.1], [0.9, 0.1, 0.0, 0.0]]
    )
    assert ERRORS.decide(answer) == "A"
    # O has the surest row, but A is likeliest on average.
    answer = np.array([[0.6, 0.3, 0.1, 0.0]] * 2 + [[0.05, 0.0, 0.95, 0.0]])
    assert ERRORS.decide(answer) == "A"
    assert [ERRORS.decide(np.eye(4)[[i]]) for i in range(4)] == list(CLASSES)


def test_divergence_by_hand() -> None:
    raw = np.array([[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]], np.float32)
    decoded = np.array([[0.25, 0.75, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]], np.float32)
    # Row 1: 0.5 ln 2 + 0.5 ln 2/3 = 0.5 ln 4/3; row 2: 0.
    assert ERRORS.error(raw, decoded) == pytest.approx(0.25 * math.log(4 / 3), rel=1e-5)
    # The other way: 0.25 ln 1/2 + 0.75 ln 3/2.
    other = 0.25 * math.log(1 / 2) + 0.75 * math.log(3 / 2)
    assert ERRORS.error(decoded, raw) == pytest.approx(other / 2, rel=1e-5)


def test_an_impossible_class_costs_much_but_not_without_end() -> None:
    sure = np.array([[1.0, 0.0, 0.0, 0.0]], np.float32)
    wrong = np.array([[0.0, 1.0, 0.0, 0.0]], np.float32)
    assert ERRORS.error(sure, wrong) == pytest.approx(math.log(1e6), rel=1e-3)


@given(ANSWERS, ANSWERS)
def test_divergence_is_zero_only_for_the_same_answer(
    raw: np.ndarray, decoded: np.ndarray
) -> None:
    assert ERRORS.error(raw, raw) == 0.0
    # Pinsker: the divergence is at least half of the squared total difference.
    apart = np.abs(raw.astype(np.float64) - decoded).sum(axis=-1)
    assert ERRORS.error(raw, decoded) >= 0.5 * np.mean(apart**2) - 1e-5


def test_answers_of_two_windows_are_not_compared() -> None:
    with pytest.raises(ConfigError, match=r"got \(35, 4\) and \(4, 4\)"):
        ERRORS.error(np.full((35, 4), 0.25), np.full((4, 4), 0.25))


def test_cross_entropy_by_hand() -> None:
    answer = np.array([[0.5, 0.3, 0.2, 0.0], [0.25, 0.65, 0.1, 0.0]], np.float32)
    expected = {
        "A": (math.log(2) + math.log(4)) / 2,
        "N": -(math.log(0.3) + math.log(0.65)) / 2,
        "O": -(math.log(0.2) + math.log(0.1)) / 2,
        "~": math.log(1e6),
    }
    found = {label: ERRORS.label_error(label, answer) for label in CLASSES}
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("label", ["X", "", None, 0])
def test_an_unknown_label_is_refused(label: object) -> None:
    with pytest.raises(ConfigError, match="must be one of A, N, O, ~; got"):
        ERRORS.label_error(label, np.full((35, 4), 0.25))


def test_the_classes_are_those_that_the_network_is_built_for() -> None:
    pytest.importorskip("tensorflow", reason="needs the extra `train`")
    from dynamic_deep.networks import rhythm as builder
    from dynamic_deep.tasks.rhythm import STEP_LEN

    assert builder.CLASSES == CLASSES
    assert builder.STEP_LEN == STEP_LEN
