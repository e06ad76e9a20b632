# SPDX-License-Identifier: Apache-2.0
"""What the error heads learn: whether errors are over bounds, what tasks answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound import LEAST_ERROR
from dynamic_deep.config import SEGMENTS_PER_WINDOW
from dynamic_deep.engine import Network
from dynamic_deep.networks.error_heads import N_CLASSES
from dynamic_deep.trials import Trials
from training.beat_doubts import N_DOUBTS, beat_doubts, quarter_shares

FloatArray = npt.NDArray[np.float32]
Lessons = tuple[FloatArray, FloatArray]  # answers and doubts about beats

BOUNDS = {
    "rhythm:raw": (0.01, 0.03, 0.06, 0.1, 0.15, 0.25, 0.5, 1.0),
    "rhythm:label": (0.1, 0.25, 0.5, 0.65, 0.75, 0.9, 1.2, 2.0),
    "rpeaks:raw": (LEAST_ERROR, 0.02, 0.04, 0.07, 0.1, 0.15, 0.25, 0.5),
}
N_BOUNDS = 8


def bound_grid(channels: tuple[str, ...]) -> FloatArray:
    """Return the logarithms of the bounds that are trained, (n_channels, N_BOUNDS)."""
    return np.log([BOUNDS[channel] for channel in channels]).astype(np.float32)


def over_targets(trials: Trials) -> tuple[FloatArray, FloatArray]:
    """Return whether each error is over each bound, and where that is known.

    Returns:
        Two arrays (n, 1 + L, C, N_BOUNDS): 0 or 1; and the weight 0 or 1.
    """
    errors = np.concatenate([trials.raw_errors[:, None], trials.errors], axis=1)
    bounds = np.exp(bound_grid(trials.channels))
    known = np.isfinite(errors)
    # Against its own answer the raw window has no error; that need not be learned.
    for column, channel in enumerate(trials.channels):
        known[:, 0, column] &= not channel.endswith(":raw")
    over = (np.nan_to_num(errors)[..., None] > bounds).astype(np.float32)
    weight = np.repeat(known[..., None], N_BOUNDS, axis=-1).astype(np.float32)
    return over, weight


def lessons_of(tasks: dict[str, Network]) -> Callable[[FloatArray], Lessons]:
    """Return what says of windows what the tasks make of them.

    That is the rhythm's mean answer, (n, N_CLASSES), rows of sum 1, and how sure the
    beats are, (n, n_segments, N_DOUBTS). Without rhythm the answer is how much of the
    distance map lies in each quarter of its range: a map that is neither near nor far
    is unsure. Without R peaks nothing is said of beats.

    Args:
        tasks: the exported networks by name.
    """

    def of_one(window: FloatArray) -> Lessons:
        doubts = np.zeros((SEGMENTS_PER_WINDOW, N_DOUBTS), np.float32)
        answer = np.full(N_CLASSES, 1.0 / N_CLASSES, np.float32)
        if "rpeaks" in tasks:
            distance = tasks["rpeaks"].run(window[None])[0].reshape(-1)
            doubts, answer = beat_doubts(distance), quarter_shares(distance)
        if "rhythm" in tasks:
            outputs = tasks["rhythm"].run(window[None])[0]
            answer = outputs.reshape(-1, N_CLASSES).mean(axis=0)
        return answer, doubts

    def lessons(windows: FloatArray) -> Lessons:
        answers, doubts = zip(*map(of_one, windows), strict=True)
        return np.stack(answers), np.stack(doubts)

    return lessons
