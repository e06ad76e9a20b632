# SPDX-License-Identifier: Apache-2.0
"""Intervals of figures over windows: a bootstrap in which whole records are drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dynamic_deep.evaluation import INTERVAL

N_RESAMPLES = 1000
Triple = tuple[float, float, float]
Rows = npt.NDArray[np.intp]


class Bootstrap:
    """Draws of records, the same for every figure of the same windows.

    Args:
        records: whose window each is, (n,).
        seed: of the draws.
    """

    def __init__(
        self, records: npt.NDArray[np.str_], *, seed: int = 0, n: int = N_RESAMPLES
    ) -> None:
        self.n_windows = len(records)
        _, self._group = np.unique(records, return_inverse=True)
        n_records = int(self._group.max()) + 1
        rng = np.random.default_rng(seed)
        picks = rng.integers(n_records, size=(n, n_records))
        # How often each record is drawn says all about a draw.
        self._weights = np.stack([np.bincount(p, minlength=n_records) for p in picks])
        order = np.argsort(self._group, kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(self._group))[:-1])
        self._rows = [np.concatenate([parts[i] for i in p]) for p in picks]

    def ratio(
        self, above: npt.NDArray[np.floating], below: npt.NDArray[np.floating] | None
    ) -> Triple:
        """Return sum over sum with its interval; a mean if `below` is None.

        Windows where either is NaN are left out.
        """
        under = np.ones(self.n_windows) if below is None else np.asarray(below)
        known = np.isfinite(above) & np.isfinite(under)
        tops = np.bincount(self._group[known], above[known], self._weights.shape[1])
        ends = np.bincount(self._group[known], under[known], self._weights.shape[1])
        if not known.any():
            return (float("nan"),) * 3
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = (self._weights @ tops) / (self._weights @ ends)
        low, high = np.nanpercentile(drawn, INTERVAL)
        return float(tops.sum() / ends.sum()), float(low), float(high)

    def mean(self, values: npt.NDArray[np.floating]) -> Triple:
        """Return a mean with its interval."""
        return self.ratio(values.astype(np.float64), None)

    def of(self, statistic: Callable[[Rows], float]) -> Triple:
        """Return any statistic of windows, by their indices, with its interval."""
        value = statistic(np.arange(self.n_windows))
        if not np.isfinite(value):
            return (value,) * 3
        low, high = np.nanpercentile([statistic(rows) for rows in self._rows], INTERVAL)
        return float(value), float(low), float(high)
