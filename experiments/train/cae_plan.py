# SPDX-License-Identifier: Apache-2.0
"""How long and how fast the autoencoder of 2018 learns."""

from __future__ import annotations

import dataclasses

import numpy as np

from dynamic_deep.errors import ConfigError

# Batches of 8 in the first phase: what two cores take within the hour for all six.
N_STEPS = {
    ("mitdb", 16): 400,
    ("mitdb", 32): 2000,
    ("mitdb", 64): 400,
    ("cinc", 16): 300,
    ("cinc", 32): 300,
    ("cinc", 64): 300,
}
N_DENSE_STEPS = 60
LATER_BATCH = 100_000  # the run to begin with has not seen it


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of a training.

    Attributes:
        n_steps: batches.
        batch_size: segments.
        learning_rate: the highest, of Adam.
        first_batch: number of its first batch.
        is_compiled: by XLA: a step takes half as long, the first one a minute.
        n_warmup_steps: until the highest rate.
    """

    n_steps: int
    batch_size: int
    learning_rate: float
    first_batch: int
    is_compiled: bool
    n_warmup_steps: int = 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class CaeTraining:
    """One training.

    Attributes:
        level: 16, 32 or 64.
        data: mitdb or cinc.
        convolutional: the first phase.
        dense: the second.
        begin: the run whose weights it begins with; empty for none.
        seed: of weights and batches. Not any: the latent and the layer after it have
            one channel, and with some first weights ReLU lets nothing through them,
            ever.
    """

    level: int
    data: str
    convolutional: Phase
    dense: Phase
    begin: str = ""
    seed: int = 5

    def __post_init__(self) -> None:
        """Check that there is such a network and such data."""
        if (self.data, self.level) not in N_STEPS:
            raise ConfigError(
                "level and data must be 16, 32 or 64 and mitdb or cinc, got "
                f"{self.level} and {self.data!r}"
            )


def plan(
    level: int,
    data: str,
    *,
    n_steps: int | None = None,
    n_dense_steps: int = N_DENSE_STEPS,
    begin: str = "",
) -> CaeTraining:
    """Return a training.

    Args:
        level: 16, 32 or 64.
        data: mitdb or cinc.
        n_steps: of the first phase; as the shipped weights if None.
        n_dense_steps: of the second.
        begin: the run to begin with.

    Raises:
        ConfigError: If there is no such network or no such data.
    """
    n_steps = n_steps or N_STEPS.get((data, level), 0)
    first_batch = LATER_BATCH if begin else 0
    return CaeTraining(
        level=level,
        data=data,
        begin=begin,
        convolutional=Phase(
            n_steps=n_steps,
            batch_size=8,
            learning_rate=1e-3,
            first_batch=first_batch,
            is_compiled=n_steps > 1000,
        ),
        # Each sample hangs on 7,936 features that are never negative: a step of 1e-3
        # in all of them would throw it about.
        dense=Phase(
            n_steps=n_dense_steps,
            batch_size=16,
            learning_rate=5e-5,
            first_batch=first_batch + n_steps,
            is_compiled=False,
        ),
    )


def learning_rate_at(step: int, phase: Phase) -> float:
    """Return the learning rate of a step: warm up, then a cosine to 0."""
    warm = min(1.0, (step + 1) / phase.n_warmup_steps)
    fall = 0.5 * (1.0 + np.cos(np.pi * step / phase.n_steps))
    return float(phase.learning_rate * warm * fall)
