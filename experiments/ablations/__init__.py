# SPDX-License-Identifier: Apache-2.0
"""Ablations: what each part is worth, measured with everything else the same.

Rhythm and signal on CinC 2017 test, R peaks on MIT-BIH test. The encoder's size and the
rate term are judged by short trainings (`python -m experiments train ablation`), all
else by the shipped bundles.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dynamic_deep.errors import ModelError
from experiments.ablations import choice, correlation, levels
from experiments.ablations.encoder import encoder_rows
from experiments.ablations.figure import draw_budget, draw_scatter
from experiments.ablations.section import section
from experiments.ablations.unit import unit_rows
from experiments.windows import CINC_TEST, MITDB_TEST

__all__ = ["add_arguments", "run", "section"]

SCATTER_LEVEL = "gain_128"
DIGITS = 5  # significant, of what is written


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the figures go, and how many processes measure."""
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="(default: docs/figures)"
    )
    parser.add_argument("--workers", type=int, help="processes (default: one a core)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure every ablation and draw two.

    Raises:
        ConfigError: If the records are not there.
    """
    results: dict[str, Any] = {
        "split": CINC_TEST,
        "encoder": _encoders(options.workers),
        "task_term": levels.task_term(CINC_TEST),
        "integer_encoder": levels.integer_encoder(CINC_TEST),
        "rounding": levels.rounding(CINC_TEST),
        "by_segment": levels.coded_by_segment(CINC_TEST),
        "margin": {
            bundle: choice.margin_rows(bundle, CINC_TEST)
            for bundle in ("monitor", "edge")
        },
        "reference": choice.reference_rows("monitor", CINC_TEST),
        "unit": unit_rows(MITDB_TEST),
        "correlation": correlation.correlation_rows(CINC_TEST),
        "choice": correlation.choice_rows(CINC_TEST),
    }
    results["figures"] = _draw(results, options.figures)
    rounded: dict[str, Any] = _rounded(results)
    return rounded


def _encoders(n_workers: int | None) -> dict[str, Any]:
    try:
        return encoder_rows(CINC_TEST, n_workers=n_workers)
    except ModelError as error:
        return {"rows": [], "missing": str(error)}


def _draw(results: dict[str, Any], folder: Path | None) -> list[str]:
    bundle = correlation.BUNDLE
    table = correlation.table_of(bundle, SCATTER_LEVEL, CINC_TEST, bundle)
    (says,) = (
        row
        for row in results["correlation"]
        if (row["level"], row["signal"], row["task"]) == (SCATTER_LEVEL, "prdn", "kl")
    )
    says = says | {"bound_nats": correlation.OVER_NATS}
    says["level"] = f"{bundle}/{SCATTER_LEVEL}"
    drawn = [draw_scatter(table.prdn, table.kl, says=says, folder=folder)]
    if results["encoder"]["rows"]:
        drawn.append(draw_budget(results["encoder"], folder=folder))
    return drawn


def _rounded(value: Any) -> Any:
    """Return plain values, floats to so many significant digits."""
    if isinstance(value, dict):
        return {key: _rounded(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    return value
