# SPDX-License-Identifier: Apache-2.0
"""Windows as the 2000-sample segments of the paper's codec, each on its own scale.

A segment is sent with its mean and its deviation, two bytes each. A last segment that
the window does not fill goes on with the window's last sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

SEGMENT_LEN = 2000  # samples at the lead's own rate
SCALE_BYTES = 4  # of a segment: its mean and its deviation
MEAN_STEP = 1.0  # ADC units; an int16 holds what a lead of 16 bits can have
LEAST_DEVIATION = 1.0  # ADC units; a flat segment has none

FloatArray = npt.NDArray[np.float32]


def n_segments(n_samples: int) -> int:
    """Return how many segments a window takes, the last perhaps not whole."""
    return -(-n_samples // SEGMENT_LEN)


def split_segments(x: npt.NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Cut windows into segments and bring each to its own scale.

    Args:
        x: (..., n_samples), ADC units from the baseline.

    Returns:
        float32 (..., n_segments, SEGMENT_LEN), and the scales as sent, float32
        (..., n_segments, 2): mean and deviation, ADC units.
    """
    count = n_segments(x.shape[-1])
    missing = count * SEGMENT_LEN - x.shape[-1]
    ends = [(0, 0)] * (x.ndim - 1) + [(0, missing)]
    whole = np.pad(np.asarray(x, np.float32), ends, mode="edge")
    segments = whole.reshape(*x.shape[:-1], count, SEGMENT_LEN)
    scales = sent_scales(segments)
    return (segments - scales[..., :1]) / scales[..., 1:], scales


def sent_scales(segments: FloatArray) -> FloatArray:
    """Return mean and deviation of segments, rounded to what two bytes each hold."""
    mean = np.rint(segments.mean(axis=-1, dtype=np.float64) / MEAN_STEP) * MEAN_STEP
    deviation = np.maximum(segments.std(axis=-1, dtype=np.float64), LEAST_DEVIATION)
    rounded = deviation.astype(np.float16)
    return np.stack([mean, rounded], axis=-1).astype(np.float32)


def join_segments(
    segments: FloatArray, scales: FloatArray, n_samples: int
) -> FloatArray:
    """Undo `split_segments`: float32 (..., n_samples), ADC units."""
    x = segments * scales[..., 1:] + scales[..., :1]
    return x.reshape(*x.shape[:-2], -1)[..., :n_samples]
