# SPDX-License-Identifier: Apache-2.0
"""Tables of windows made up for a purpose, with no codec behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamic_deep.bound import Bound
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.trials import UNKNOWN, Trials

CHANNELS = ("rhythm:raw", "rhythm:label", "rpeaks:raw")


def make_trials(
    errors: Any,
    *,
    raw_errors: Any = None,
    p: Any = None,
    bound: float = 0.1,
    n_bytes: Any = None,
    **fields: Any,
) -> Trials:
    """A table of what matters to a test; the rest is as little as will do.

    Args:
        errors: (n, L) of channel rhythm:raw, or (n, L, C).
        raw_errors: (n, C); zeros if not given.
        p: (n, L) odds of being over `bound` that the heads foretell for every channel.
        bound: see `p`.
        n_bytes: (n, L); level i has 100 / (i + 1) bytes if not given.
        fields: any other of `Trials`.
    """
    errors = np.asarray(errors, np.float32)
    errors = errors[..., None] if errors.ndim == 2 else errors
    n, n_levels, n_channels = errors.shape
    odds = np.full((n, n_levels), 0.5) if p is None else np.asarray(p, np.float64)
    logits = np.log(bound) + np.log(odds / (1.0 - odds))
    center = np.full((n, 1 + n_levels, n_channels), -30.0)
    center[:, 1:] = logits[..., None]
    given = {
        "levels": ("low", "mid", "high")[:n_levels],
        "channels": CHANNELS[:n_channels],
        "records": np.array([f"r{i}" for i in range(n)]),
        "raw_bytes": np.full(n, 880, np.int32),  # the fallback is taken to cost 200
        "lossless_bytes": np.full(n, 220, np.int32),
        "n_bytes": np.tile(100 // np.arange(1, n_levels + 1), (n, 1)),
        "raw_errors": np.zeros((n, n_channels)),
        "changed": np.full((n, n_levels), np.nan),
        "labels": np.full(n, UNKNOWN, np.int8),
        "decided": np.full((n, 1 + n_levels), UNKNOWN, np.int8),
        "center": center,
        "spread": np.ones_like(center),
    }
    if raw_errors is not None:
        given["raw_errors"] = np.asarray(raw_errors, np.float32)
    if n_bytes is not None:
        given["n_bytes"] = np.asarray(n_bytes, np.int32)
    return Trials(errors=errors, **(given | fields))


def requires(
    limit: float = 0.1, *, risk: float = 0.1, reference: str = "raw", **fields: Any
) -> Requirement:
    """A bound on the rhythm alone."""
    bound = Bound(tasks=("rhythm",), limits={"rhythm": limit}, reference=reference)
    return Requirement(bound=bound, risk=risk, **fields)


def draw_trials(
    rng: np.random.Generator, n: int, *, insight: float = 0.8, n_levels: int = 3
) -> Trials:
    """Windows drawn alike: an error grows with the level and with how hard it is.

    Args:
        rng: to draw with.
        n: how many.
        insight: how much of a window's hardness the heads see; -1 is the contrary.
        n_levels: lossy levels.
    """
    hard = rng.normal(0.0, 1.0, (n, 1))
    typical = np.log(0.02) + 1.2 * np.arange(n_levels)
    errors = np.exp(typical + hard + rng.logistic(0.0, 0.3, (n, n_levels)))
    center = np.full((n, 1 + n_levels, 1), -30.0)
    center[:, 1:, 0] = typical + insight * hard
    n_bytes = (400 / 2 ** np.arange(n_levels)) * rng.uniform(0.7, 1.3, (n, 1))
    return make_trials(
        errors,
        n_bytes=np.rint(n_bytes),
        center=center,
        spread=np.full_like(center, 0.4),
        raw_bytes=np.full(n, 4400, np.int32),
        lossless_bytes=np.full(n, 1000, np.int32),
    )
