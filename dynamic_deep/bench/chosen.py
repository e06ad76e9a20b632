# SPDX-License-Identifier: Apache-2.0
"""A bundle with a policy: takes part as one coder that picks each window's level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bench.entrants import (
    Coded,
    IntArray,
    LeadContext,
    decode_level,
    place_of,
)
from dynamic_deep.bench.groups import CHOSEN, KIND_GROUPS
from dynamic_deep.bitstream import frame_len
from dynamic_deep.window_candidate import WindowCandidate
from dynamic_deep.window_codec import only_lossless_fits


@dataclass(frozen=True)
class ChosenEntrant:
    """A level for each window, counted by payload and frame.

    Args:
        codec: the loaded `Codec`.
        name: the name of the row.
        bundle: the name of the bundle.
        policy: chooses the levels.
        note: what a reader must know.
    """

    codec: Any
    name: str
    bundle: str
    policy: Any
    note: str = ""
    group: str = CHOSEN
    level: str = ""
    lossless: bool = False

    def sent_at(self, level_id: int) -> tuple[str, str]:
        """Return the name and the group of the level that a window was sent at."""
        level = self.codec.bundle.level_by_id(level_id)
        return level.name, KIND_GROUPS[level.kind]

    def encode(self, samples: IntArray, lead: LeadContext) -> Coded:
        """Choose a level for one window and code it."""
        x = samples.astype(np.int32, copy=False)
        window = WindowCandidate(self.codec.windows, x, place_of(len(x), lead))
        level = self.codec.bundle.level("lossless")
        if not only_lossless_fits(samples, lead.adc_bits):
            level = self.policy.choose(window, self.policy.ladder(self.codec.levels))
        payload = window.payload(level)
        return Coded(payload, frame_len(level.id, len(payload)), level.id)

    def decode(
        self, coded: Coded, n_samples: int, dtype: npt.DTypeLike, lead: LeadContext
    ) -> IntArray:
        """Return its samples, clipped to their width as in a decoded file."""
        return decode_level(self.codec, coded, n_samples, dtype, lead=lead)
