# SPDX-License-Identifier: Apache-2.0
"""Does the error of the signal tell that of the task? And what if one relied on it?

The paper's section V-D says that they hardly correlate, which is why it foretells the
task's error itself. Here both are measured window by window at each level, and a
choice by a limit on the PRDN, known exactly, stands against one by foretold task
errors at as many violations.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from dynamic_deep.bound_choice import choose_all, violations
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.bound_price import PRICES
from dynamic_deep.evaluation import choose_oracle
from dynamic_deep.trials import Trials
from experiments.ablations.choice import rhythm_requirement
from experiments.ablations.coders import measured
from experiments.bootstrap import Bootstrap, Rows
from experiments.bundle_trials import bundle_trials
from experiments.coders.levels import CLASSICAL, LevelCoder, load_codec
from experiments.kept import Arrays, keep
from experiments.measured import Measured
from experiments.windows import load_windows

BUNDLE = "monitor"
OVER_NATS = 0.1
SIGNAL_ERRORS = ("prdn", "mape", "mse")
TASK_ERRORS = ("kl", "cce")
SHARES = (0.02, 0.05, 0.10)  # of violations, at which choices are compared
N_DRAWS = 400
LIMITS_PRDN = np.geomspace(2.0, 120.0, 80)

Floats = npt.NDArray[np.float64]


def table_of(bundle: str, level: str, split: str, judge: str) -> Measured:
    """Return the table of a lossy level of a bundle's ladder."""
    kind = load_codec(bundle).bundle.level(level).kind
    coder = LevelCoder(bundle=bundle if kind == "neural" else CLASSICAL, level=level)
    return measured(coder, split, judge)


def correlation_rows(split: str) -> list[dict[str, Any]]:
    """Correlate at each neural level; each figure with its interval."""
    variance = _variances(split)
    rows = []
    for level in load_codec(BUNDLE).levels:
        if level.kind != "neural":
            continue
        table = table_of(BUNDLE, level.name, split, BUNDLE)
        bootstrap = Bootstrap(table.records, n=N_DRAWS)
        errors = {
            "prdn": table.prdn,
            "mape": table.mape,
            "mse": (table.prdn / 100.0) ** 2 * variance,
        }
        for task in TASK_ERRORS:
            y = getattr(table, task)
            for name in SIGNAL_ERRORS:
                rows.append(
                    {"level": level.name, "signal": name, "task": task}
                    | _correlations(errors[name], y, bootstrap)
                )
    return rows


def _variances(split: str) -> Floats:
    """Return the variance of each window, ADC units squared."""

    def make() -> Arrays:
        windows = load_windows(split)
        found = [np.var(w.subject.x, dtype=np.float64) for w in windows]
        return {"variances": np.array(found)}

    key = {"what": "variances", "split": split}
    variances: Floats = keep(f"variances-{split}", key, make)["variances"]
    return variances


def _correlations(x: Floats, y: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    return {
        "spearman": bootstrap.of(lambda rows: spearman(x[rows], y[rows])),
        "pearson": bootstrap.of(lambda rows: pearson(x[rows], y[rows])),
    }


def pearson(x: Floats, y: Floats) -> float:
    """Return the correlation of two columns.

    Example:
        >>> round(pearson(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 6)
        1.0
    """
    return float(np.corrcoef(x, y)[0, 1])


def spearman(x: Floats, y: Floats) -> float:
    """Return the correlation of two columns' ranks.

    Example:
        >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0])), 6)
        -1.0
    """
    return pearson(rankdata(x), rankdata(y))


def choice_rows(split: str) -> dict[str, Any]:
    """Compare choices by the PRDN, by error heads, and by an oracle, at equal risk.

    Returns:
        `rows`, a share of violations each with the gain of both choices, and their
        ratio; the gain of the oracle, who makes none.
    """
    trials = bundle_trials(BUNDLE, split)
    asked = rhythm_requirement(OVER_NATS)
    bootstrap = Bootstrap(trials.records, n=N_DRAWS)
    prdn = np.stack(
        [table_of(BUNDLE, v, split, BUNDLE).prdn for v in trials.levels], axis=1
    )
    by_prdn = _Swept(
        asked, trials, [choose_by_prdn(trials, prdn, t) for t in LIMITS_PRDN]
    )
    by_heads = _Swept(
        asked, trials, [choose_all(asked, trials, p) for p in PRICES[::4]]
    )
    oracle = _Swept(asked, trials, [choose_oracle(asked, trials)])
    rows = []
    for share in SHARES:
        gain_of = [functools.partial(v.gain_at, share) for v in (by_prdn, by_heads)]
        ratio = functools.partial(_ratio, gain_of[1], gain_of[0])
        rows.append(
            {
                "violations": share,
                "prdn": bootstrap.of(gain_of[0]),
                "heads": bootstrap.of(gain_of[1]),
                "heads_over_prdn": bootstrap.of(ratio),
            }
        )
    return {
        "bound_nats": OVER_NATS,
        "rows": rows,
        "oracle": bootstrap.of(lambda r: oracle.gains(r)[0]),
    }


def _ratio(
    above: Callable[[Rows], float], below: Callable[[Rows], float], rows: Rows
) -> float:
    return above(rows) / below(rows)


def choose_by_prdn(
    trials: Trials, prdn: Floats, limit: float
) -> npt.NDArray[np.integer[Any]]:
    """Return the fewest bytes whose PRDN is within a limit, lossless if none is.

    Args:
        trials: the windows.
        prdn: of each level, percent, (n, L).
        limit: percent.
    """
    cost = np.where(prdn <= limit, trials.n_bytes, np.inf)
    best = cost.argmin(axis=1)
    return np.where(np.isfinite(cost.min(axis=1)), best, len(trials.levels))


class _Swept:
    """Bytes and violations of choices that one knob makes."""

    def __init__(
        self,
        requirement: Requirement,
        trials: Trials,
        choices: list[npt.NDArray[np.integer[Any]]],
    ) -> None:
        chosen = np.stack(choices, axis=1)
        sent = np.concatenate([trials.n_bytes, trials.lossless_bytes[:, None]], axis=1)
        lost = violations(requirement, trials)
        self._raw = trials.raw_bytes.astype(np.float64)
        self._sent = np.take_along_axis(sent.astype(np.float64), chosen, axis=1)
        self._lost = np.take_along_axis(lost, chosen, axis=1)

    def gains(self, rows: Rows) -> Floats:
        """Return the gain of each setting."""
        gains: Floats = self._raw[rows].sum() / self._sent[rows].sum(axis=0)
        return gains

    def gain_at(self, share: float, rows: Rows) -> float:
        """Return the highest gain with at most this share of violations."""
        lost = self._lost[rows].mean(axis=0)
        kept = lost <= share
        return float(self.gains(rows)[kept].max()) if kept.any() else float("nan")
