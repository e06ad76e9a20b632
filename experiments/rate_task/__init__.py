# SPDX-License-Identifier: Apache-2.0
"""Rate and task: what rhythm and R peaks are worth after each coder, against its gain.

CinC 2017 test for the rhythm, the first lead of MIT-BIH test for R peaks; judged by the
task networks of `monitor`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import choose_all
from dynamic_deep.bound_odds import LOSSLESS, Requirement
from dynamic_deep.errors import ConfigError
from dynamic_deep.evaluation import rhythm_f1
from dynamic_deep.trials import UNKNOWN
from experiments.bootstrap import Bootstrap, Rows, Triple
from experiments.bundle_trials import bundle_trials, load_calibrated
from experiments.coders.protocol import Coder
from experiments.coders.roster import CURVE_SOURCES, bundle_sources
from experiments.measured import Measured, gather
from experiments.measuring import RAW, Wanted, measure_all
from experiments.rate_distortion.curves import curve_of, load_known, rounded
from experiments.rate_task.page import section
from experiments.rate_task.same import gains_at_share
from experiments.windows import CINC_TEST, MITDB_TEST

__all__ = ["add_arguments", "run", "section"]

BOUND_NATS, RISK = 0.1, 0.05
SHARES = (RISK, 0.1)  # of changed windows, at which gains are compared
BUNDLES = ("monitor", "edge")  # those with error heads


@dataclass(frozen=True, kw_only=True)
class Place:
    """Windows of one task.

    Attributes:
        split: of the windows.
        calibration: by which levels are chosen there.
        requirement: what is asked of the choice.
    """

    split: str
    calibration: str
    requirement: Requirement


PLACES = {
    "rhythm": Place(
        split=CINC_TEST,
        calibration="cinc2017",
        requirement=Requirement(
            bound=Bound(tasks=("rhythm",), limits={"rhythm": BOUND_NATS}), risk=RISK
        ),
    ),
    "rpeaks": Place(
        split=MITDB_TEST,
        calibration="mitdb",
        requirement=Requirement(
            bound=Bound(tasks=("rpeaks",), limits={"rpeaks": 0.0}),
            risk=RISK,
            per_segment=True,
        ),
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the figure goes."""
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="(default: docs/figures)"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure every coder and both calibrated choices.

    Returns:
        For rhythm and rpeaks what the raw windows score, the rows, a coder each, the
        calibrated choices, and the gain of each curve where its share of changed
        windows (or segments) reaches some shares; the name of the figure.

    Raises:
        ConfigError: If the records are not there.
    """
    from experiments.rate_task.figure import draw

    coders, _ = load_known()
    results: dict[str, Any] = {"bound_nats": BOUND_NATS, "risk": RISK}
    for task, place in PLACES.items():
        tables = measure_all(Wanted(place.split, CURVE_SOURCES))
        bootstrap = Bootstrap(tables[RAW].records)
        results[task] = assess(task, tables, coders) | {
            "chosen": [
                row_of(task, bundle, chosen_of(bundle, place), bootstrap)
                for bundle in BUNDLES
            ]
        }
    results["figure"] = draw(results, folder=options.figures)
    return results


def assess(
    task: str, tables: Mapping[str, Measured], coders: Mapping[str, Coder]
) -> dict[str, Any]:
    """Return the rows of one task, and each curve's gain at some shares changed.

    Args:
        task: rhythm or rpeaks.
        tables: of the coders by name and of the raw windows, of the same windows.
        coders: those coders; tables of others are left out.
    """
    raw = tables[RAW]
    bootstrap = Bootstrap(raw.records)
    rows: list[dict[str, Any]] = []
    curves: dict[str, list[Measured]] = {}
    for name, coder in coders.items():
        if name not in tables:
            continue
        curve = curve_of(name, coder.family)
        row = row_of(task, name, tables[name], bootstrap)
        rows.append({"family": coder.family, "curve": curve, **row})
        curves.setdefault(curve, []).append(tables[name])
    return {
        "n_windows": len(raw),
        "n_records": len(np.unique(raw.records)),
        "raw": row_of(task, RAW, raw, bootstrap),
        "rows": rows,
        "gains_at": [
            {
                "share": share,
                "rows": gains_at_share(
                    curves, lambda table: lost_share(task, table), share
                ),
            }
            for share in SHARES
        ],
    }


def lost_share(task: str, table: Measured) -> npt.NDArray[np.float64]:
    """Return what of each window is changed: 0 or 1, or the share of its segments.

    Raises:
        ConfigError: If there is no such task.
    """
    if task == "rhythm":
        return np.asarray(table.kl > BOUND_NATS).astype(np.float64)
    if task == "rpeaks":
        return table.changed.astype(np.float64)
    raise ConfigError(f"a task must be one of {', '.join(PLACES)}; got {task!r}")


def row_of(
    task: str, name: str, table: Measured, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Return gain, share changed and score of windows, each with its interval.

    Args:
        task: rhythm or rpeaks.
        name: of the row.
        table: the windows.
        bootstrap: of the same windows.
    """
    row: dict[str, Any] = {
        "name": name,
        "gain": rounded(bootstrap.ratio(table.raw_bytes, table.n_bytes)),
        "lost": rounded(bootstrap.mean(lost_share(task, table))),
    }
    if task == "rhythm":
        row["f1"] = rounded(_rhythm_score(table, bootstrap, 0))
        row["cinc_f1"] = rounded(_rhythm_score(table, bootstrap, 1))
    else:
        matched, missed, extra, _ = table.beats.T
        row["f1"] = rounded(
            bootstrap.ratio(2.0 * matched, 2.0 * matched + missed + extra)
        )
    return row


def _rhythm_score(table: Measured, bootstrap: Bootstrap, which: int) -> Triple:
    known = table.labels != UNKNOWN

    def score(rows: Rows) -> float:
        at = rows[known[rows]]
        return rhythm_f1(table.labels[at], table.decided[at])[which]

    return bootstrap.of(score)


def chosen_of(bundle: str, place: Place) -> Measured:
    """Return the windows as the calibrated choice of a bundle sends them."""
    trials = bundle_trials(bundle, place.split, calibration=place.calibration)
    price = load_calibrated(bundle, place.calibration).price(place.requirement)
    chosen = choose_all(place.requirement, trials, price)
    names = np.array([*trials.levels, LOSSLESS])[chosen]
    wanted = Wanted(place.split, bundle_sources(bundle))
    return gather(measure_all(wanted), bundle, names)
