# SPDX-License-Identifier: Apache-2.0
"""How a signal becomes segments of the autoencoder of 2018, and comes back.

Nothing here knows Keras: the coder and the training share it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

SEGMENT_LEN = 2000  # samples at the record's own rate; section 2 of the publication


def scale_segment(
    x: npt.NDArray[np.integer[Any]],
) -> tuple[FloatArray, tuple[int, int]]:
    """Return a segment scaled to [0, 1], and its smallest and largest sample.

    Args:
        x: int array, (2000,), ADC units. A flat one becomes 0.
    """
    low, high = int(x.min()), int(x.max())
    scaled = (x.astype(np.float32) - low) / max(high - low, 1)
    return scaled.astype(np.float32), (low, high)


def restore_segment(scaled: FloatArray, span: tuple[int, int]) -> FloatArray:
    """Return a segment in ADC units, float32, not rounded.

    Args:
        scaled: float array, (2000,).
        span: the smallest and largest sample it was scaled by.
    """
    low, high = span
    return scaled * np.float32(high - low) + np.float32(low)
