# SPDX-License-Identifier: Apache-2.0
"""Scores of the rhythm over windows, with intervals of all at once.

Every score follows from how often each class was taken for each; a draw of records adds
up their counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import RHYTHM_CLASSES
from dynamic_deep.evaluation import CINC_CLASSES, INTERVAL
from dynamic_deep.trials import UNKNOWN
from experiments.bootstrap import Bootstrap, Triple

N_CLASSES = len(RHYTHM_CLASSES)
SCORES = ("weighted_f1", "weighted_precision", "weighted_recall", "macro_f1", "nao_f1")

Floats = npt.NDArray[np.float64]


class ScoreBootstrap(Bootstrap):
    """Draws of records that also know the scores of the rhythm."""

    def scores(
        self, labels: npt.NDArray[np.integer], decided: npt.NDArray[np.integer]
    ) -> dict[str, Triple]:
        """Return each of `SCORES` with its interval; NaN where nothing is labelled.

        Args:
            labels: index of the true class, or -1, (n,).
            decided: index of the class decided, or -1, (n,).
        """
        known = (labels != UNKNOWN) & (decided != UNKNOWN)
        if not known.any():
            return dict.fromkeys(SCORES, (float("nan"),) * 3)
        n_records = self._weights.shape[1]
        cell = labels[known].astype(int) * N_CLASSES + decided[known]
        counts = np.zeros((n_records, N_CLASSES**2))
        np.add.at(counts, (self._group[known], cell), 1.0)
        value = scores_of(counts.sum(axis=0))
        drawn = scores_of(self._weights @ counts)
        found = {}
        for name in SCORES:
            low, high = np.nanpercentile(drawn[name], INTERVAL)
            found[name] = (float(value[name]), float(low), float(high))
        return found


def scores_of(counts: Floats) -> dict[str, Floats]:
    """Return each of `SCORES`.

    Args:
        counts: (..., 16): windows of each true class, one after the other, by what they
            were taken for.
    """
    table = counts.reshape(*counts.shape[:-1], N_CLASSES, N_CLASSES)
    true, taken = table.sum(axis=-1), table.sum(axis=-2)
    right = np.diagonal(table, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = 2.0 * right / (true + taken)
        # A class that nothing was taken for has no precision: 0, as others count it.
        precision = np.where(taken > 0, right / taken, 0.0)
        recall = np.where(true > 0, right / true, 0.0)
    share = true / true.sum(axis=-1, keepdims=True)
    return {
        "weighted_f1": (share * np.nan_to_num(f1)).sum(axis=-1),
        "weighted_precision": (share * precision).sum(axis=-1),
        "weighted_recall": (share * recall).sum(axis=-1),
        "macro_f1": _mean_known(f1),
        "nao_f1": _mean_known(f1[..., :CINC_CLASSES]),
    }


def _mean_known(values: Floats) -> Floats:
    """Return the mean over the last axis, without NaN; 0 where nothing is known."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.asarray(total / np.maximum(known.sum(axis=-1), 1))
