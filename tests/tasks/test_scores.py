# SPDX-License-Identifier: Apache-2.0
"""`tasks.scores`: the formulas of the glossary, by examples worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks.scores import BeatScores, beat_scores, rhythm_scores


def test_rhythm_scores_by_hand() -> None:
    # A: 2 of 2 right, 3 decided: F1 = 4/5.  N: 3 of 4, 3 decided: 6/7.
    # O: 1 of 2, 2 decided: 2/4.  ~: 0 of 1, 1 decided: 0.
    true = list("AANNNNOO~")
    decided = list("AANNNAO~O")
    scores = rhythm_scores(true, decided)
    assert scores.f1 == pytest.approx({"A": 4 / 5, "N": 6 / 7, "O": 2 / 4, "~": 0.0})
    assert scores.mean_nao == pytest.approx((4 / 5 + 6 / 7 + 2 / 4) / 3)
    assert scores.macro_f1 == pytest.approx((4 / 5 + 6 / 7 + 2 / 4 + 0.0) / 4)
    weighted = (2 * 4 / 5 + 4 * 6 / 7 + 2 * 2 / 4 + 1 * 0.0) / 9
    assert scores.weighted_f1 == pytest.approx(weighted)
    assert scores.n_windows == 9


def test_a_class_that_never_occurs_is_left_out_of_the_means() -> None:
    scores = rhythm_scores(list("NNO"), list("NNN"))
    assert math.isnan(scores.f1["A"])
    assert math.isnan(scores.f1["~"])
    # N: 2 of 2, 3 decided: 4/5. O: never decided, but there: 0.
    assert scores.mean_nao == pytest.approx((4 / 5 + 0.0) / 2)
    assert scores.macro_f1 == pytest.approx(scores.mean_nao)
    assert scores.weighted_f1 == pytest.approx((2 * 4 / 5 + 0.0) / 3)


def test_a_class_decided_where_it_never_is_costs_macro_but_no_weight() -> None:
    scores = rhythm_scores(list("NN"), list("N~"))
    assert scores.f1["~"] == 0.0
    assert scores.macro_f1 == pytest.approx((2 / 3 + 0.0) / 2)
    assert scores.weighted_f1 == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("true", "decided", "message"),
    [
        ([], [], "at least one; got 0 and 0"),
        (["A"], ["A", "N"], "got 1 and 2"),
        (["A"], ["X"], "must be one of A, N, O, ~; got X"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    true: list[str], decided: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        rhythm_scores(true, decided)


def test_beat_scores_by_hand() -> None:
    reference = np.array([100.0, 400.0, 700.0, 1000.0])
    found = np.array([103.0, 396.0, 850.0, 1000.0, 1300.0])
    scores = beat_scores(reference, found, 0.05)
    assert (scores.n_matched, scores.n_missed, scores.n_extra) == (3, 1, 2)
    assert scores.sensitivity == pytest.approx(3 / 4)
    assert scores.ppv == pytest.approx(3 / 5)
    assert scores.f1 == pytest.approx(6 / 9)
    # 3, 4 and 0 samples are 10, 13.3 and 0 ms.
    assert scores.jitter_ms == pytest.approx(math.sqrt((100 + 1600 / 9) / 3))


def test_a_wider_tolerance_takes_more_partners() -> None:
    reference, found = np.array([500.0]), np.array([545.0])  # 150 ms
    assert beat_scores(reference, found, 0.15).f1 == 1.0
    assert beat_scores(reference, found, 0.05).f1 == 0.0


def test_lone_beats_at_the_edge_of_a_window_are_excused() -> None:
    reference, found = np.array([3.0, 500.0]), np.array([500.0, 995.0])
    assert beat_scores(reference, found, 0.05, n_samples=1000).f1 == 1.0
    assert beat_scores(reference, found, 0.05).f1 == pytest.approx(2 / 4)


def test_scores_of_two_records_add_up() -> None:
    one = beat_scores(np.array([100.0, 400.0]), np.array([106.0]), 0.05)
    other = beat_scores(np.array([100.0]), np.array([100.0, 900.0]), 0.05)
    both = BeatScores(n_matched=2, n_missed=1, n_extra=1, squared_ms=400.0)
    assert one + other == both
    assert (one + other).f1 == pytest.approx(4 / 6)
    assert sum([one, other], BeatScores()) == both


def test_without_beats_nothing_is_known() -> None:
    scores = beat_scores(np.array([]), np.array([]), 0.05)
    for value in (scores.f1, scores.sensitivity, scores.ppv, scores.jitter_ms):
        assert math.isnan(value)
