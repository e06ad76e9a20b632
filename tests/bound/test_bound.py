# SPDX-License-Identifier: Apache-2.0
"""`bound`: what is over it, and how likely."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from dynamic_deep.bound import LEAST_ERROR, Bound, channel_of
from dynamic_deep.errors import ConfigError

BOTH = ("rhythm", "rpeaks")


def one(limit: float) -> Bound:
    return Bound(tasks=("rhythm",), limits={"rhythm": limit})


def foretold(bound: Bound, *logs: float, spread: float = 1.0) -> float:
    center = np.array(logs)
    return float(bound.probability(center, np.full_like(center, spread)))


def test_r_peaks_are_measured_against_raw_even_where_rhythm_is_not() -> None:
    assert channel_of("rhythm", "label") == "rhythm:label"
    assert channel_of("rpeaks", "label") == "rpeaks:raw"
    bound = Bound(tasks=BOTH, total=0.1, reference="label")
    assert bound.channels == ("rhythm:label", "rpeaks:raw")
    assert bound.columns(("rpeaks:raw", "own:raw", "rhythm:label")) == [2, 0]


def test_a_task_that_was_not_measured_is_named() -> None:
    bound = Bound(tasks=("qt", "rhythm"), total=0.1)
    with pytest.raises(ConfigError, match=r"\(rhythm:raw, rpeaks:raw\), got qt:raw;"):
        bound.columns(("rhythm:raw", "rpeaks:raw"))


def test_each_task_has_a_limit_of_its_own() -> None:
    bound = Bound(tasks=BOTH, limits={"rhythm": 0.1, "rpeaks": 0.0})
    errors = np.array([[0.1, 0.0], [0.11, 0.0], [0.0, 0.01], [0.5, 0.5]])
    assert bound.is_over(errors).tolist() == [False, True, True, True]


def test_limits_go_by_name_whatever_their_order() -> None:
    bound = Bound(tasks=BOTH, limits={"rpeaks": 0.0, "rhythm": 0.1})
    assert not bound.is_over(np.array([0.1, 0.0]))


def test_one_number_bounds_the_weighted_sum() -> None:
    bound = Bound(tasks=BOTH, total=1.0, weights={"rpeaks": 2.0})
    errors = np.array([[[0.4, 0.3], [0.4, 0.31]], [[1.1, 0.0], [0.0, 0.5]]])
    assert bound.is_over(errors).tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize("limit", [0.1, 0.3, 0.7])
def test_what_meets_the_limit_is_within_it_however_it_is_rounded(limit: float) -> None:
    # 1 - 0.7 is a little more than 0.3, and 0.1 in single precision than in double.
    errors = np.array([[limit], [1.0 - (1.0 - limit)], [np.float32(limit)]])
    assert not one(limit).is_over(errors).any()
    total = Bound(tasks=("rhythm",), total=limit)
    assert not total.is_over(errors.astype(np.float32)).any()
    assert one(limit).is_over(errors * 1.0001).all()


def test_odds_by_hand() -> None:
    bound = one(0.1)
    assert foretold(bound, math.log(0.1)) == pytest.approx(0.5)
    # One spread above the bound: 1 / (1 + exp(-1)); three below: 1 / (1 + exp(3)).
    assert foretold(bound, math.log(0.1) + 0.2, spread=0.2) == pytest.approx(0.731059)
    assert foretold(bound, math.log(0.1) - 0.6, spread=0.2) == pytest.approx(0.04742587)


def test_odds_of_two_tasks_by_hand() -> None:
    bound = Bound(tasks=BOTH, limits={"rhythm": 0.1, "rpeaks": 0.2})
    # Each within with 1/2; and within with 1/2 and 1 / (1 + exp(-1)).
    assert foretold(bound, math.log(0.1), math.log(0.2)) == pytest.approx(0.75)
    p = foretold(bound, math.log(0.1), math.log(0.2) - 1.0)
    assert p == pytest.approx(1.0 - 0.5 * 0.731059, abs=1e-6)


def test_a_weight_makes_an_error_count_for_more() -> None:
    weighed = Bound(tasks=("rhythm",), total=0.1, weights={"rhythm": 2.0})
    assert foretold(weighed, math.log(0.05)) == pytest.approx(0.5)
    nothing = Bound(tasks=("rhythm",), total=0.1, weights={"rhythm": 0.0})
    assert foretold(nothing, 3.0) < 1e-9


def test_no_error_at_all_is_foretold_as_one_too_small_to_matter() -> None:
    assert foretold(one(0.0), math.log(LEAST_ERROR)) == pytest.approx(0.5)
    assert foretold(one(0.0), -20.0) < 1e-5


def test_odds_lie_between_0_and_1_and_fall_with_the_bound(
    rng: np.random.Generator,
) -> None:
    center, spread = rng.normal(-2, 30, (50, 2)), rng.uniform(0.01, 3, (50, 2))
    found = [
        Bound(tasks=BOTH, limits={"rhythm": v, "rpeaks": 2 * v}).probability(
            center, spread
        )
        for v in (0.0, 0.01, 0.1, 1.0)
    ]
    assert np.min(found) >= 0.0
    assert np.max(found) <= 1.0
    assert (np.diff(found, axis=0) <= 0.0).all()
    assert found[0].shape == (50,)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tasks": ("rhythm",), "total": -0.1}, "0 or more, got -0.1"),
        ({"tasks": ("rhythm",), "total": math.nan}, "got nan"),
        ({"tasks": ("rhythm",), "total": math.inf}, "got inf"),
        ({"tasks": ("rhythm",), "limits": {"rhythm": -1.0}}, "got -1"),
        ({"tasks": ("rhythm",), "limits": {"rhythm": math.nan}}, "got nan"),
        (
            {"tasks": ("rhythm",), "total": 1.0, "weights": {"rhythm": -2.0}},
            "got -2",
        ),
        ({"tasks": ()}, "needs a task"),
        ({"tasks": BOTH, "limits": {"rhythm": 0.1}}, "rhythm, rpeaks; got rhythm"),
        ({"tasks": ("rhythm",)}, "got none"),
        (
            {"tasks": ("rhythm",), "total": 0.1, "reference": "doctor"},
            "raw or label, got 'doctor'",
        ),
    ],
)
def test_a_bound_that_is_none_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Bound(**fields)


def test_a_bound_of_zero_is_one() -> None:
    assert one(0.0).is_over(np.array([1e-9]))
    assert not one(0.0).is_over(np.array([0.0]))
