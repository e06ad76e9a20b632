# SPDX-License-Identifier: Apache-2.0
"""The heart rate of a window, from its R peaks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MIN_PEAKS = 3  # two intervals: one alone may be a missed beat's
MIN_INTERVAL_S, MAX_INTERVAL_S = 0.2, 3.0  # 300 and 20 beats a minute


def heart_rate_bpm(rpeaks_s: npt.ArrayLike) -> float | None:
    """Return the rate in beats a minute, or None where the peaks don't tell.

    It is 60 s over the median interval: a beat missed or found twice moves it little.

    Args:
        rpeaks_s: float array, shape (n_peaks,), s, ascending.

    Example:
        >>> heart_rate_bpm([0.5, 1.25, 2.0, 3.5])
        80.0
    """
    at = np.asarray(rpeaks_s, dtype=np.float64)
    if len(at) < MIN_PEAKS:
        return None
    middle = float(np.median(np.diff(at)))
    if not MIN_INTERVAL_S <= middle <= MAX_INTERVAL_S:
        return None
    return 60.0 / middle
