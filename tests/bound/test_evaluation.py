# SPDX-License-Identifier: Apache-2.0
"""`evaluation`: figures by hand, intervals by record."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic_deep import evaluation
from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import violations
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.calibration import Calibration
from dynamic_deep.errors import ConfigError
from dynamic_deep.evaluation import (
    assess,
    assess_calibrated,
    best_fixed,
    choose_fixed,
    choose_oracle,
    rhythm_f1,
)
from dynamic_deep.tasks import CLASSES, rhythm_scores
from dynamic_deep.trials import Trials
from tests.bound.tables import draw_trials, make_trials, requires

ERRORS = [[0.01, 0.05, 0.2], [0.05, 0.2, 0.05], [0.2, 0.3, 0.4], [0.0, 0.0, 0.0]]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "N_RESAMPLES", 100)


def calibration_of(trials: Trials) -> Calibration:
    return Calibration(name="own", model_id=bytes(16), trials=trials)


def test_an_oracle_takes_the_fewest_bytes_that_keep_to_the_bound() -> None:
    trials = make_trials(ERRORS)  # 100, 50 and 33 bytes
    assert choose_oracle(requires(), trials).tolist() == [1, 2, 3, 2]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("mid",), [1, 3, 3, 1]),  # of two levels: the second is none
        (("mid", "low"), [1, 0, 3, 1]),
        (("high", "mid", "low"), [1, 2, 3, 2]),
        ((), [3, 3, 3, 3]),
    ],
)
def test_an_oracle_of_fewer_levels(names: tuple[str, ...], expected: list[int]) -> None:
    chosen = choose_oracle(requires(), make_trials(ERRORS), names=names)
    assert chosen.tolist() == expected


def test_an_oracle_of_segments_lets_no_beat_change() -> None:
    bound = Bound(tasks=("rpeaks",), limits={"rpeaks": 0.5})
    each = Requirement(bound=bound, risk=0.1, per_segment=True)
    changed = np.array([[0.0, 0.0, 0.25], [0.25, 0.25, 0.25]])
    trials = make_trials(np.zeros((2, 3, 3)), changed=changed)
    assert choose_oracle(each, trials).tolist() == [1, 3]


def test_what_is_nobodys_fault_costs_an_oracle_nothing() -> None:
    errors = np.zeros((2, 3, 2))
    errors[:, :, 1] = 0.2
    trials = make_trials(errors, raw_errors=[[0.0, 0.3], [0.0, 0.0]])
    lenient = requires(reference="label", fallback="low")
    assert choose_oracle(lenient, trials).tolist() == [2, 3]
    assert choose_oracle(requires(reference="label"), trials).tolist() == [3, 3]


def test_names_that_are_no_level_are_refused() -> None:
    trials = make_trials(ERRORS)
    with pytest.raises(ConfigError, match="low, mid, high; got 'gain_64'"):
        choose_oracle(requires(), trials, names=("gain_64",))
    with pytest.raises(ConfigError, match="got 'gain_64'"):
        choose_fixed(trials, "gain_64")
    with pytest.raises(ConfigError, match="got 'gain_64'"):
        best_fixed(requires(fallback="gain_64"), calibration_of(trials))


def test_the_same_level_for_all() -> None:
    trials = make_trials(ERRORS)
    assert choose_fixed(trials, "mid").tolist() == [1, 1, 1, 1]
    # Over the bound are 1, 2 and 2 of 4, and one to come may be.
    own = calibration_of(trials)
    assert best_fixed(requires(risk=0.39), own) is None
    assert best_fixed(requires(risk=0.41), own) == "low"
    assert best_fixed(requires(risk=0.61), own) == "high"


def test_gain_and_violations_by_hand() -> None:
    trials = make_trials(
        ERRORS,
        raw_bytes=np.array([880, 880, 440, 880], np.int32),
        raw_errors=np.array([[0.2], [0.0], [0.0], [0.1]]),
    )
    outcome = assess("by hand", requires(), trials, np.array([0, 1, 3, 1]))
    # Bytes 100 + 50 + 220 + 50 = 420 of 3080; the second window is over the bound.
    assert outcome.name == "by hand"
    assert outcome.gain.value == pytest.approx(3080 / 420)
    assert outcome.violations.value == pytest.approx(0.25)
    assert outcome.inherent == pytest.approx(0.25)
    assert outcome.levels == {"low": 0.25, "mid": 0.5, "lossless": 0.25}
    assert math.isnan(outcome.weighted_f1.value)
    assert math.isnan(outcome.cinc_f1.high)
    assert math.isnan(outcome.same_answer.value)


def test_a_rung_to_fall_back_to_is_sent_and_judged_like_any() -> None:
    trials = make_trials(ERRORS)
    need = requires(fallback="low")
    outcome = assess("rung", need, trials, np.array([3, 0, 3, 1]))
    assert outcome.gain.value == pytest.approx(4 * 880 / 350)
    assert outcome.violations.value == pytest.approx(0.25)
    assert outcome.levels == {"low": 0.75, "mid": 0.25}


def labelled(labels: str, raw: str, sent: str, **fields: object) -> Trials:
    def indices(text: str) -> np.ndarray:
        return np.array([CLASSES.index(c) for c in text], np.int8)

    decided = np.stack([indices(raw), indices(sent)], axis=1)
    errors = np.zeros((len(labels), 1))
    return make_trials(errors, labels=indices(labels), decided=decided, **fields)


def test_f1_by_hand() -> None:
    # A: 1 of 2 true and 2 decided, F1 1/2; N: 2 of 3 and 3, 2/3; O: 1 of 1 and 1.
    trials = labelled("AANNNO", "AANNNO", "ANANNO")
    outcome = assess("f1", requires(), trials, np.zeros(6, int))
    assert outcome.weighted_f1.value == pytest.approx((2 * 0.5 + 3 * 2 / 3 + 1) / 6)
    assert outcome.cinc_f1.value == pytest.approx((0.5 + 2 / 3 + 1) / 3)
    assert outcome.same_answer.value == pytest.approx(4 / 6)
    # Lossless is what the task decides on the raw window.
    outcome = assess("raw", requires(), trials, np.ones(6, int))
    assert outcome.weighted_f1.value == outcome.cinc_f1.value == 1.0
    assert outcome.same_answer.value == 1.0


def test_windows_without_a_label_have_no_f1() -> None:
    trials = labelled("AANNNO", "AANNNO", "ANANNO")
    trials.labels[[1, 2]] = -1
    outcome = assess("some", requires(), trials, np.zeros(6, int))
    assert outcome.weighted_f1.value == 1.0
    assert outcome.same_answer.value == pytest.approx(4 / 6)


@given(pairs=st.lists(st.tuples(*[st.sampled_from(CLASSES)] * 2), min_size=1))
def test_f1_is_that_of_the_tasks_scores(pairs: list[tuple[str, str]]) -> None:
    true, decided = zip(*pairs, strict=True)
    expected = rhythm_scores(true, decided)
    found = rhythm_f1(
        *(np.array([CLASSES.index(c) for c in v]) for v in (true, decided))
    )
    assert found[0] == pytest.approx(expected.weighted_f1)
    if not math.isnan(expected.mean_nao):
        assert found[1] == pytest.approx(expected.mean_nao)


def test_one_record_has_no_interval() -> None:
    trials = make_trials(ERRORS, records=np.array(["a"] * 4))
    gain = assess("one", requires(), trials, np.array([0, 1, 2, 2])).gain
    assert gain.low == gain.value == gain.high


def test_whole_records_are_drawn() -> None:
    # Record a has all violations and b none: a draw of both has 0, half or all.
    errors = [[0.2]] * 3 + [[0.0]] * 3
    trials = make_trials(errors, records=np.array(list("aaabbb")))
    share = assess("two", requires(), trials, np.zeros(6, int)).violations
    assert (share.low, share.value, share.high) == (0.0, 0.5, 1.0)
    # Windows of their own would have a narrower interval.
    alone = make_trials(errors * 20)
    share = assess("many", requires(), alone, np.zeros(120, int)).violations
    assert 0.35 < share.low < 0.5 < share.high < 0.65


def test_the_interval_is_the_same_each_time(rng: np.random.Generator) -> None:
    trials = draw_trials(rng, 20)
    chosen = choose_oracle(requires(), trials)
    first = assess("a", requires(), trials, chosen)
    assert first.gain == assess("b", requires(), trials, chosen).gain
    assert first.gain.low < first.gain.value < first.gain.high
    assert first.violations.value == first.violations.high == 0.0


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), risk=st.sampled_from([0.05, 0.2]))
def test_no_choice_beats_the_oracle_without_a_violation(seed: int, risk: float) -> None:
    trials = draw_trials(np.random.default_rng(seed), 30)
    need = requires(risk=risk)
    oracle = choose_oracle(need, trials)
    loss, rows = violations(need, trials), np.arange(30)
    assert not loss[rows, oracle].any()
    n_bytes = np.concatenate([trials.n_bytes, trials.lossless_bytes[:, None]], axis=1)
    for other in range(4):
        keeps = loss[:, other] == 0.0
        assert (n_bytes[rows, oracle] <= n_bytes[:, other])[keeps].all()


def test_the_calibrated_choice_is_assessed_as_it_is_made(
    rng: np.random.Generator,
) -> None:
    table, fresh = draw_trials(rng, 40), draw_trials(rng, 40)
    calibration = Calibration(name="drawn", model_id=bytes(16), trials=table)
    need = requires(risk=0.2)
    outcome = assess_calibrated(need, fresh, calibration)
    best = assess("oracle", need, fresh, choose_oracle(need, fresh))
    assert outcome.name == "calibrated"
    assert 0.0 < outcome.violations.value < 0.4
    assert outcome.gain.value > 0.5 * best.gain.value
    strict = assess_calibrated(requires(risk=0.05), fresh, calibration)
    assert strict.gain.value <= outcome.gain.value
    assert strict.violations.value <= outcome.violations.value


def test_windows_tried_at_other_levels_are_refused(rng: np.random.Generator) -> None:
    calibration = Calibration(
        name="drawn", model_id=bytes(16), trials=draw_trials(rng, 40)
    )
    with pytest.raises(ConfigError, match=r"\(low, mid, high\), got low, mid"):
        assess_calibrated(requires(), draw_trials(rng, 5, n_levels=2), calibration)
