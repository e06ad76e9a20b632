# SPDX-License-Identifier: Apache-2.0
"""The shipped bundles' trainings, each with its cost, its figures and its command."""

from __future__ import annotations

from dataclasses import dataclass

from dynamic_deep.errors import ConfigError
from dynamic_deep.networks import EDGE, STANDARD, NetworkConfig


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A training run of phase 1: reconstruction and rate."""

    networks: NetworkConfig
    n_steps: int
    windows_per_level: int = 4
    learning_rate: float = 1e-3
    n_warmup_steps: int = 500
    decay_share: float = 0.4  # of the steps, at the end, fall linearly to zero
    seed: int = 20260


PRESETS = {
    "standard": Preset(networks=STANDARD, n_steps=24_000),
    "edge": Preset(networks=EDGE, n_steps=26_000),
}


def find_preset(name: str) -> Preset:
    """Return a preset by its name.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in PRESETS:
        raise ConfigError(
            f"a preset must be one of {', '.join(sorted(PRESETS))}, got {name!r}"
        )
    return PRESETS[name]
