# SPDX-License-Identifier: Apache-2.0
"""Fig. 4: gain and effective loss against the bound, ours and oracles of few levels.

For rhythm against labels and against the raw answer, for R peaks, and for both with
their weights swept; with the levels that are used, and how many are worth having.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from experiments.bound_curves.figure import draw_all
from experiments.bound_curves.ladder import ladder_of_tables
from experiments.bound_curves.says import section
from experiments.bound_curves.sweeps import (
    RISK,
    SWEEPS,
    WEIGHTED_BOUND,
    Ground,
    Sweep,
    sweep_bundle,
    sweep_ladders,
    sweep_published,
)
from experiments.bundle_trials import bundle_trials, load_calibrated
from experiments.coders.roster import load_all
from experiments.measuring import Wanted, measure_all
from experiments.networks.paper import LEVELS, REFERENCES
from experiments.table_1.mixes import element_gains, paper_foretold

__all__ = ["add_arguments", "run", "section"]

DEFAULT_BUNDLE = "monitor"
LADDERS_BOUND_NATS = 0.1  # of the raw answer, where the number of levels is swept


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whose levels are swept, and where the figures go."""
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE, help="(%(default)s)")
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="(default: docs/figures)"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Sweep everything and draw it.

    Returns:
        Curves by sweep, ladders by their number of levels, names of the figures.

    Raises:
        ConfigError: If the records are not there.
    """
    missing = load_all(("paper",))[1]
    for source, why in missing.items():
        print(f"left out: {source}: {why}")
    curves: dict[str, Any] = {}
    for sweep in SWEEPS:
        curves[sweep.name] = sweep_bundle(sweep, _ground(options.bundle, sweep))
        if sweep.column and not missing:
            curves[sweep.name] |= _published(sweep)
        print(f"{sweep.name}: {len(sweep.x)} bounds")
    raw = next(sweep for sweep in SWEEPS if sweep.name == "raw")
    bound = raw.bounds[raw.x.index(LADDERS_BOUND_NATS)]
    results: dict[str, Any] = {
        "bundle": options.bundle,
        "risk": RISK,
        "weighted_bound": WEIGHTED_BOUND,
        "ladders_bound": LADDERS_BOUND_NATS,
        "missing": missing,
        "curves": curves,
        "ladders": sweep_ladders(bound, _ground(options.bundle, raw)),
    }
    results["figures"] = draw_all(results, folder=options.figures)
    return results


def _ground(bundle: str, sweep: Sweep) -> Ground:
    calibration = load_calibrated(bundle, sweep.calibration)
    return Ground(
        test=bundle_trials(bundle, sweep.split, calibration=sweep.calibration),
        calibration=calibration.trials,
    )


def _published(sweep: Sweep) -> dict[str, Any]:
    tables = measure_all(Wanted(sweep.split, ("paper",)))
    known = element_gains(("paper",))
    gains = {f"paper/{v} float32": known[f"paper/{v} float32"] for v in LEVELS}
    ladder = ladder_of_tables(
        tables, {name: gain or 1.0 for name, gain in gains.items()}, sweep.column
    )
    foretold = paper_foretold(sweep.split)[:, :, REFERENCES.index(sweep.name)]
    return sweep_published(sweep, ladder, foretold)
