# SPDX-License-Identifier: Apache-2.0
"""`bound_choice`: which level is worth its risk, and the price that keeps a promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import (
    LOSSLESS_GAIN,
    cheapest,
    fallback_estimate,
    violations,
)
from dynamic_deep.bound_odds import CHANGED_SHARE, Requirement, odds
from dynamic_deep.errors import ConfigError
from tests.bound.tables import CHANNELS, make_trials, requires


@pytest.mark.parametrize("risk", [0.0, 1.0, -0.1, 1.5, math.nan])
def test_a_risk_that_is_none_is_refused(risk: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        requires(risk=risk)


def test_segments_are_counted_where_r_peaks_have_a_bound() -> None:
    with pytest.raises(ConfigError, match="bound of its own, got rhythm"):
        requires(per_segment=True)
    both = Bound(tasks=("rhythm", "rpeaks"), total=0.1)
    with pytest.raises(ConfigError, match="got rhythm, rpeaks"):
        Requirement(bound=both, risk=0.1, per_segment=True)
    alone = Bound(tasks=("rpeaks",), total=0.0)
    assert Requirement(bound=alone, risk=0.1, per_segment=True).per_segment


def test_odds_by_hand() -> None:
    center = np.log([[[9.0, 9.0], [0.1, 0.05], [0.3, 0.1]]])  # raw, then two levels
    p = odds(requires(), ("rpeaks:raw", "rhythm:raw"), center, np.ones((1, 3, 2)))
    # Rhythm stands second: 0.05 / 0.1 and 0.1 / 0.1 as odds of the logistic.
    assert p == pytest.approx(np.array([[1 / 3, 1 / 2]]))


def test_who_falls_back_to_a_rung_pays_only_for_what_compression_does() -> None:
    center = np.log([[[0.1], [0.1], [0.3], [0.01]]])
    lenient = requires(reference="label", fallback="low")
    p = odds(lenient, ("rhythm:label",), center, np.ones((1, 4, 1)))
    # 1/2 even uncompressed; 3/4 at the second level; below 0 at the third.
    assert p == pytest.approx(np.array([[0.0, 0.25, 0.0]]))
    strict = requires(reference="label")
    p = odds(strict, ("rhythm:label",), center, np.ones((1, 4, 1)))
    assert p == pytest.approx(np.array([[0.5, 0.75, 1 / 11]]))


def test_against_its_own_answer_the_raw_window_is_never_over() -> None:
    bound = Bound(tasks=("rhythm", "rpeaks"), total=0.1, reference="label")
    lenient = Requirement(bound=bound, risk=0.1, fallback="low")
    center = np.array([[[-20.0, 5.0], [-20.0, np.log(0.1)]]])
    p = odds(lenient, ("rhythm:label", "rpeaks:raw"), center, np.ones((1, 2, 2)))
    assert p == pytest.approx(np.array([[0.5]]), abs=1e-6)


def test_heads_that_do_not_know_the_task_are_refused() -> None:
    center = np.full((1, 3, 1), np.nan)
    with pytest.raises(ConfigError, match="must foretell rhythm:raw"):
        odds(requires(), ("rhythm:raw",), center, center)


def test_the_cheapest_by_hand() -> None:
    p = np.array([[0.0, 0.1, 0.4, 0.6]])
    n_bytes = np.array([[100.0, 60.0, 30.0, 1.0]])
    last = np.array([150.0])
    # At 100 a violation: 100, 70, 70 (the first of the two), and 0.6 is out of bounds.
    assert cheapest(p, n_bytes, last, 0.0).tolist() == [2]
    assert cheapest(p, n_bytes, last, 100.0).tolist() == [1]
    assert cheapest(p, n_bytes, last, 500.0).tolist() == [0]
    assert cheapest(p, n_bytes, np.array([40.0]), 500.0).tolist() == [4]
    assert cheapest(p, n_bytes, last, np.inf).tolist() == [4]


def test_what_a_fallback_is_taken_to_cost() -> None:
    n_bytes, raw = np.array([[100.0, 50.0]]), np.array([880.0])
    levels = ("low", "mid")
    cost = fallback_estimate(requires(), levels, n_bytes, raw)
    assert cost == pytest.approx(880.0 / LOSSLESS_GAIN)
    cost = fallback_estimate(requires(fallback="mid"), levels, n_bytes, raw)
    assert cost.tolist() == [50.0]
    with pytest.raises(ConfigError, match="low, mid; got 'near_lossless'"):
        fallback_estimate(requires(fallback="near_lossless"), levels, n_bytes, raw)


def test_violations_by_hand() -> None:
    trials = make_trials([[0.05, 0.2], [0.1, 0.1], [0.3, 0.4]])
    loss = violations(requires(), trials)
    assert loss.tolist() == [[0, 1, 0], [0, 0, 0], [1, 1, 0]]  # the last is lossless
    loss = violations(requires(fallback="low"), trials)
    assert loss[:, 2].tolist() == [0, 0, 1]
    with pytest.raises(ConfigError, match="got 'best'"):
        violations(requires(fallback="best"), trials)


def test_what_is_over_even_uncompressed_is_forgiven_only_with_a_rung() -> None:
    errors = np.zeros((3, 2, 2))
    errors[..., 1] = [[0.2, 0.2], [0.2, 0.05], [0.0, 0.3]]
    raw_errors = [[0.0, 0.5], [0.0, 0.0], [0.0, 0.05]]
    trials = make_trials(errors, raw_errors=raw_errors)
    assert trials.channels == CHANNELS[:2]
    strict = violations(requires(reference="label"), trials)
    assert strict.tolist() == [[1, 1, 0], [1, 0, 0], [0, 1, 0]]
    lenient = violations(requires(reference="label", fallback="low"), trials)
    assert lenient.tolist() == [[0, 0, 0], [1, 0, 1], [0, 1, 0]]


def test_the_share_of_changed_segments_is_the_loss_where_segments_count() -> None:
    errors = np.zeros((2, 2, 3))
    changed = np.array([[0.25, 0.5], [0.0, 1.0]])
    bound = Bound(tasks=("rpeaks",), limits={"rpeaks": 0.0})
    each = Requirement(bound=bound, risk=0.1, per_segment=True)
    loss = violations(each, make_trials(errors, changed=changed))
    assert loss.tolist() == [[0.25, 0.5, 0.0], [0.0, 1.0, 0.0]]


def test_of_a_window_whose_rhythm_is_lost_every_segment_counts() -> None:
    limits = {"rpeaks": 0.0, "rhythm": 0.1}
    bound = Bound(tasks=("rhythm", "rpeaks"), limits=limits, reference="label")
    errors = np.zeros((3, 2, 3))
    errors[:, :, 1] = [[0.05, 0.2], [0.2, 0.2], [0.0, 0.0]]
    raw_errors = np.zeros((3, 3))
    raw_errors[1, 1] = 0.3
    changed = np.array([[0.25, 0.25], [0.5, 0.75], [0.0, 0.5]])
    trials = make_trials(errors, raw_errors=raw_errors, changed=changed)
    each = Requirement(bound=bound, risk=0.1, per_segment=True)
    loss = violations(each, trials)
    assert loss.tolist() == [[0.25, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.5, 0.0]]
    # The second window's rhythm is over the bound even uncompressed, its beats aren't.
    lenient = Requirement(bound=bound, risk=0.1, per_segment=True, fallback="low")
    loss = violations(lenient, trials)
    assert loss.tolist() == [[0.25, 1.0, 0.25], [0.5, 0.75, 0.5], [0.0, 0.5, 0.0]]


def test_of_segments_fewer_change_than_the_odds_of_any() -> None:
    bound = Bound(tasks=("rpeaks",), limits={"rpeaks": 0.1})
    center = np.log(np.array([[[0.01], [0.1], [0.3]]]))
    p = odds(
        Requirement(bound=bound, risk=0.1, per_segment=True),
        ("rpeaks:raw",),
        center,
        np.ones((1, 3, 1)),
    )
    assert p[0, 0] == pytest.approx(CHANGED_SHARE / 2)
    # By 3 to 1 the beats of the window do not stay: that is not a risk but a decision.
    assert p[0, 1] == 1.0


def test_what_surely_changes_beats_is_not_sent_however_cheap() -> None:
    bound = Bound(tasks=("rpeaks",), limits={"rpeaks": 0.0})
    need = Requirement(bound=bound, risk=0.1, per_segment=True)
    center = np.log(np.array([[[1e-3], [0.5], [0.9]]]))
    p = odds(need, ("rpeaks:raw",), center, np.full((1, 3, 1), 0.2))
    sizes, last = np.array([[50.0, 20.0]]), np.array([4000.0])
    assert cheapest(p, sizes, last, price=100.0).tolist() == [2]


def test_a_window_without_a_label_has_no_error_against_it() -> None:
    errors = np.zeros((2, 1, 2))
    errors[1, 0, 1] = np.nan
    with pytest.raises(ConfigError, match="labelled windows"):
        violations(requires(reference="label"), make_trials(errors))
    assert not violations(requires(), make_trials(errors)).any()
