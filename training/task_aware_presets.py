# SPDX-License-Identifier: Apache-2.0
"""The trainings of phase 2: every level keeps what the tasks need."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from dynamic_deep.errors import ConfigError
from dynamic_deep.networks import EDGE_TASKS, STANDARD_TASKS, NetworkConfig
from training.task_weight import WEIGHT_POWER


@dataclass(frozen=True, kw_only=True)
class TaskAwarePreset:
    """A training run of phase 2.

    Attributes:
        phase_1: the preset it begins from.
        networks: its own ladder.
        kept: levels of phase 1 that stay as they are, as does the trunk; the preset's
            own stand beside them, with a body of their own. If none is named
            everything is trained.
        bound_levels: neural levels that a bound chooses among, all if none is named;
            the others can be had by their names alone.
        n_steps: steps in all.
        tasks: w_i by the name of the task.
        task_power: how the tasks' weights rise with a level's gain.
        stages: which tasks are in the loss, and for what share of the steps, in order.
        w0: the weight of the reconstruction.
        fidelity_weight: of the levels up to gain 128.
        distortion: prdn, mse or mape.
        reference: raw or label.
        windows_per_level: of a batch.
        learning_rate: the highest.
        n_warmup_steps: until then.
        decay_share: of the steps, at the end, fall linearly to zero.
        n_ramp_steps: how long the weight of the rate rises before it is steered.
        steer_rate: of log lambda a step.
        seed: of all the chance in it.

    Raises:
        ConfigError: If a stage names a task without a weight.
    """

    phase_1: str
    networks: NetworkConfig
    n_steps: int
    tasks: dict[str, float]
    kept: tuple[str, ...] = ()
    bound_levels: tuple[str, ...] = ()
    task_power: float = WEIGHT_POWER
    stages: tuple[tuple[tuple[str, ...], float], ...] = ()
    w0: float = 1.0
    fidelity_weight: float = 2.0
    distortion: str = "prdn"
    reference: str = "raw"
    windows_per_level: int = 3
    learning_rate: float = 6e-4
    n_warmup_steps: int = 300
    decay_share: float = 0.5
    n_ramp_steps: int = 3000
    steer_rate: float = 1e-3
    seed: int = 20261

    def __post_init__(self) -> None:
        """Without stages all tasks are in the loss from the first step."""
        if not self.stages:
            object.__setattr__(self, "stages", ((tuple(self.tasks), 1.0),))
        unknown = {name for names, _ in self.stages for name in names} - set(self.tasks)
        if unknown:
            raise ConfigError(
                f"the stages must name tasks of the preset, {', '.join(self.tasks)}; "
                f"got {', '.join(sorted(unknown))}; give them a weight"
            )

    def tasks_at(self, step: int) -> dict[str, float]:
        """Return the weights of the tasks at a step."""
        at, names = 0.0, self.stages[-1][0]
        for stage, share in self.stages:
            at += share * self.n_steps
            if step < at:
                names = stage
                break
        return {name: self.tasks[name] for name in names}


RHYTHM_WEIGHT = 1.5
RPEAKS_WEIGHT = 20.0  # a lost beat of forty changes the map's Huber loss by 0.003
BOTH = {"rhythm": RHYTHM_WEIGHT, "rpeaks": RPEAKS_WEIGHT}

_STANDARD = TaskAwarePreset(
    phase_1="standard", networks=STANDARD_TASKS, n_steps=8_000, tasks=BOTH
)

TASK_AWARE_PRESETS = {
    "standard": _STANDARD,
    # A fifth of the arithmetic; its levels for tasks are for nothing else.
    "edge": TaskAwarePreset(
        phase_1="edge",
        networks=EDGE_TASKS,
        kept=("gain_64", "gain_96", "gain_128"),
        bound_levels=("gain_64", "gain_96", "task_112", "task_224"),
        n_steps=8_000,
        tasks={"rhythm": 2.0 * RHYTHM_WEIGHT, "rpeaks": 2.0 * RPEAKS_WEIGHT},
        w0=0.5,
    ),
    # Once more, from a bundle of `standard` and the tasks adapted to it: fidelity is
    # there by then, and what the tasks need counts for more, most at the low levels.
    "standard_again": dataclasses.replace(
        _STANDARD,
        n_steps=6_000,
        tasks={"rhythm": 6.0, "rpeaks": 60.0},
        bound_levels=("gain_64", "gain_96", "gain_192", "gain_288"),
        task_power=1.0,
        n_ramp_steps=500,
        stages=(),
        w0=0.5,
        seed=20268,
    ),
    # One task alone, and the reference of the paper: the annotated class.
    "standard_rhythm": dataclasses.replace(
        _STANDARD, tasks={"rhythm": RHYTHM_WEIGHT}, stages=()
    ),
    "standard_rpeaks": dataclasses.replace(
        _STANDARD, tasks={"rpeaks": RPEAKS_WEIGHT}, stages=()
    ),
    "standard_label": dataclasses.replace(_STANDARD, reference="label"),
}


def find_task_aware_preset(name: str) -> TaskAwarePreset:
    """Return a preset by its name.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in TASK_AWARE_PRESETS:
        raise ConfigError(
            "a preset of phase 2 must be one of "
            f"{', '.join(sorted(TASK_AWARE_PRESETS))}, got {name!r}"
        )
    return TASK_AWARE_PRESETS[name]
