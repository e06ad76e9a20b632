# SPDX-License-Identifier: Apache-2.0
"""The trainings of the task networks."""

from __future__ import annotations

from dataclasses import dataclass

from dynamic_deep.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class TaskPreset:
    """A training run of a task network.

    Attributes:
        task: rhythm or rpeaks.
        size: compact or paper.
        n_steps: steps in all.
        batch_size: windows a step.
        learning_rate: the highest; a cosine takes it to zero.
        weight_decay: of AdamW.
        labelled_share: of the steps, at the start, see labelled records alone; after
            them rpeaks also learns from its own peaks on records without any.
        cycle: if not 0, the steps of a first cosine, on whole records as they are; a
            second one follows from half the rate, with records shorter than a window,
            mixed windows and masked stretches.
        mixup: share of a batch that is mixed, in the second cycle.
        mask_share: of windows that lose a stretch, in the second cycle.
        seed: of all the chance in it.
    """

    task: str
    size: str
    n_steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.01
    labelled_share: float = 1.0
    ema_momentum: float = 0.998
    n_warmup_steps: int = 300
    cycle: int = 0
    mixup: float = 0.0
    mask_share: float = 0.0
    seed: int = 11

    @property
    def n_first_cycle(self) -> int:
        """Steps of the first cosine; all of them where there is no second."""
        return self.cycle or self.n_steps


TASK_PRESETS = {
    "rhythm_compact": TaskPreset(
        task="rhythm",
        size="compact",
        n_steps=22_000,
        batch_size=32,
        learning_rate=2e-3,
        weight_decay=0.05,
        cycle=10_000,
        mixup=0.5,
        mask_share=0.4,
    ),
    "rpeaks_compact": TaskPreset(
        task="rpeaks",
        size="compact",
        n_steps=9_000,
        batch_size=12,
        learning_rate=3e-3,
        labelled_share=0.45,
    ),
    "rhythm_paper": TaskPreset(
        task="rhythm",
        size="paper",
        n_steps=20_000,
        batch_size=32,
        learning_rate=1e-3,
    ),
    "rpeaks_paper": TaskPreset(
        task="rpeaks",
        size="paper",
        n_steps=20_000,
        batch_size=16,
        learning_rate=1e-3,
        labelled_share=0.45,
    ),
}


def find_task_preset(name: str) -> TaskPreset:
    """Return a preset by its name.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in TASK_PRESETS:
        raise ConfigError(
            f"a task preset must be one of {', '.join(sorted(TASK_PRESETS))}, "
            f"got {name!r}"
        )
    return TASK_PRESETS[name]
