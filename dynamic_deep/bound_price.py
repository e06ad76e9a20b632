# SPDX-License-Identifier: Apache-2.0
"""What a violation must cost, so that no more windows break the bound than the risk.

The price falls from infinity until the violations of the calibration windows, with one
more for the window to come, would pass the risk: conformal risk control (Angelopoulos
et al. 2024, arXiv 2208.02814). Its theorem asks for a loss that only grows as the price
falls. Ours nearly does: now and then a window breaks the bound at one level and not at
the next, smaller one. For such a loss the promise holds but for a slack: how much more
a window loses, on average, if the price was found without it (Angelopoulos 2026,
arXiv 2602.20151). The slack is measured on the calibration windows, each left out once,
and taken off the risk beforehand.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound_choice import cheapest, fallback_estimate, violations
from dynamic_deep.bound_odds import Requirement, odds
from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Trials

FloatArray = npt.NDArray[np.floating]

# Bytes for a certain violation, ascending. At the last only the fallback is sent, so
# that heads that are sure and wrong can't make the promise impossible.
PRICES = np.append(np.geomspace(1e-1, 1e8, 361), np.inf)
ROUNDING = 1e-9  # relative; a share of 0.1 is not quite 2 / 20


def certified_price(requirement: Requirement, trials: Trials) -> float:
    """Return the lowest price that keeps the promise, by conformal risk control.

    Args:
        requirement: what is asked for.
        trials: calibration windows, exchangeable with those to come.

    Raises:
        ConfigError: If the calibration is too small for the risk, or no price will do.
    """
    n = len(trials)
    least = 1.0 / (n + 1)
    if requirement.risk < least:
        raise ConfigError(
            f"a risk of {requirement.risk:g} is below what {n} calibration windows can "
            f"certify, {least:.2g}; ask for that much, or calibrate with more windows"
        )
    losses = losses_by_price(requirement, trials)
    expected = (losses[:, 0].sum() + 1.0) / (n + 1)
    if _is_over(expected, requirement.risk):
        raise ConfigError(
            f"no choice keeps to this bound with risk {requirement.risk:g}: fallback "
            f"{requirement.fallback} itself breaks it in {100 * expected:.1f} % of the "
            "calibration windows; allow that much, raise the bound or fall back to "
            "lossless"
        )
    slack = instability(losses, requirement.risk)
    total = losses.sum(axis=0)
    # The fallback alone hangs on no window, and needs no slack.
    at = max(0, _last_within((total + 1.0) / (n + 1), requirement.risk - slack))
    return float(PRICES[::-1][at])


def losses_by_price(requirement: Requirement, trials: Trials) -> FloatArray:
    """Return what each window loses at each price: (n, n_prices), 0 to 1.

    The columns are those of `PRICES` from the last, infinity, to the first.
    """
    p = odds(requirement, trials.channels, trials.center, trials.spread)
    n_bytes = trials.n_bytes.astype(np.float64)
    raw = trials.raw_bytes.astype(np.float64)
    last = fallback_estimate(requirement, trials.levels, n_bytes, raw)
    loss, rows = violations(requirement, trials), np.arange(len(trials))
    losses = [loss[rows, cheapest(p, n_bytes, last, price)] for price in PRICES[::-1]]
    return np.stack(losses, axis=1)


def instability(losses: FloatArray, risk: float) -> float:
    """Return how much more a window loses if the price was found without it.

    Args:
        losses: (n, n_prices), as of `losses_by_price`.
        risk: the share that is allowed.

    Returns:
        The mean over windows, 0 or more, 0 for losses that only grow.
    """
    n, n_prices = losses.shape
    total = losses.sum(axis=0)
    with_it = max(0, _last_within(total / n, risk))
    # Where the price comes to rest without a window: the last one before the others,
    # and one more violation for it, pass the risk.
    without = np.full(n, n_prices - 1)
    moving = np.arange(n)
    for at in range(n_prices):
        share = (total[at] - losses[moving, at] + 1.0) / n
        stops = _is_over(share, risk)
        without[moving[stops]] = max(0, at - 1)
        moving = moving[~stops]
        if not len(moving):
            break
    more = losses[np.arange(n), without] - losses[:, with_it]
    return float(np.maximum(more, 0.0).mean())


def _last_within(shares: FloatArray, risk: float) -> int:
    """Return the last index before the first share over the risk; -1 if it is first."""
    over = _is_over(shares, risk)
    return int(np.argmax(over)) - 1 if over.any() else len(shares) - 1


def _is_over(shares: FloatArray | float, risk: float) -> npt.NDArray[np.bool_]:
    return np.asarray(shares > risk * (1.0 + ROUNDING))
