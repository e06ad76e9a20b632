# SPDX-License-Identifier: Apache-2.0
"""The bound: what each promise costs, whether it is kept, and what an oracle reaches.

Five things are asked of a bundle on test windows. Each is answered by the calibrated
choice, by the best fixed level of the calibration windows, and by choices that know the
error of every window.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic_deep.bound_choice import choose_all
from dynamic_deep.bound_odds import LOSSLESS
from dynamic_deep.calibration import Calibration
from dynamic_deep.cli.evaluate import paper_ladders
from dynamic_deep.evaluation import best_fixed, choose_fixed, choose_oracle
from dynamic_deep.tasks.scores import BeatScores
from dynamic_deep.trials import Trials
from experiments.bootstrap import Bootstrap
from experiments.bound_table.asked import ASKED, Asked
from experiments.bound_table.by_length import outcomes_by_length
from experiments.bound_table.rows import CALIBRATED, FIXED, ORACLE, PAPER_ORACLE
from experiments.bound_table.says import section
from experiments.bundle_trials import bundle_trials, load_calibrated
from experiments.coders.levels import load_codec
from experiments.measured import Measured
from experiments.measuring import RAW, Wanted, measure_all
from experiments.outcome import Choice, outcome_of, plain, triple
from experiments.scores import ScoreBootstrap
from experiments.windows import MITDB_TEST

__all__ = ["add_arguments", "run", "section"]

BUNDLES = ("monitor", "edge")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which bundles are asked."""
    parser.add_argument(
        "--bundles", nargs="+", default=list(BUNDLES), help="(default: %(default)s)"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Ask everything of every bundle.

    Returns:
        By bundle and by what is asked, a row for each choice; and the tasks' scores on
        the raw windows.

    Raises:
        ConfigError: If the records are not there.
    """
    asked: dict[str, dict[str, Any]] = {}
    for bundle in options.bundles:
        asked[bundle] = {"model_id": load_codec(bundle).model_id.hex()[:12]}
        for one in ASKED:
            trials = bundle_trials(bundle, one.split, calibration=one.calibration)
            calibration = load_calibrated(bundle, one.calibration)
            ladders = paper_ladders(load_codec(bundle).bundle, trials.levels)
            asked[bundle][one.name] = answer(one, trials, calibration, ladders=ladders)
            print(f"{bundle} {one.name}: {_line(asked[bundle][one.name]['rows'])}")
    return {"asked": asked, "beats": _beats()}


def answer(
    one: Asked,
    trials: Trials,
    calibration: Calibration,
    *,
    ladders: dict[str, tuple[str, ...] | None],
) -> dict[str, Any]:
    """Return the row of every choice, the calibrated one first.

    Args:
        one: what is asked.
        trials: test windows.
        calibration: of the same ladder.
        ladders: levels of the paper's oracles, by what they are.
    """
    need = one.need
    price = calibration.price(need)
    choices = [Choice(CALIBRATED, CALIBRATED, choose_all(need, trials, price))]
    level = best_fixed(need, calibration)
    if level is not None:
        choices.append(Choice(FIXED, f"fixed {level}", choose_fixed(trials, level)))
    choices.append(Choice(ORACLE, "oracle, whole ladder", choose_oracle(need, trials)))
    for name, names in ladders.items():
        chosen = choose_oracle(need, trials, names=names)
        choices.append(Choice(PAPER_ORACLE, name, chosen))
    draws = ScoreBootstrap(trials.records)
    rows = [outcome_of(need, trials, choice, draws) for choice in choices]
    nothing = Choice(LOSSLESS, "lossless", np.full(len(trials), len(trials.levels)))
    exact = dataclasses.replace(need, fallback=LOSSLESS)
    rows.append(outcome_of(exact, trials, nothing, draws))
    best = next(row["gain"][0] for row in rows if row["kind"] == ORACLE)
    columns = need.bound.columns(trials.channels)
    raw_errors = np.nan_to_num(trials.raw_errors[..., columns])
    both = [(exact, nothing), (need, choices[0])]
    by_length = outcomes_by_length(trials, both) if one.by_length else {}
    return {
        "words": one.words,
        "split": one.split,
        "risk": need.risk,
        "per": "segment" if need.per_segment else "window",
        "n_windows": len(trials),
        "n_records": len(np.unique(trials.records)),
        "inherent": plain(float(need.bound.is_over(raw_errors).mean())),
        "by_length": by_length,
        "rows": [row | {"of_oracle": plain(row["gain"][0] / best)} for row in rows],
    }


def _line(rows: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{row['choice']} {row['gain'][0]:.3g}" for row in rows)


def _beats() -> dict[str, Any]:
    """Return how well the R peaks of raw windows match the annotated beats."""
    tables = measure_all(Wanted(MITDB_TEST, ()))
    return beat_figures(tables[RAW])


def beat_figures(raw: Measured) -> dict[str, Any]:
    """Return F1, sensitivity, predictive value and jitter of a table's beats."""

    def score(name: str) -> list[float | None]:
        found = bootstrap.of(lambda rows: float(getattr(_scores(raw, rows), name)))
        return triple(found)

    bootstrap = Bootstrap(raw.records)
    names = ("f1", "sensitivity", "ppv", "jitter_ms")
    return {name: score(name) for name in names}


def _scores(raw: Measured, rows: np.ndarray) -> BeatScores:
    matched, missed, extra, squared = raw.beats[rows].sum(axis=0)
    return BeatScores(
        n_matched=int(matched),
        n_missed=int(missed),
        n_extra=int(extra),
        squared_ms=float(squared),
    )
