# SPDX-License-Identifier: Apache-2.0
"""Heads read other rates and foretell the same."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

from dynamic_deep.bundle import load_bundle
from dynamic_deep.engine import Network
from dynamic_deep.errors import ModelError
from tests.made_heads import N_FEATURES, make_heads
from tests.signals import AWARE
from training.head_rates import RateMap, fit_rate_map, rate_layer, with_new_rates

N_RATES = 5


@pytest.fixture(scope="module")
def heads() -> bytes:
    return make_heads(N_RATES)


def test_a_linear_change_of_rates_is_found() -> None:
    rng = np.random.default_rng(1)
    new = rng.normal(-2.0, 0.5, (2000, N_RATES))
    slope = np.eye(N_RATES) + 0.1 * rng.normal(size=(N_RATES, N_RATES))
    former = new @ slope.T + 0.3 + rng.normal(0.0, 0.01, new.shape)
    found = fit_rate_map(former, new)
    assert found.slope == pytest.approx(slope, abs=0.005)
    assert found.offset == pytest.approx(np.full(N_RATES, 0.3), abs=0.02)
    assert found.residual == pytest.approx(0.01, rel=0.05)


def test_where_levels_rise_and_fall_as_one_no_single_one_is_blown_up() -> None:
    rng = np.random.default_rng(2)
    common = rng.normal(-2.0, 0.5, (400, 1))
    new = common + rng.normal(0.0, 1e-4, (400, N_RATES))
    former = common + rng.normal(0.0, 0.01, (400, N_RATES))
    found = fit_rate_map(former, new)
    assert np.abs(found.slope - np.eye(N_RATES)).max() < 0.1
    assert found.residual == pytest.approx(0.01, rel=0.1)


def test_heads_foretell_by_new_rates_as_by_the_former(heads: bytes) -> None:
    rng = np.random.default_rng(3)
    slope = np.eye(N_RATES) + 0.2 * rng.normal(size=(N_RATES, N_RATES))
    rates = RateMap(slope=slope, offset=rng.normal(size=N_RATES), residual=0.0)
    changed = with_new_rates(heads, rates)
    assert len(changed) == len(heads)
    before, after = Network(heads, "heads"), Network(changed, "heads")
    for _ in range(5):
        features = rng.normal(size=(1, 4, N_FEATURES)).astype(np.float32)
        new = rng.normal(size=N_RATES)
        former = slope @ new + rates.offset
        known = before.run(features, former[None].astype(np.float32))
        found = after.run(features, new[None].astype(np.float32))
        for ours, theirs in zip(found, known, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-4)
        unlike = before.run(features, new[None].astype(np.float32))
        assert np.abs(unlike[0] - known[0]).max() > 0.01


def test_heads_of_another_form_are_refused(heads: bytes) -> None:
    with pytest.raises(ModelError, match="must have one hidden layer that reads 5"):
        rate_layer(load_bundle(AWARE).networks["heads"], N_RATES)
    with pytest.raises(ModelError, match="reads 60 rates"):
        rate_layer(heads, 60)
