# SPDX-License-Identifier: Apache-2.0
"""Calibration: the risk that was promised against the risk that was found, on test.

Bundles `monitor` and `edge`, several bounds and risks; on windows like those of the
calibration, and under shift: calibrated on one data set, run on the other.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import choose_all, violations
from dynamic_deep.bound_odds import LOSSLESS, Requirement
from dynamic_deep.calibration import Calibration
from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Trials
from experiments.bootstrap import Bootstrap
from experiments.bundle_trials import bundle_trials, load_calibrated
from experiments.calibration_check.page import section
from experiments.rate_distortion.curves import rounded
from experiments.windows import CINC_TEST, MITDB_TEST

__all__ = ["add_arguments", "run", "section"]

BUNDLES = ("monitor", "edge")
RISKS = (0.01, 0.02, 0.05, 0.1, 0.2)
RHYTHM_NATS = (0.02, 0.05, 0.1, 0.2, 0.5)
# Calibration and the split that is sent by it.
PLACES = {
    "home": (("cinc2017", CINC_TEST), ("mitdb", MITDB_TEST)),
    "shift": (("cinc2017", MITDB_TEST), ("mitdb", CINC_TEST)),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A bound that is asked for, at every risk.

    Attributes:
        task: rhythm or rpeaks.
        limit: on its error.
        per_segment: whether the risk counts segments.
    """

    task: str
    limit: float
    per_segment: bool = False

    @property
    def name(self) -> str:
        """As on the command line."""
        return f"{self.task}={self.limit:g}" + (
            " --per segment" if self.per_segment else ""
        )

    def at(self, risk: float) -> Requirement:
        """Return the requirement at a risk."""
        bound = Bound(tasks=(self.task,), limits={self.task: self.limit})
        return Requirement(bound=bound, risk=risk, per_segment=self.per_segment)


ASKED = (
    *(Asked(task="rhythm", limit=nats) for nats in RHYTHM_NATS),
    Asked(task="rpeaks", limit=0.0),
    Asked(task="rpeaks", limit=0.0, per_segment=True),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the figures go."""
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="(default: docs/figures)"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Check every promise.

    Returns:
        The cells, one a bundle, place, bound and risk, each with what was promised and
        what was found; the names of the figures.

    Raises:
        ConfigError: If the records are not there.
    """
    from experiments.calibration_check.figure import draw

    cells = [
        cell
        for kind, places in PLACES.items()
        for calibration, split in places
        for bundle in BUNDLES
        for cell in _cells_of(kind, bundle, calibration=calibration, split=split)
    ]
    results: dict[str, Any] = {
        "calibrations": {
            name: _size(load_calibrated(BUNDLES[0], name)) for name, _ in PLACES["home"]
        },
        "cells": cells,
    }
    results["figures"] = {
        kind: draw(results, kind, folder=options.figures) for kind in PLACES
    }
    return results


def _size(calibration: Calibration) -> dict[str, float]:
    trials = calibration.trials
    return {
        "n_windows": len(trials),
        "n_records": len(np.unique(trials.records)),
        "least_risk": round(calibration.least_risk, 5),
    }


def _cells_of(
    kind: str, bundle: str, *, calibration: str, split: str
) -> Iterator[dict[str, Any]]:
    trials = bundle_trials(bundle, split, calibration=calibration)
    found = check(trials, load_calibrated(bundle, calibration), ASKED)
    where = {"kind": kind, "bundle": bundle, "calibration": calibration, "split": split}
    return ({**where, **cell} for cell in found)


def check(
    trials: Trials,
    calibration: Calibration,
    asked: Sequence[Asked],
    risks: Sequence[float] = RISKS,
) -> Iterator[dict[str, Any]]:
    """Send windows as a calibration promises, and count what broke the bound.

    A risk below what it can certify is left out.

    Args:
        trials: the windows, at the levels of the calibration.
        calibration: that sets the price.
        asked: the bounds.
        risks: that are promised.

    Yields:
        Bound and risk; the share over the bound and the gain, each with its interval;
        the share sent lossless; whether the promise broke: held, over (by less than
        the interval), or broken.

    Raises:
        ConfigError: If the windows were tried at other levels.
    """
    if trials.levels != calibration.trials.levels:
        raise ConfigError(
            "windows must be tried at the levels of the calibration "
            f"({', '.join(calibration.trials.levels)}), got {', '.join(trials.levels)}"
        )
    bootstrap = Bootstrap(trials.records)
    for one in asked:
        for risk in risks:
            if risk < calibration.least_risk:
                continue  # is refused
            requirement = one.at(risk)
            price = _price(calibration, one, risk)
            over, sent, is_lossless = _sent(requirement, trials, price)
            observed = bootstrap.mean(over)
            gain = bootstrap.ratio(trials.raw_bytes.astype(np.float64), sent)
            yield {
                "task": one.task,
                "asked": one.name,
                "limit": one.limit,
                "per_segment": one.per_segment,
                "risk": risk,
                "observed": rounded(observed),
                "gain": rounded(gain, 4),
                "lossless": round(float(is_lossless.mean()), 5),
                "verdict": verdict(risk, observed),
            }


@functools.cache
def _price(calibration: Calibration, asked: Asked, risk: float) -> float:
    return calibration.price(asked.at(risk))


def verdict(risk: float, observed: Sequence[float]) -> str:
    """Return what a share (value, low, high) says of a promise.

    Example:
        >>> verdict(0.05, (0.04, 0.03, 0.06)), verdict(0.05, (0.08, 0.06, 0.1))
        ('held', 'broken')
    """
    value, low, _ = observed
    if value <= risk:
        return "held"
    return "broken" if low > risk else "over"


def _sent(
    requirement: Requirement, trials: Trials, price: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return loss, bytes and whether lossless of each window."""
    if requirement.fallback != LOSSLESS:
        raise ConfigError(
            f"this check is of fallback lossless, got {requirement.fallback}; use "
            "`dynamic-deep evaluate`"
        )
    chosen = choose_all(requirement, trials, price)
    rows = np.arange(len(trials))
    n_bytes = np.concatenate([trials.n_bytes, trials.lossless_bytes[:, None]], axis=1)
    loss = violations(requirement, trials)
    is_lossless = chosen == len(trials.levels)
    return loss[rows, chosen], n_bytes[rows, chosen].astype(np.float64), is_lossless
