# SPDX-License-Identifier: Apache-2.0
"""`bound_price`: the price that keeps a promise, and no higher one than it needs."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic_deep.bound_choice import choose_all, violations
from dynamic_deep.bound_price import (
    PRICES,
    certified_price,
    instability,
    losses_by_price,
)
from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Trials
from tests.bound.tables import draw_trials, make_trials, requires


def hand_made(n_over: int) -> Trials:
    """19 windows, the last 9 a risk of 1/4, of which `n_over` are over the bound.

    Sent lossy they cost 100 bytes, and lossless about 200: until the price of a
    violation is over 400, the 9 are worth their risk, and the others until 2000.
    """
    errors = np.full((19, 1), 0.01)
    errors[10 : 10 + n_over] = 0.2
    return make_trials(errors, p=np.where(np.arange(19) < 10, 0.05, 0.25)[:, None])


def test_the_price_is_the_lowest_that_holds() -> None:
    # With risk 0.1 of 19 windows 1 may be over: (1 + 1) / 20.
    assert certified_price(requires(risk=0.1), hand_made(1)) == PRICES[0]
    price = certified_price(requires(risk=0.1), hand_made(2))
    assert price == PRICES[PRICES > 400.0][0]
    assert certified_price(requires(risk=0.15), hand_made(2)) == PRICES[0]
    assert certified_price(requires(risk=0.149), hand_made(2)) == price
    assert choose_all(requires(risk=0.1), hand_made(2), price).tolist() == (
        [0] * 10 + [1] * 9
    )


def test_what_only_a_higher_price_breaks_counts_there_alone() -> None:
    # The first window breaks the bound at the level that is foretold to be the safer
    # one, which it gets from a price of 50 / 0.29 on; the second at the other, which
    # it gets up to a price of 100. So never more than one is over the bound.
    errors, p = np.full((19, 2), 0.01), np.full((19, 2), [0.3, 0.01])
    errors[:2] = [[0.01, 0.2], [0.2, 0.01]]
    n_bytes = np.full((19, 2), [100, 150])
    n_bytes[1] = [100, 129]
    trials = make_trials(errors, p=p, n_bytes=n_bytes)
    assert certified_price(requires(), trials) == PRICES[0]


def test_instability_by_hand() -> None:
    # 1 of 4 may be over. With all windows the price comes to rest at the last column.
    # Without the first it may count 0 + 1 at the second, and 1 + 1 at the third are too
    # many: there the first is lost, who at the last is not. The others, without whom
    # the second has 1 + 1, stay at the first.
    losses = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0] * 3, [0.0] * 3])
    assert instability(losses, 0.3) == 0.25
    assert instability(losses[:, [0, 2, 1]], 0.3) == 0.25  # the second, by symmetry


@given(seed=st.integers(0, 10_000), risk=st.floats(0.05, 0.5))
def test_losses_that_only_grow_need_no_slack(seed: int, risk: float) -> None:
    losses = np.random.default_rng(seed).random((30, 20)) < 0.05
    grown = np.maximum.accumulate(losses, axis=1).astype(np.float64)
    assert instability(grown, risk) == 0.0
    assert 0.0 <= instability(losses.astype(np.float64), risk) <= 1.0


def test_a_risk_below_what_so_few_windows_can_certify_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"19 calibration recordings can certify, 0\.05"
    ):
        certified_price(requires(risk=0.049), hand_made(0))
    assert certified_price(requires(risk=0.05), hand_made(0)) == PRICES[0]


@pytest.mark.parametrize("n", [1, 2, 6, 19, 24, 25, 99, 690])
def test_the_risk_that_a_refusal_names_is_allowed(n: int) -> None:
    trials = make_trials(np.full((n, 1), 0.01))
    with pytest.raises(ConfigError, match="can certify") as refused:
        certified_price(requires(risk=0.99 / (n + 1)), trials)
    named = re.search(r"certify, ([\d.]+);", str(refused.value))
    assert named
    assert 1.0 / (n + 1) <= float(named[1]) < 1.12 / (n + 1)
    certified_price(requires(risk=float(named[1])), trials)


def of_patients(trials: Trials, n_each: int) -> Trials:
    """The same windows, `n_each` one after the other of one patient."""
    names = [f"p{i // n_each:03d}" for i in range(len(trials))]
    return dataclasses.replace(trials, records=np.array(names))


def test_a_recording_counts_as_one() -> None:
    # Of 38 windows the last 18 carry a risk; 2 of one patient or of two are over.
    errors, p = np.full((38, 1), 0.01), np.full((38, 1), 0.05)
    errors[20:22], p[20:] = 0.2, 0.25
    trials = make_trials(errors, p=p)
    # 1 of 19 patients wholly, and one to come; or 2 of 38 windows, and one to come.
    paired = of_patients(trials, 2)
    assert certified_price(requires(risk=0.1), paired) == PRICES[0]
    over_400 = PRICES[PRICES > 400.0][0]
    assert certified_price(requires(risk=0.09), paired) == over_400
    with pytest.raises(ConfigError, match=r"19 calibration recordings .*, 0\.05;"):
        certified_price(requires(risk=0.04), paired)
    windows = {"same_patients": True}
    assert certified_price(requires(risk=0.08), paired, **windows) == PRICES[0]
    assert certified_price(requires(risk=0.07), paired, **windows) == over_400
    with pytest.raises(ConfigError, match=r"38 calibration windows .*, 0\.026;"):
        certified_price(requires(risk=0.02), paired, **windows)


def draw_patients(rng: np.random.Generator, n: int, n_each: int) -> Trials:
    """Windows of patients, some of whom are hard all along, unseen by the heads."""
    trials = draw_trials(rng, n * n_each, insight=0.0)
    hard = np.repeat(rng.normal(0.0, 2.0, n), n_each).astype(np.float32)
    errors = trials.errors * np.exp(hard)[:, None, None]
    return of_patients(dataclasses.replace(trials, errors=errors), n_each)


def test_patients_to_come_need_recordings_to_be_counted() -> None:
    rng, need, n_each = np.random.default_rng(4), requires(0.1, risk=0.15), 20
    found: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(60):
        known, fresh = draw_patients(rng, 12, n_each), draw_patients(rng, 100, n_each)
        loss, rows = violations(need, fresh), np.arange(len(fresh))
        for same_patients, shares in found.items():
            price = certified_price(need, known, same_patients=same_patients)
            shares.append(loss[rows, choose_all(need, fresh, price)].mean())
    spread = np.std(found[False]) / np.sqrt(60)
    assert np.mean(found[False]) <= 0.15 + 2.0 * spread
    # A window for itself would claim a sample of 240 where there are 12.
    assert np.mean(found[True]) > np.mean(found[False]) + 2.0 * spread


def test_heads_that_are_sure_and_wrong_leave_the_fallback() -> None:
    wrong = make_trials(np.full((19, 1), 0.2), p=np.full((19, 1), 1e-13))
    price = certified_price(requires(risk=0.05), wrong)
    assert price == PRICES[-1] == np.inf
    assert choose_all(requires(), wrong, price).tolist() == [1] * 19


def test_a_fallback_that_breaks_the_bound_itself_is_refused() -> None:
    errors = np.full((19, 2), 0.01)
    errors[:4] = 0.2
    trials = make_trials(errors)
    with pytest.raises(ConfigError, match=r"low itself breaks it in 25\.0 %"):
        certified_price(requires(risk=0.2, fallback="low"), trials)
    assert certified_price(requires(risk=0.25, fallback="low"), trials) >= PRICES[0]
    assert certified_price(requires(risk=0.2), trials) >= PRICES[0]  # lossless


@pytest.mark.parametrize("insight", [0.8, 0.0, -1.0])
@pytest.mark.parametrize("risk", [0.05, 0.2])
def test_no_more_windows_than_the_risk_break_the_bound_whatever_the_heads(
    insight: float, risk: float
) -> None:
    rng = np.random.default_rng(3)
    need = requires(0.1, risk=risk)
    shares = []
    for _ in range(60):
        price = certified_price(need, draw_trials(rng, 40, insight=insight))
        fresh = draw_trials(rng, 400, insight=insight)
        chosen = choose_all(need, fresh, price)
        shares.append(violations(need, fresh)[np.arange(400), chosen].mean())
    spread = np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) <= risk + 2.0 * spread
    # Nor far fewer, as the risk is what pays for the gain: at most 2 / (n + 1) below,
    # and what the largest step of a price makes of it.
    assert np.mean(shares) >= risk - 2.0 / 41 - 0.04 - 2.0 * spread


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), insight=st.sampled_from([0.8, 0.0, -1.0]))
def test_a_lower_risk_never_raises_the_gain(seed: int, insight: float) -> None:
    rng = np.random.default_rng(seed)
    calibration, fresh = (draw_trials(rng, 30, insight=insight) for _ in range(2))
    cost = np.concatenate([fresh.n_bytes, fresh.lossless_bytes[:, None]], axis=1)
    n_bytes, prices = [], []
    for risk in (0.4, 0.2, 0.1, 0.05):
        need = requires(0.1, risk=risk)
        prices.append(certified_price(need, calibration))
        chosen = choose_all(need, fresh, prices[-1])
        n_bytes.append(cost[np.arange(30), chosen].sum())
    assert prices == sorted(prices)
    assert n_bytes == sorted(n_bytes)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_a_lower_price_would_break_the_promise(seed: int) -> None:
    need = requires(0.1, risk=0.1)
    trials = draw_trials(np.random.default_rng(seed), 30)
    price = certified_price(need, trials)
    slack = instability(losses_by_price(need, trials), need.risk)
    loss, rows = violations(need, trials), np.arange(30)

    def expected(price: float) -> float:
        chosen = choose_all(need, trials, price)
        return float((loss[rows, chosen].sum() + 1.0) / 31.0)

    at = int(np.flatnonzero(price == PRICES)[0])
    if not np.isinf(price):
        assert all(expected(p) <= 0.1 - slack for p in PRICES[at:])
    if at > 0:
        assert expected(PRICES[at - 1]) > 0.1 - slack
