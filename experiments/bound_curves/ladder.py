# SPDX-License-Identifier: Apache-2.0
"""A ladder of levels under one measure of loss, and what a choice among them comes to.

As the paper counts, the effective loss of a window sent without loss is 0, whatever the
task's own error on it; the true loss is beside it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound import ROUNDING, Bound
from dynamic_deep.bound_choice import level_index
from dynamic_deep.trials import Trials
from experiments.bootstrap import Bootstrap
from experiments.measured import Measured
from experiments.measuring import RAW
from experiments.outcome import plain, triple

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.integer[Any]]
NONE = "none"


@dataclass(frozen=True, kw_only=True, eq=False)
class Ladder:
    """Windows at every level; n windows, L lossy levels, the last column without loss.

    Attributes:
        names: of the levels, `none` last.
        records: whose window it is, (n,).
        raw_bytes: as stored, (n,).
        n_bytes: sent, (n, L + 1).
        mean_gains: whose mean over windows the paper gives, (n, L + 1): in elements of
            the latent for its codec, in bytes for ours.
        losses: of the tasks, (n, L + 1).
    """

    names: tuple[str, ...]
    records: npt.NDArray[np.str_]
    raw_bytes: Floats
    n_bytes: Floats
    mean_gains: Floats
    losses: Floats


def ladder_of_trials(trials: Trials, bound: Bound) -> Ladder:
    """Return a bundle's ladder, lossless last.

    Args:
        trials: its windows.
        bound: on a weighted total, whose loss is meant.
    """
    columns = bound.columns(trials.channels)
    weights = np.array([bound.weights.get(task, 1.0) for task in bound.tasks])
    errors = np.concatenate([trials.errors, trials.raw_errors[:, None]], axis=1)
    n_bytes = np.column_stack([trials.n_bytes, trials.lossless_bytes]).astype(float)
    return Ladder(
        names=(*trials.levels, NONE),
        records=trials.records,
        raw_bytes=trials.raw_bytes.astype(np.float64),
        n_bytes=n_bytes,
        mean_gains=trials.raw_bytes[:, None] / n_bytes,
        losses=errors[..., columns].astype(np.float64) @ weights,
    )


def ladder_of_tables(
    tables: Mapping[str, Measured], gains: Mapping[str, float], column: str
) -> Ladder:
    """Return a ladder of measured coders, raw windows last, as the paper has it.

    Args:
        tables: by coder, and that of the raw windows.
        gains: samples over elements of the coders that are its levels.
        column: of a table, the loss.
    """
    parts = [tables[name] for name in (*gains, RAW)]
    n = len(parts[-1])
    return Ladder(
        names=(*gains, NONE),
        records=parts[-1].records,
        raw_bytes=parts[-1].raw_bytes,
        n_bytes=np.column_stack([part.n_bytes for part in parts]),
        mean_gains=np.tile([*gains.values(), 1.0], (n, 1)),
        losses=np.column_stack([getattr(part, column) for part in parts]),
    )


def oracle(ladder: Ladder, bound: float, names: Sequence[str] | None = None) -> Indices:
    """Return the fewest bytes within a bound, window by window, else the last level.

    Args:
        ladder: the windows.
        bound: on the loss.
        names: lossy levels to choose among; all if None.
    """
    wanted = ladder.names[:-1] if names is None else tuple(names)
    columns = [ladder.names.index(name) for name in wanted]
    is_within = ladder.losses[:, columns] <= bound * (1.0 + ROUNDING)
    cost = np.where(is_within, ladder.n_bytes[:, columns], np.inf)
    best = np.array(columns)[cost.argmin(axis=1)]
    return np.where(np.isfinite(cost.min(axis=1)), best, len(ladder.names) - 1)


def outcome(
    ladder: Ladder,
    chosen: Indices,
    bound: float,
    draws: Bootstrap,
    *,
    is_lenient: bool = False,
) -> dict[str, Any]:
    """Return gains, losses, the share over the bound, and shares of levels.

    Args:
        ladder: the windows.
        chosen: column of each, (n,).
        bound: on the loss.
        draws: of the records.
        is_lenient: whether windows over the bound even uncompressed are left out of
            the share over the bound.
    """
    rows, last = np.arange(len(chosen)), len(ladder.names) - 1
    is_lossy = chosen != last
    losses = ladder.losses[rows, chosen]
    over = is_lossy & (losses > bound * (1.0 + ROUNDING))
    if is_lenient:
        over &= ladder.losses[:, last] <= bound * (1.0 + ROUNDING)
    shares = np.bincount(chosen, minlength=last + 1) / len(chosen)
    return {
        "gain": triple(draws.ratio(ladder.raw_bytes, ladder.n_bytes[rows, chosen])),
        "mean_gain": triple(draws.mean(ladder.mean_gains[rows, chosen])),
        "effective_loss": triple(draws.mean(np.where(is_lossy, losses, 0.0))),
        "true_loss": triple(draws.mean(losses)),
        "over": triple(draws.mean(over.astype(np.float64))),
        "levels": {
            name: plain(float(share))
            for name, share in zip(ladder.names, shares, strict=True)
        },
    }


def at_levels(trials: Trials, names: Sequence[str]) -> Trials:
    """Return the same windows on a shorter ladder.

    Raises:
        ConfigError: If a level is none of theirs.
    """
    columns = [level_index(trials.levels, name) for name in names]
    rows = [0, *(column + 1 for column in columns)]
    return dataclasses.replace(
        trials,
        levels=tuple(names),
        n_bytes=trials.n_bytes[:, columns],
        errors=trials.errors[:, columns],
        changed=trials.changed[:, columns],
        decided=trials.decided[:, rows],
        center=trials.center[:, rows],
        spread=trials.spread[:, rows],
    )
