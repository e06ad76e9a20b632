# SPDX-License-Identifier: Apache-2.0
"""How near the beats of a window are to being others.

Compression changes a beat that is hardly one, or a bump that hardly is none. So the
error heads' features learn to see how near the nearest of either comes to the limit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.tasks.peaks import HIGHEST, MIN_PROMINENCE, find_peaks, find_tops

FloatArray = npt.NDArray[np.float32]

# What is lower or stands out less is far from being a beat.
LEAST_HEIGHT, LEAST_PROMINENCE = 0.15, 0.05
# A top is a beat if its height is over a limit and its prominence over a lower one.
AHEAD = (1.0 - HIGHEST) - MIN_PROMINENCE
N_QUARTERS = 4
N_DOUBTS = 2 + N_QUARTERS


def beat_doubts(distance: npt.NDArray[np.floating]) -> FloatArray:
    """Return of each segment of a distance map how sure its beats are.

    Args:
        distance: (n_segments * SEGMENT_LEN,), 0 at an R peak, 1 far from any.

    Returns:
        float32, (n_segments, N_DOUBTS): height of the faintest beat, 1 if there is
        none; of the highest bump that is no beat, 0 if there is none; and how much of
        the map lies in each quarter of its range.
    """
    tops = find_tops(
        distance, highest=1.0 - LEAST_HEIGHT, min_prominence=LEAST_PROMINENCE
    )
    sureness = np.minimum(tops.height, tops.prominence + AHEAD)
    is_beat = np.isin(tops.at, find_peaks(distance))
    segment_of = (tops.at // SEGMENT_LEN).astype(int)
    doubts = np.zeros((len(distance) // SEGMENT_LEN, N_DOUBTS), np.float32)
    for i, row in enumerate(doubts):
        here = segment_of == i
        row[0] = np.min(sureness[here & is_beat], initial=1.0)
        row[1] = np.max(sureness[here & ~is_beat], initial=0.0)
        part = distance[i * SEGMENT_LEN : (i + 1) * SEGMENT_LEN]
        row[2:] = quarter_shares(part)
    return doubts


def quarter_shares(distance: npt.NDArray[np.floating]) -> FloatArray:
    """Return how much of a map lies in each quarter of its range, (N_QUARTERS,)."""
    quarter = np.clip((distance * N_QUARTERS).astype(int), 0, N_QUARTERS - 1)
    return np.eye(N_QUARTERS, dtype=np.float32)[quarter].mean(axis=0)
