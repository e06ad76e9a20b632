# SPDX-License-Identifier: Apache-2.0
"""What the encoder's size is worth, and the rate term: short trainings side by side."""

from __future__ import annotations

import functools
import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import load_bundle
from dynamic_deep.errors import ModelError
from experiments.ablations.coders import AblationCoder, measure_side_by_side
from experiments.ablations.names import NO_RATE, SIZES
from experiments.bootstrap import Bootstrap, Rows
from experiments.measured import Measured
from experiments.weights_folder import ABLATIONS

LEVELS = ("gain_64", "gain_128")
EQUAL_GAINS = (64.0, 100.0)
# Percent; between both levels of every training on validation windows. The 18 % of
# gain 64 would be beyond what so few steps reach.
EQUAL_PRDN = 30.0
BASE = "edge"  # the encoder that fits the device's budget
BUDGET_MACS = 1_000_000  # a segment, of the device


def encoder_rows(
    split: str, *, folder: Path = ABLATIONS, n_workers: int | None = None
) -> dict[str, Any]:
    """Measure every short training that is there.

    Args:
        split: such as "cinc2017:test".
        folder: of their bundles.
        n_workers: processes; one a core if None.

    Returns:
        `rows`, a training each, and `missing`, the names of those that are not there.

    Raises:
        ModelError: If none is there.
    """
    names = [n for n in (*SIZES, NO_RATE) if (folder / n / "config.json").is_file()]
    if BASE not in names:
        raise ModelError(
            f"the ablations need a bundle of training {BASE} in {folder}, there is "
            f"none; run `python -m experiments train ablation --name {BASE}`"
        )
    pairs = list(itertools.product(names, LEVELS))
    coders = [AblationCoder(ablation=n, level=v, folder=folder) for n, v in pairs]
    tables = measure_side_by_side(
        coders, split, None, n_workers=n_workers or os.cpu_count() or 1
    )
    found = dict(zip(pairs, tables, strict=True))
    base = [found[BASE, level] for level in LEVELS]
    rows = [_row(n, [found[n, v] for v in LEVELS], base, folder=folder) for n in names]
    return {
        "rows": rows,
        "missing": [n for n in (*SIZES, NO_RATE) if n not in names],
        "n_windows": len(tables[0]),
        "equal_prdn": EQUAL_PRDN,
        "budget_macs": BUDGET_MACS,
    }


def _row(
    name: str, tables: list[Measured], base: list[Measured], *, folder: Path
) -> dict[str, Any]:
    trained = load_bundle(folder / name).config["trained"]
    bootstrap = Bootstrap(tables[0].records)
    own, other = Curve(tables), Curve(base)
    row: dict[str, Any] = {
        "name": name,
        "macs": trained["macs"],
        "has_rate_term": name != NO_RATE,
        "n_steps": trained["n_steps"],
        "levels": [
            {
                "level": level,
                "gain": bootstrap.ratio(table.raw_bytes, table.n_bytes),
                "prdn": bootstrap.mean(table.prdn),
            }
            for level, table in zip(LEVELS, tables, strict=True)
        ],
        "gain_at_equal_prdn": bootstrap.of(lambda rows: own.gain_at(EQUAL_PRDN, rows)),
        "gain_over_base": bootstrap.of(
            lambda rows: own.gain_at(EQUAL_PRDN, rows) / other.gain_at(EQUAL_PRDN, rows)
        ),
    }
    for gain in EQUAL_GAINS:
        at_gain = functools.partial(own.prdn_at, gain)
        row[f"prdn_at_{gain:.0f}"] = bootstrap.of(at_gain)
    return row


class Curve:
    """A line through two levels: PRDN over the logarithm of the gain.

    It goes on beyond its ends as it is between them.

    Args:
        tables: of the lower and the higher level, of the same windows.
    """

    def __init__(self, tables: list[Measured]) -> None:
        self._raw = np.stack([table.raw_bytes for table in tables])
        self._sent = np.stack([table.n_bytes for table in tables])
        self._prdn = np.stack([table.prdn for table in tables])

    def prdn_at(self, gain: float, rows: Rows) -> float:
        """Return PRDN in percent at a gain, over some of the windows."""
        log_gains, prdns = self._ends(rows)
        slope = (prdns[1] - prdns[0]) / (log_gains[1] - log_gains[0])
        return float(prdns[0] + slope * (np.log(gain) - log_gains[0]))

    def gain_at(self, prdn: float, rows: Rows) -> float:
        """Return the gain at a PRDN in percent, over some of the windows."""
        log_gains, prdns = self._ends(rows)
        slope = (log_gains[1] - log_gains[0]) / (prdns[1] - prdns[0])
        return float(np.exp(log_gains[0] + slope * (prdn - prdns[0])))

    def _ends(
        self, rows: Rows
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        gains = self._raw[:, rows].sum(axis=1) / self._sent[:, rows].sum(axis=1)
        return np.log(gains), self._prdn[:, rows].mean(axis=1)
