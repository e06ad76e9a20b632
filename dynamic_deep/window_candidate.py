# SPDX-License-Identifier: Apache-2.0
"""A window that a policy may look at before it chooses a level."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from dynamic_deep.bitstream import frame_len
from dynamic_deep.bundle import Level
from dynamic_deep.heads import Forecast, Heads
from dynamic_deep.window_codec import WindowCodec, WindowPlace

IntArray = npt.NDArray[np.int32]


class WindowCandidate:
    """One window of one lead, on its way to a level.

    Args:
        codec: of the bundle.
        x: int32, (n_samples,), ADC units.
        place: what both sides know of it.
        heads: to foretell errors with; loaded on demand if None.
        max_error: of near_lossless, ADC units.
    """

    def __init__(
        self,
        codec: WindowCodec,
        x: IntArray,
        place: WindowPlace,
        *,
        heads: Heads | None = None,
        max_error: int = 0,
    ) -> None:
        """Begin to analyse it."""
        self.x = x
        self.place = place
        self._codec = codec
        self._heads = heads
        self._max_error = max_error
        self._analysis = codec.analyze(x, place)

    @property
    def model_id(self) -> bytes:
        """Of the bundle that encodes it."""
        return self._codec.bundle.model_id

    @property
    def raw_bytes(self) -> int:
        """Bytes of its samples as stored by the device."""
        return self.place.n_samples * self.place.adc_bits // 8

    def payload(self, level: Level) -> bytes:
        """Return it coded at a level."""
        max_error = self._max_error if level.kind == "near_lossless" else 0
        return self._codec.encode(self._analysis, level, max_error=max_error)

    def n_bytes(self, level: Level) -> int:
        """Return the length of its frame at a level."""
        return frame_len(level.id, len(self.payload(level)))

    def decoded(self, level: Level) -> IntArray:
        """Return what a receiver makes of it: int32, (n_samples,), ADC units."""
        return self._codec.decode(self.payload(level), level, self.place)

    @functools.cached_property
    def _loaded_heads(self) -> Heads:
        return self._heads or Heads(self._codec.bundle)

    def forecast(self) -> Forecast:
        """Return what the error heads foretell of it."""
        return self._loaded_heads.forecast(self._analysis)
