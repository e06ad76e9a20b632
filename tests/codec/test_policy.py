# SPDX-License-Identifier: Apache-2.0
"""`policy`: what is tried first, and when it will do."""

from __future__ import annotations

import numpy as np
import pytest

from dynamic_deep.bundle import Level, load_bundle
from dynamic_deep.errors import ConfigError
from dynamic_deep.policy import Fixed, MaxPrdn
from tests.signals import COSINE

LEVELS = load_bundle(COSINE).levels


def test_fixed_gives_the_one_level() -> None:
    policy = Fixed(level="gain_64")
    assert [level.name for level in policy.order(LEVELS)] == ["gain_64"]
    assert not policy.needs_decoding


def test_fixed_names_the_levels_there_are() -> None:
    with pytest.raises(ConfigError, match=r"lossless, .*gain_64; got 'gain_1000'"):
        Fixed(level="gain_1000").order(LEVELS)


def test_max_prdn_tries_the_highest_gain_first_and_ends_lossless() -> None:
    order: list[Level] = MaxPrdn(percent=9.0).order(LEVELS)
    assert order[0].nominal_gain == max(level.nominal_gain for level in LEVELS)
    assert {level.kind for level in order[:-1]} == {"wavelet", "neural"}
    gains = [level.nominal_gain for level in order[:-1]]
    assert gains == sorted(gains, reverse=True)
    assert order[-1].name == "lossless"
    assert len(order) == len(LEVELS) - 1  # all but near_lossless


def test_max_prdn_by_hand() -> None:
    x = np.array([100, 104, 96, 100], np.int32)  # mean 100, power 32
    x_hat = np.array([100, 104, 96, 101], np.int32)  # error 1: 100 / sqrt(32) = 17.68
    assert MaxPrdn(percent=17.7).accepts(x, x_hat)
    assert not MaxPrdn(percent=17.6).accepts(x, x_hat)
    assert MaxPrdn(percent=0.001).accepts(x, x)


def test_a_flat_window_bears_no_error() -> None:
    flat = np.full(50, 7, np.int32)
    assert MaxPrdn(percent=900.0).accepts(flat, flat)
    assert not MaxPrdn(percent=900.0).accepts(flat, flat + 1)


def test_large_samples_do_not_overflow() -> None:
    x = np.array([2**31 - 1, -(2**31)] * 10, np.int32)
    assert not MaxPrdn(percent=50.0).accepts(x, -(x + 1))
    assert MaxPrdn(percent=1.0).accepts(x, x)


@pytest.mark.parametrize("percent", [0.0, -1.0, 1000.0, float("nan"), float("inf")])
def test_a_bound_that_is_none_is_refused(percent: float) -> None:
    with pytest.raises(ConfigError, match="max_prdn"):
        MaxPrdn(percent=percent)
