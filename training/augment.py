# SPDX-License-Identifier: Apache-2.0
"""What may happen to an ECG without its rhythm or its beats being others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import MODEL_FS

FloatArray = npt.NDArray[np.float32]

MAX_WARP = 0.12  # of the heart's rate
WARP_SHARE = 0.5
NOISE_SHARE = 0.35
MAX_NOISE = 0.25  # of the deviation of the window
WANDER_SHARE = 0.35
MAX_WANDER = 0.7
WANDER_HZ = (0.05, 0.7)
BURST_SHARE = 0.1
MAX_BURST = 1.5


def crop(
    x: npt.NDArray[np.floating], length: int, rng: np.random.Generator
) -> tuple[FloatArray, float, float]:
    """Cut a random stretch and play it a little faster or slower.

    Args:
        x: float (n_samples,), at least `length` samples.
        length: samples of the stretch.
        rng: decides all of it.

    Returns:
        The stretch, float32 (length,); where it starts in `x`; how many samples of `x`
        a sample of it is.
    """
    pace = 1.0
    if rng.random() < WARP_SHARE:
        pace = float(np.exp(rng.uniform(-MAX_WARP, MAX_WARP)))
    pace = min(pace, (len(x) - 1) / length)
    span = int(np.ceil(length * pace)) + 1
    start = int(rng.integers(len(x) - span + 1)) if len(x) > span else 0
    stretch = x[start : start + span].astype(np.float32)
    if pace == 1.0:
        return stretch[:length], start, pace
    at = np.arange(length) * pace
    return (
        np.interp(at, np.arange(len(stretch)), stretch).astype(np.float32),
        start,
        pace,
    )


def disturb(x: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Add what muscles, breath and loose electrodes may add.

    Args:
        x: float32 (n_samples,), any unit; not changed.
        rng: decides all of it.

    Returns:
        float32 (n_samples,), the same unit.
    """
    deviation = max(float(x.std()), 1e-3)
    if rng.random() < NOISE_SHARE:
        amount = deviation * MAX_NOISE * rng.random() ** 2
        x = x + amount * rng.standard_normal(len(x), np.float32)
    if rng.random() < WANDER_SHARE:
        t = np.arange(len(x), dtype=np.float32) / np.float32(MODEL_FS)
        hertz, phase = rng.uniform(*WANDER_HZ), rng.uniform(0.0, 2.0 * np.pi)
        amount = deviation * MAX_WANDER * rng.random()
        x = x + np.float32(amount) * np.sin(2.0 * np.pi * hertz * t + phase)
    if rng.random() < BURST_SHARE:
        n_burst = int(rng.uniform(0.3, 3.0) * MODEL_FS)
        at = int(rng.integers(max(len(x) - n_burst, 1)))
        burst = rng.standard_normal(min(n_burst, len(x)), np.float32)
        x = x.copy()
        x[at : at + len(burst)] += deviation * MAX_BURST * rng.random() * burst
    return x.astype(np.float32)
