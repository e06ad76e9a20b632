# SPDX-License-Identifier: Apache-2.0
"""What the error heads learn: whether errors are over bounds, what tasks answer."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import numpy.typing as npt

from dynamic_deep.bound import LEAST_ERROR
from dynamic_deep.networks.error_heads import N_CLASSES
from dynamic_deep.trials import Trials

FloatArray = npt.NDArray[np.float32]

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


def answer_of(tasks: dict[str, keras.Model]) -> Callable[[FloatArray], FloatArray]:
    """Return what says of windows how a task answers, (n, N_CLASSES), rows of sum 1.

    Of rhythm the mean over its outputs. Without rhythm, how much of the distance map
    lies in each quarter of its range: a map that is neither near nor far is unsure.
    """
    if "rhythm" in tasks:
        rhythm = tasks["rhythm"]
        return lambda x: _numpy(rhythm(x, training=False)).mean(axis=1)
    rpeaks = tasks["rpeaks"]

    def shares(x: FloatArray) -> FloatArray:
        distance = _numpy(rpeaks(x, training=False))[..., 0]
        quarter = np.clip((distance * N_CLASSES).astype(int), 0, N_CLASSES - 1)
        return np.eye(N_CLASSES, dtype=np.float32)[quarter].mean(axis=1)

    return shares


def _numpy(value: keras.KerasTensor) -> FloatArray:
    return np.asarray(keras.ops.convert_to_numpy(value))
