# SPDX-License-Identifier: Apache-2.0
"""The trainings of phase 3, by the preset of phase 2."""

from __future__ import annotations

from training.error_heads import HeadPreset

HEAD_PRESETS = {
    # 19,200 windows of the guess, each seen ten times: drawing is what takes long.
    "standard_again": HeadPreset(guess_pool=300),
    # Few features on a narrow trunk: they need no more windows than these. Encoder and
    # heads must fit in 64 KB, which more forecasts would not.
    "edge": HeadPreset(n_forecasts=2, guess_pool=100, cinc_every=4, mitdb_every=10),
}


def head_preset_of(name: str) -> HeadPreset:
    """Return how the heads of a preset of phase 2 are trained."""
    return HEAD_PRESETS.get(name, HeadPreset())
