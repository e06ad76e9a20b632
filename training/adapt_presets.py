# SPDX-License-Identifier: Apache-2.0
"""The trainings of phase 2b, one a task."""

from __future__ import annotations

import dataclasses

from dynamic_deep.errors import ConfigError
from training.task_adapt import AdaptPreset
from training.task_presets import TASK_PRESETS

_RPEAKS_AGAIN = AdaptPreset(
    task=TASK_PRESETS["rpeaks_compact"],
    n_steps=2600,
    n_labelled=24,
    n_pairs=0,
    pair_weight=0.0,
    learning_rate=1.5e-3,
    highest_gain=288.0,
    cinc_share=0.65,
    label_delta=0.25,
)

ADAPT_PRESETS = {
    "rhythm": AdaptPreset(
        task=TASK_PRESETS["rhythm_compact"], n_steps=3000, pair_weight=3.0
    ),
    "rpeaks": AdaptPreset(
        task=TASK_PRESETS["rpeaks_compact"],
        n_steps=2500,
        n_labelled=8,
        n_pairs=8,
        pair_weight=3.0,
        learning_rate=1e-3,
    ),
    # Once more, after phase 2 was gone on with, for all codecs that ship the task.
    "rhythm_again": AdaptPreset(
        task=TASK_PRESETS["rhythm_compact"],
        n_steps=1700,
        n_pairs=10,
        pair_weight=3.0,
        learning_rate=4e-4,
        highest_gain=448.0,
        is_mutual=True,
        kept_share=0.25,
    ),
    # Once more, for the beats of CinC: two ways, whose mean is more robust than either.
    "rpeaks_again": _RPEAKS_AGAIN,
    "rpeaks_again_pairs": dataclasses.replace(
        _RPEAKS_AGAIN,
        n_labelled=14,
        n_pairs=6,
        pair_weight=10.0,
        label_delta=1.0,
        seed=32,
    ),
}


def find_adapt_preset(task: str) -> AdaptPreset:
    """Return the training of a task by its name.

    Raises:
        ConfigError: If there is none of that name.
    """
    if task not in ADAPT_PRESETS:
        raise ConfigError(
            f"a task to adapt must be one of {', '.join(sorted(ADAPT_PRESETS))}, "
            f"got {task!r}"
        )
    return ADAPT_PRESETS[task]
