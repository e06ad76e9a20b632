# SPDX-License-Identifier: Apache-2.0
"""What a violation must cost, so that no more windows break the bound than the risk.

The price falls from infinity until the violations in the calibration, with one more for
what is to come, would pass the risk: conformal risk control (Angelopoulos
et al. 2024, arXiv 2208.02814). Its theorem asks for a loss that only grows as the price
falls. Ours nearly does: now and then a window breaks the bound at one level and not at
the next, smaller one. For such a loss the promise holds but for a slack: how much more
is lost, on average, if the price was found without the window (Angelopoulos 2026,
arXiv 2602.20151). The slack is measured on the calibration windows, each left out once,
and taken off the risk beforehand.

Windows of one patient are alike, so a recording counts as one: what of it breaks the
bound is a share, and the promise is for windows of recordings to come. Only where those
will be of the same patients may each window count by itself.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound_choice import cheapest, fallback_estimate, violations
from dynamic_deep.bound_odds import Requirement, odds
from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Trials

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

# Bytes for a certain violation, ascending. At the last only the fallback is sent, so
# that heads that are sure and wrong can't make the promise impossible.
PRICES = np.append(np.geomspace(1e-1, 1e8, 361), np.inf)
ROUNDING = 1e-9  # relative; a share of 0.1 is not quite 2 / 20


def certified_price(
    requirement: Requirement, trials: Trials, *, same_patients: bool = False
) -> float:
    """Return the lowest price that keeps the promise, by conformal risk control.

    Args:
        requirement: what is asked for.
        trials: calibration windows, whose recordings are exchangeable with those to
            come.
        same_patients: the windows to come are of the same recordings' patients; each
            window counts by itself.

    Raises:
        ConfigError: If the calibration is too small for the risk, or no price will do.
    """
    units, what = counted(trials, same_patients=same_patients)
    n = int(units.max()) + 1
    least = least_risk(units)
    if requirement.risk < least:
        raise ConfigError(
            f"a risk of {requirement.risk:g} is below what {n} calibration {what} can "
            f"certify, {rounded_up(least):g}; ask for that much, or calibrate with "
            f"more {what}"
        )
    losses = mean_by(units, losses_by_price(requirement, trials))
    expected = (losses[:, 0].sum() + 1.0) / (n + 1)
    if _is_over(expected, requirement.risk):
        raise ConfigError(
            f"no choice keeps to this bound with risk {requirement.risk:g}: fallback "
            f"{requirement.fallback} itself breaks it in {100 * expected:.1f} % of the "
            f"calibration {what}; allow that much, raise the bound or fall back to "
            "lossless"
        )
    slack = instability(losses, requirement.risk)
    total = losses.sum(axis=0)
    # The fallback alone hangs on no window, and needs no slack.
    at = max(0, _last_within((total + 1.0) / (n + 1), requirement.risk - slack))
    return float(PRICES[::-1][at])


def counted(trials: Trials, *, same_patients: bool) -> tuple[IntArray, str]:
    """Return which unit each window is of, (n,), from 0, and what the units are."""
    if same_patients:
        return np.arange(len(trials)), "windows"
    _, units = np.unique(trials.records, return_inverse=True)
    return units, "recordings"


def least_risk(units: IntArray) -> float:
    """Return the lowest risk that so many units can certify: one more may be lost."""
    return 1.0 / (int(units.max()) + 2)


def rounded_up(risk: float) -> float:
    """Return a risk to two digits, upwards: what a message names must be allowed."""
    unit = 10.0 ** (1 - math.floor(math.log10(risk)))
    return math.ceil(risk * unit * (1.0 - ROUNDING)) / unit


def mean_by(units: IntArray, losses: FloatArray) -> FloatArray:
    """Return the mean loss of each unit's windows: (n_units, n_prices)."""
    total = np.zeros((int(units.max()) + 1, losses.shape[1]))
    np.add.at(total, units, losses)
    return total / np.bincount(units)[:, None]


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
    """Return how much more a unit loses if the price was found without it.

    Args:
        losses: (n_units, n_prices), 0 to 1, the last price first.
        risk: the share that is allowed.

    Returns:
        The mean over units, 0 or more, 0 for losses that only grow.
    """
    n, n_prices = losses.shape
    total = losses.sum(axis=0)
    with_it = max(0, _last_within(total / n, risk))
    # Where the price comes to rest without a unit: the last one before the others,
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
