# SPDX-License-Identifier: Apache-2.0
"""`policy`: what may be chosen, what is tried first, and when it will do."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from dynamic_deep.bundle import Level, load_bundle
from dynamic_deep.errors import ConfigError
from dynamic_deep.policy import Fixed, MaxPrdn, named_levels
from tests.signals import COSINE

LEVELS = load_bundle(COSINE).levels


@dataclass
class Window:
    """A window that comes back the same but for an error, larger at each level."""

    x: np.ndarray
    errors: dict[str, int]
    asked: list[str] = field(default_factory=list)

    def decoded(self, level: Level) -> np.ndarray:
        self.asked.append(level.name)
        return self.x + np.int32(self.errors.get(level.name, 100))


def chosen(policy: MaxPrdn, window: Window) -> str:
    return str(policy.choose(window, policy.ladder(LEVELS)).name)


def test_fixed_gives_the_one_level_and_asks_nothing() -> None:
    policy = Fixed(level="gain_64")
    ladder = policy.ladder(LEVELS)
    assert [level.name for level in ladder] == ["gain_64"]
    window = Window(np.zeros(4, np.int32), {})
    assert policy.choose(window, ladder).name == "gain_64"
    assert not window.asked


def test_fixed_names_the_levels_there_are() -> None:
    with pytest.raises(ConfigError, match=r"lossless, .*gain_64; got 'gain_1000'"):
        Fixed(level="gain_1000").ladder(LEVELS)


def test_levels_come_in_the_order_of_their_names() -> None:
    names = ["gain_64", "lossless", "wavelet_8"]
    assert [level.name for level in named_levels(LEVELS, names)] == names
    assert named_levels(LEVELS, []) == []


def test_max_prdn_may_choose_every_level_but_near_lossless() -> None:
    ladder = MaxPrdn(percent=9.0).ladder(LEVELS)
    assert ladder[0].nominal_gain == max(level.nominal_gain for level in LEVELS)
    assert {level.kind for level in ladder[:-1]} == {"wavelet", "neural"}
    gains = [level.nominal_gain for level in ladder[:-1]]
    assert gains == sorted(gains, reverse=True)
    assert ladder[-1].name == "lossless"
    assert len(ladder) == len(LEVELS) - 1


def test_max_prdn_tries_from_above_until_one_will_do() -> None:
    x = np.array([100, -100] * 8, np.int32)  # an error of 1 in each is 1 %
    window = Window(x, {"wavelet_192": 5, "wavelet_96": 3, "wavelet_48": 1})
    assert chosen(MaxPrdn(percent=3.5), window) == "wavelet_96"
    assert window.asked == ["wavelet_256", "wavelet_192", "wavelet_128", "wavelet_96"]
    window.asked.clear()
    assert chosen(MaxPrdn(percent=0.5), window) == "lossless"
    assert "lossless" not in window.asked
    assert len(window.asked) == len(LEVELS) - 2


def test_max_prdn_by_hand() -> None:
    # Mean 100, power 32; an error of 1 in one sample: 100 / sqrt(32) = 17.68 %.
    x = np.array([100, 104, 96, 100], np.int32)
    at = np.array([0, 0, 0, 1], np.int32)

    def is_accepted(percent: float) -> bool:
        window = Window(x, {})
        window.decoded = lambda level: x + at  # type: ignore[method-assign]
        return chosen(MaxPrdn(percent=percent), window) != "lossless"

    assert is_accepted(17.7)
    assert not is_accepted(17.6)


def test_a_flat_window_bears_no_error() -> None:
    flat = np.full(50, 7, np.int32)
    everywhere = {level.name: 1 for level in LEVELS}
    assert chosen(MaxPrdn(percent=900.0), Window(flat, everywhere)) == "lossless"
    exact = everywhere | {"wavelet_128": 0}
    assert chosen(MaxPrdn(percent=0.001), Window(flat, exact)) == "wavelet_128"


def test_large_samples_do_not_overflow() -> None:
    x = np.array([2**31 - 1, -(2**31)] * 10, np.int32)
    window = Window(x, {})
    window.decoded = lambda level: -(x + 1)  # type: ignore[method-assign]
    assert chosen(MaxPrdn(percent=50.0), window) == "lossless"
    window.decoded = lambda level: x  # type: ignore[method-assign]
    assert chosen(MaxPrdn(percent=1.0), window) == "wavelet_256"


@pytest.mark.parametrize("percent", [0.0, -1.0, 1000.0, float("nan"), float("inf")])
def test_a_bound_that_is_none_is_refused(percent: float) -> None:
    with pytest.raises(ConfigError, match="max_prdn"):
        MaxPrdn(percent=percent)
