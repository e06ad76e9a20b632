# SPDX-License-Identifier: Apache-2.0
"""What the error heads foretell of a window, on the device.

Each level's head says where the task's error will lie if the window is sent at that
level: the median of its logarithm, and how far it may be off. The heads read the
encoder's own features of the window's segments, and how many bits each level needs,
which is known before anything is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle, Level
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.engine import Network
from dynamic_deep.errors import ModelError
from dynamic_deep.window_codec import Analysis

FloatArray = npt.NDArray[np.float32]
RAW_ROW = "raw"  # of a forecast: the error of the window as measured, against its label


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """What is foretold of a window.

    Attributes:
        levels: names of the rows: "raw", then lossy levels.
        channels: `task:reference` of the columns.
        center: float32, (n_rows, n_channels): median of the error's natural logarithm.
        spread: the same shape: scale of a logistic around it.
    """

    levels: tuple[str, ...]
    channels: tuple[str, ...]
    center: FloatArray
    spread: FloatArray


class Heads:
    """The error heads of a bundle.

    Args:
        bundle: one that has heads.

    Raises:
        ModelError: If it has none.
    """

    def __init__(self, bundle: Bundle) -> None:
        """Load the network."""
        if "heads" not in bundle.networks or "heads" not in bundle.config:
            raise ModelError(
                f"a bundle that foretells errors must hold heads.tflite, {bundle.name} "
                "has none; choose a level, or a policy that decodes on the spot"
            )
        config = bundle.config["heads"]
        self._lossy = [bundle.level(str(name)) for name in config["levels"]]
        self.levels = (RAW_ROW, *(level.name for level in self._lossy))
        self.channels = tuple(str(name) for name in config["channels"])
        self._network = Network(bundle.networks["heads"], "heads")

    def forecast(self, window: Analysis) -> Forecast:
        """Foretell the errors of a window."""
        center, spread = self._network.run(
            segment_features(window)[None], log_rates(window, self._lossy)[None]
        )
        shape = len(self.levels), len(self.channels)
        return Forecast(
            levels=self.levels,
            channels=self.channels,
            center=center.reshape(shape),
            spread=spread.reshape(shape),
        )


def segment_features(window: Analysis) -> FloatArray:
    """Return what the heads read of a window's segments, (n_segments, n_features).

    Of those that it fills at least by half: one that is mostly padding would pull down
    every mean.
    """
    n_segments = max(1, round(len(window.normalized) / SEGMENT_LEN))
    return window.head_features[:n_segments]


def log_rates(window: Analysis, levels: Sequence[Level]) -> FloatArray:
    """Return the logarithm of each level's bits a sample, float32, (n_levels,).

    Of the payload in whole bytes, so that it is the same wherever it is computed.
    """
    bits = [8.0 * len(window.payload(level)) for level in levels]
    return np.log(np.maximum(bits, 1.0) / len(window.normalized)).astype(np.float32)
