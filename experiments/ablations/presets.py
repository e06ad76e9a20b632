# SPDX-License-Identifier: Apache-2.0
"""Short trainings that differ in one thing each: the encoder's size, or the rate term.

Decoder, latents, steps, seed and data are the same, so what differs is what was
changed. They are far shorter than the shipped bundles' and compare with each other
only.
"""

from __future__ import annotations

from dataclasses import dataclass

from dynamic_deep.errors import ConfigError
from dynamic_deep.networks import EDGE, STANDARD, Conv, LatentConfig, NetworkConfig
from experiments.ablations.names import NO_RATE

LATENTS = (
    LatentConfig(nominal_gain=64, n_channels=18),
    LatentConfig(nominal_gain=128, n_channels=14),
)


@dataclass(frozen=True, kw_only=True)
class AblationPreset:
    """One such training.

    Attributes:
        networks: what is trained.
        has_rate_term: whether the bits are in the loss. Without it the latent is as
            fine as reconstruction wants, and its quantiser step is set afterwards.
        n_steps: steps in all.
        windows_per_level: of a batch.
        learning_rate: the highest.
        n_warmup_steps: until then.
        decay_share: of the steps, at the end, fall linearly to zero.
        n_ramp_steps: how long the weight of the rate rises before it is steered.
        steer_rate: of log lambda a step.
        seed: of all the chance in it.
    """

    networks: NetworkConfig
    has_rate_term: bool = True
    n_steps: int = 2_000
    windows_per_level: int = 2
    learning_rate: float = 1e-3
    n_warmup_steps: int = 200
    decay_share: float = 0.4
    n_ramp_steps: int = 700
    steer_rate: float = 3e-3
    seed: int = 20262


def _of_trunk(name: str, trunk: tuple[Conv, ...]) -> AblationPreset:
    config = NetworkConfig(name=f"ablation_{name}", trunk=trunk, latents=LATENTS)
    return AblationPreset(networks=config)


def _like_edge(widths: tuple[int, int, int]) -> tuple[Conv, ...]:
    """Return the trunk of `edge` with other numbers of channels."""
    first, second, third = widths
    return (
        Conv(filters=first, kernel=16, stride=8),
        Conv(filters=second, kernel=5, stride=2),
        Conv(filters=third, kernel=4, stride=2),
        Conv(filters=third, kernel=5, residual=True, separable=True),
    )


def _like_standard(widths: tuple[int, int, int, int]) -> tuple[Conv, ...]:
    """Return the trunk of `standard` with other numbers of channels."""
    first, second, third, last = widths
    return (
        Conv(filters=first, kernel=9, stride=4),
        Conv(filters=second, kernel=5, stride=2),
        Conv(filters=third, kernel=5, stride=2),
        Conv(filters=last, kernel=5, stride=2),
        Conv(filters=last, kernel=3, residual=True),
        Conv(filters=last, kernel=3, residual=True),
    )


# By rising cost. Command of each:
# python -m experiments train ablation --name NAME --run runs/ablation/NAME
TRUNKS = {
    "tiny": _of_trunk("tiny", _like_edge((8, 10, 16))),
    "small": _of_trunk("small", _like_edge((12, 16, 28))),
    "edge": _of_trunk("edge", EDGE.trunk),
    "medium": _of_trunk("medium", _like_edge((24, 44, 64))),
    "standard": _of_trunk("standard", STANDARD.trunk),
    "large": _of_trunk("large", _like_standard((24, 52, 68, 104))),
}
PRESETS = {
    **TRUNKS,
    NO_RATE: AblationPreset(
        networks=NetworkConfig(
            name=f"ablation_{NO_RATE}", trunk=EDGE.trunk, latents=LATENTS
        ),
        has_rate_term=False,
    ),
}


def find_ablation(name: str) -> AblationPreset:
    """Return the preset of a name.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in PRESETS:
        raise ConfigError(
            f"an ablation must be one of {', '.join(PRESETS)}, got {name!r}"
        )
    return PRESETS[name]
