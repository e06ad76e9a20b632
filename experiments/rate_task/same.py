# SPDX-License-Identifier: Apache-2.0
"""The gain that each curve has where a given share of windows is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bench.aggregate import resample_weights
from dynamic_deep.evaluation import INTERVAL
from experiments.bootstrap import N_RESAMPLES
from experiments.measured import Measured
from experiments.rate_distortion.curves import RecordSums, rounded

FloatArray = npt.NDArray[np.float64]
REFERENCE = "wavelet"
Lost = Callable[[Measured], FloatArray]


def gain_at(share: float, gains: FloatArray, shares: FloatArray) -> float:
    """Return the gain at which a curve first reaches a share.

    Linear in the logarithm of the gain between points; NaN if the curve starts above
    the share or never reaches it.

    Args:
        share: that is looked for.
        gains: of the points, (n,), any order.
        shares: of the same points.

    Example:
        >>> x, y = np.array([10.0, 40.0]), np.array([0.0, 0.1])
        >>> round(gain_at(0.05, x, y), 6)
        20.0
    """
    order = np.argsort(gains)
    log_gain, shares = np.log(gains[order]), shares[order]
    above = np.flatnonzero(shares > share)
    if not len(above) or above[0] == 0:
        return float("nan")
    right = above[0]
    left = right - 1
    part = (share - shares[left]) / (shares[right] - shares[left])
    return float(np.exp(log_gain[left] + part * (log_gain[right] - log_gain[left])))


def gains_at_share(
    curves: Mapping[str, Sequence[Measured]], lost: Lost, share: float
) -> list[dict[str, Any]]:
    """Return each curve's gain at a share, and its ratio to the wavelet's.

    Both with their intervals; in each draw of records all curves are of the same ones.
    Curves that do not cross the share are left out.

    Args:
        curves: tables of the points of each curve, all of the same windows.
        lost: what of each window of a table is changed, (n,).
        share: of windows.
    """
    weights = None
    found: dict[str, FloatArray] = {}
    for curve, tables in curves.items():
        if weights is None:
            n_records = len(np.unique(tables[0].records))
            drawn = resample_weights(n_records, N_RESAMPLES, 0)
            weights = np.concatenate([np.ones((1, n_records)), drawn])
        found[curve] = _draws(tables, weights, lost, share)
    reference = found.get(REFERENCE)
    rows = []
    for curve, gains in found.items():
        if not np.isfinite(gains[0]):
            continue
        row: dict[str, Any] = {"curve": curve, "gain": _triple(gains)}
        if reference is not None and np.isfinite(reference[0]):
            row["ratio"] = _triple(gains / reference)
        rows.append(row)
    return rows


def _draws(
    tables: Sequence[Measured], weights: FloatArray, lost: Lost, share: float
) -> FloatArray:
    gains, shares = [], []
    for table in tables:
        _, group = np.unique(table.records, return_inverse=True)
        values = lost(table)
        known = np.isfinite(values)
        total = np.bincount(group[known], values[known], weights.shape[1])
        count = np.bincount(group[known], None, weights.shape[1])
        gains.append(RecordSums(table).gain(weights))
        shares.append((weights @ total) / (weights @ count))
    return np.array(
        [
            gain_at(share, *one)
            for one in zip(
                np.stack(gains, axis=1), np.stack(shares, axis=1), strict=True
            )
        ]
    )


def _triple(draws: FloatArray) -> list[float]:
    low, high = np.nanpercentile(draws[1:], INTERVAL)
    return rounded((draws[0], low, high), 4)
