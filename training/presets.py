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


# Paper: the reconstruction phase of Brosh et al., arXiv 2106.00606, here with the rate
# in the loss. Hardware: one core of a 2-core machine, no GPU, under 2 GiB; minutes are
# of a machine with other work. Figures:
# bits a sample at 300 Hz and PRDN on the windows that `export` validates with (CinC
# validation, MIT-BIH train); the test splits are in docs/results.md.
PRESETS = {
    # For a gateway: 4.95 M MACs a segment. 24,000 steps, 65 minutes shared.
    # gain_64 0.223 at 16.3 %, gain_96 0.139 at 23.6 %, gain_128 0.108 at 28.7 %.
    # python -m training fit standard --run runs/standard --out BUNDLE
    "standard": Preset(networks=STANDARD, n_steps=24_000),
    # For a battery: 0.98 M MACs a segment. 26,000 steps, 64 minutes shared.
    # gain_64 0.221 at 16.4 %, gain_96 0.146 at 23.2 %, gain_128 0.106 at 29.8 %.
    # python -m training fit edge --run runs/edge --out BUNDLE
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
