# SPDX-License-Identifier: Apache-2.0
"""How the parts of the error heads take their steps."""

from __future__ import annotations

from typing import Any

import keras

from training.averaged import compile_averaged, cosine
from training.head_presets import HeadPreset

N_WARMUP_STEPS = 200


def compile_head(model: keras.Model, preset: HeadPreset, *inputs: Any) -> None:
    """Compile a part of the heads as a preset has it, by an example of its input."""
    compile_averaged(
        model,
        *inputs,
        learning_rate=preset.learning_rate,
        weight_decay=preset.weight_decay,
        ema_momentum=preset.ema_momentum,
    )


def set_rate(
    model: keras.Model, preset: HeadPreset, *, step: int, n_steps: int
) -> None:
    """Set the learning rate of a step."""
    share = min(1.0, (step + 1) / N_WARMUP_STEPS) * cosine(step / n_steps)
    model.optimizer.learning_rate = preset.learning_rate * share
