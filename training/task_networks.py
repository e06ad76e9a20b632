# SPDX-License-Identifier: Apache-2.0
"""The task networks by name."""

from __future__ import annotations

from collections.abc import Callable

import keras

from dynamic_deep.errors import ConfigError
from dynamic_deep.networks.rhythm import build_rhythm
from dynamic_deep.networks.rhythm_paper import build_rhythm_paper
from dynamic_deep.networks.rpeaks import build_rpeaks
from dynamic_deep.networks.rpnet import build_rpnet

BUILDERS: dict[tuple[str, str], Callable[[], keras.Model]] = {
    ("rhythm", "compact"): build_rhythm,
    ("rpeaks", "compact"): build_rpeaks,
    ("rhythm", "paper"): build_rhythm_paper,
    # Windows come at 300 Hz and of any length, as Brosh et al. feed them.
    ("rpeaks", "paper"): lambda: build_rpnet(n_samples=None),
}


def build_task_network(task: str, size: str) -> keras.Model:
    """Build the network of a task.

    Raises:
        ConfigError: If there is none.
    """
    if (task, size) not in BUILDERS:
        names = ", ".join(f"{a} {b}" for a, b in BUILDERS)
        raise ConfigError(f"a task network must be one of {names}; got {task} {size}")
    return BUILDERS[task, size]()
