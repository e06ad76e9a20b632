# SPDX-License-Identifier: Apache-2.0
"""Rate and distortion: gain against error of the signal, of every coder on both sets.

All windows of the test splits of CinC 2017 and of MIT-BIH, of the first lead.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.bootstrap import Bootstrap
from experiments.coders.protocol import Coder
from experiments.coders.roster import CURVE_SOURCES
from experiments.measured import Measured
from experiments.measuring import RAW, Wanted, measure_all
from experiments.rate_distortion.curves import (
    EXACT_FAMILIES,
    curve_of,
    load_known,
    ratio_at_equal_prdn,
    rounded,
)
from experiments.rate_distortion.page import section
from experiments.rivals_trained import rivals_note
from experiments.windows import CINC_TEST, MITDB_TEST

__all__ = ["add_arguments", "run", "section"]

SPLITS = (MITDB_TEST, CINC_TEST)
FACTS = Path(__file__).resolve().parents[1] / "facts" / "anchors.toml"
# Coders with a bound on every sample: their largest error is a figure.
BOUNDED = ("near_lossless", "sz3")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the figure goes."""
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="(default: docs/figures)"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure every coder on both test splits.

    Returns:
        Of each split the rows of the table, a coder each, and the coders beside the
        wavelet at equal PRDN; why a coder is missing; the name of the figure.

    Raises:
        ConfigError: If the records are not there.
    """
    from experiments.rate_distortion.figure import draw

    coders, missing = load_known()
    results: dict[str, Any] = {
        "missing": missing,
        "rivals": rivals_note(),
        "splits": {split: _of_split(split, coders) for split in SPLITS},
        "classical_2026": classical_2026(),
    }
    results["figure"] = draw(results, folder=options.figures)
    return results


def _of_split(split: str, coders: Mapping[str, Coder]) -> dict[str, Any]:
    tables = measure_all(Wanted(split, CURVE_SOURCES))
    return {
        "n_windows": len(tables[RAW]),
        "n_records": len(np.unique(tables[RAW].records)),
        **compare(tables, coders),
    }


def classical_2026() -> dict[str, Any]:
    """Return the reference curve, which is of other windows, with its source."""
    found: dict[str, Any] = tomllib.loads(FACTS.read_text(encoding="utf-8"))
    return dict(found["classical_2026"])


def compare(
    tables: Mapping[str, Measured], coders: Mapping[str, Coder]
) -> dict[str, Any]:
    """Return the rows of one split, and every lossy coder beside the wavelet.

    Args:
        tables: of the coders by name, of the same windows.
        coders: those coders; tables of others are left out.
    """
    known = {name: tables[name] for name in coders if name in tables}
    bootstrap = Bootstrap(next(iter(known.values())).records)
    rows = [row_of(coders[name], table, bootstrap) for name, table in known.items()]
    wavelet = [known[row["name"]] for row in rows if row["family"] == "wavelet"]
    beside = []
    for row in rows:
        if row["family"] in (*EXACT_FAMILIES, "wavelet") or len(wavelet) < 2:
            continue
        gain, ratio = ratio_at_equal_prdn(known[row["name"]], wavelet)
        if np.isfinite(gain):
            beside.append(
                {
                    **{key: row[key] for key in ("name", "curve")},
                    "prdn": row["prdn"][0],
                    "gain": row["gain"][0],
                    "wavelet_gain": round(gain, 4),
                    "ratio": rounded(ratio),
                }
            )
    return {"rows": rows, "beside_wavelet": beside}


def row_of(coder: Coder, table: Measured, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return what one coder comes to over windows.

    Args:
        coder: whose table it is.
        table: its windows.
        bootstrap: of the same windows.
    """
    gain = bootstrap.ratio(table.raw_bytes, table.n_bytes)
    prdn = table.prdn[np.isfinite(table.prdn)]
    is_exact = bool((table.max_error == 0).all())
    row: dict[str, Any] = {
        "name": coder.name,
        "family": coder.family,
        "curve": curve_of(coder.name, coder.family),
        "element_gain": coder.element_gain,
        "gain": rounded(gain),
        "mean_gain": round(float((table.raw_bytes / table.n_bytes).mean()), 4),
        "bits_a_sample": round(16.0 / gain[0], 5),
        "is_exact": is_exact,
        "prdn": rounded(bootstrap.mean(table.prdn)),
        "prdn_median": round(float(np.median(prdn)), 4),
        "prdn_p95": round(float(np.percentile(prdn, 95)), 4),
        "prd": round(float(np.nanmean(table.prd)), 5),
    }
    if coder.family in BOUNDED or is_exact:
        row["max_error"] = float(table.max_error.max())
    return row
