# SPDX-License-Identifier: Apache-2.0
"""Which level is worth its risk, if a unit of risk has a price.

A level that is foretold to break the bound with odds p costs its bytes and p times a
price. The cheapest is sent. So the risk that the user allows is spent where it saves
most, and the price is the one knob that calibration turns; see `bound_price`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound_odds import LOSSLESS, MAX_ODDS, Requirement, odds
from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Trials

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

# What a lossless frame is taken to need when levels are weighed; coding it to know
# would cost more than all other levels together.
LOSSLESS_GAIN = 4.4


def cheapest(
    p: FloatArray, n_bytes: FloatArray, fallback_bytes: FloatArray, price: float
) -> IntArray:
    """Return the level to send: an index of the last axis, or L for the fallback.

    Args:
        p: odds of a violation, (..., L).
        n_bytes: of the frame at each level, the same shape.
        fallback_bytes: of the fallback, (...).
        price: bytes that a certain violation is worth; infinite for the fallback
            alone.
    """
    if np.isinf(price):
        return np.full(p.shape[:-1], p.shape[-1])
    cost = np.where(p <= MAX_ODDS, n_bytes + price * p, np.inf)
    cost = np.concatenate([cost, fallback_bytes[..., None]], axis=-1)
    return np.asarray(cost.argmin(axis=-1))


def fallback_estimate(
    requirement: Requirement,
    levels: tuple[str, ...],
    n_bytes: FloatArray,
    raw: FloatArray,
) -> FloatArray:
    """Return what the fallback is taken to cost, (...).

    Raises:
        ConfigError: If the fallback is no level that is tried.
    """
    if requirement.fallback == LOSSLESS:
        return np.asarray(raw / LOSSLESS_GAIN)
    return np.asarray(n_bytes[..., level_index(levels, requirement.fallback)])


def level_index(levels: tuple[str, ...], name: str) -> int:
    """Return where a level stands among those that were tried.

    Raises:
        ConfigError: If it is none of them.
    """
    if name not in levels:
        known = ", ".join(levels)
        raise ConfigError(f"a choice must be lossless or one of {known}; got {name!r}")
    return levels.index(name)


def violations(requirement: Requirement, trials: Trials) -> FloatArray:
    """Return the loss of each window at each lossy level and the fallback: (n, L + 1).

    1 for a violation and 0 for none; or the share of segments that changed.

    Raises:
        ConfigError: If the table has no labels where the reference is label, or the
            fallback is no level that was tried.
    """
    bound = requirement.bound
    columns = bound.columns(trials.channels)
    errors, raw_errors = trials.errors[..., columns], trials.raw_errors[..., columns]
    if np.isnan(errors).any():
        raise ConfigError(
            "reference label needs labelled windows, the calibration has some without; "
            "use reference raw"
        )

    def is_over(errors: FloatArray) -> npt.NDArray[np.bool_]:
        if not requirement.per_segment:
            return bound.is_over(errors)
        is_other = np.array([task != "rpeaks" for task in bound.tasks])
        return np.asarray((bound.is_each_over(errors) & is_other).any(axis=-1))

    is_lost = is_over(errors)
    if requirement.is_lenient:
        is_lost &= ~is_over(raw_errors)[:, None]
    loss: FloatArray = is_lost.astype(np.float64)
    if requirement.per_segment:
        loss = np.where(is_lost, 1.0, trials.changed)
    last: FloatArray = np.zeros(len(trials))
    if requirement.fallback != LOSSLESS:
        last = loss[:, level_index(trials.levels, requirement.fallback)]
    return np.concatenate([loss, last[:, None]], axis=1)


def choose_all(requirement: Requirement, trials: Trials, price: float) -> IntArray:
    """Return the level of each window of a table at a price: indices, (n,)."""
    p = odds(requirement, trials.channels, trials.center, trials.spread)
    n_bytes = trials.n_bytes.astype(np.float64)
    last = fallback_estimate(
        requirement, trials.levels, n_bytes, trials.raw_bytes.astype(np.float64)
    )
    return cheapest(p, n_bytes, last, price)
