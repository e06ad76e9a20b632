# SPDX-License-Identifier: Apache-2.0
"""From the windows of one condition to the figures of a row, with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamic_deep.evaluation import rhythm_f1
from experiments.bootstrap import Bootstrap, Rows, Triple
from experiments.kept import Arrays
from experiments.noise.measured import CLEAN, SENT, Condition, Setting

VERSIONS = ("raw", *SENT)  # what the task is asked of
N_DIGITS = 5


def row_of(setting: Setting, condition: Condition, table: Arrays) -> dict[str, Any]:
    """Return what a condition comes to: value, lower and upper end of each figure.

    Args:
        setting: what was asked.
        condition: the noise.
        table: of its windows, as `NoisyTrier.run` gives it.
    """
    bootstrap, raw = Bootstrap(table["records"]), table["raw_bytes"]
    gains = {
        name: bootstrap.ratio(raw, table["n_bytes"][:, i])
        for i, name in enumerate(SENT)
    }
    gains["lossless"] = bootstrap.ratio(raw, table["lossless_bytes"])
    over = {name: bootstrap.mean(table["over"][:, i]) for i, name in enumerate(SENT)}
    scores = {
        name: _score(setting, table, i, bootstrap) for i, name in enumerate(VERSIONS)
    }
    levels, counts = np.unique(table["level"], return_counts=True)
    return {
        "noise": condition.kind,
        "snr_db": None if condition.kind == CLEAN else condition.snr_db,
        "n_windows": len(raw),
        "n_records": len(np.unique(table["records"])),
        "gain": _rounded(gains),
        "over": _rounded(over),
        "score": _rounded(scores),
        "levels": {
            str(name): round(float(count / len(raw)), N_DIGITS)
            for name, count in zip(levels, counts, strict=True)
        },
    }


def _score(setting: Setting, table: Arrays, i: int, bootstrap: Bootstrap) -> Triple:
    """Return weighted F1 of rhythms, or F1 of beats, of one version."""
    if setting.task == "rhythm":
        labels, decided = table["labels"], table["decided"][:, i]

        def weighted(at: Rows) -> float:
            return rhythm_f1(labels[at], decided[at])[0]

        return bootstrap.of(weighted)
    matched, missed, extra = table["beats"][:, i].T.astype(np.float64)
    return bootstrap.ratio(2 * matched, 2 * matched + missed + extra)


def _rounded(figures: dict[str, Triple]) -> dict[str, list[float | None]]:
    return {
        name: [round(v, N_DIGITS) if np.isfinite(v) else None for v in triple]
        for name, triple in figures.items()
    }
