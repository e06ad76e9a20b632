# SPDX-License-Identifier: Apache-2.0
"""The trainings of phase 3, by the preset of phase 2."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class HeadPreset:
    """A training run of phase 3.

    Attributes:
        n_guess_steps: of learning the task's answer.
        guess_batch: windows a step of it.
        disturbed_share: of these windows are disturbed.
        guess_pool: batches that are drawn once and then seen again and again, since
            drawing is what takes long; if 0, each step has a new one.
        n_forecasts: how many learn the errors; their mean is shipped. One alone hangs
            on chance: of six the gain under a bound differed by a fifth.
        n_forecast_steps: of each.
        forecast_batch: windows a step of it.
        cinc_every: one record of so many of CinC's train split is tried.
        mitdb_every: one window of so many of each lead of MIT-BIH; there are fewer
            patients.
    """

    n_guess_steps: int = 14_000
    guess_batch: int = 64
    disturbed_share: float = 0.5
    guess_pool: int = 1000
    n_forecasts: int = 5
    n_forecast_steps: int = 2500
    forecast_batch: int = 256
    cinc_every: int = 1
    mitdb_every: int = 2
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    ema_momentum: float = 0.995
    seed: int = 20262


HEAD_PRESETS = {
    # Forecasts on few features need no more windows than these. Encoder and heads must
    # fit in 64 KB, which more forecasts would not.
    "edge": HeadPreset(n_forecasts=2, cinc_every=4, mitdb_every=10),
}


def head_preset_of(name: str) -> HeadPreset:
    """Return how the heads of a preset of phase 2 are trained."""
    return HEAD_PRESETS.get(name, HeadPreset())
