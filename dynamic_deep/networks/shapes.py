# SPDX-License-Identifier: Apache-2.0
"""The shapes of the networks: what a preset is made of. Needs no Keras."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from dynamic_deep.config import SEGMENT_LEN

TRUNK_STRIDE = 32  # samples a trunk step; 35 x 64 = 70 x 32 = 2240
# In a first run the levels of 32 samples a step trailed those of 64 at like PRDN, which
# fits that at these gains most symbols are zeros; not measured with all else equal.
LATENT_STRIDE = 64


@dataclass(frozen=True, kw_only=True)
class Conv:
    """One convolution of the trunk, ReLU after it.

    A `residual` one adds its input; a `separable` one is a depthwise convolution of
    `kernel` taps followed by a pointwise one. What a `pooled` one of the error heads
    gives is pooled over time, as what the last of them gives always is.
    """

    filters: int
    kernel: int
    stride: int = 1
    residual: bool = False
    separable: bool = False
    pooled: bool = False


@dataclass(frozen=True, kw_only=True)
class LatentConfig:
    """The latent of one level: how many channels, and samples a step.

    A level `for_tasks` keeps what the tasks need and not the shape of the signal, and
    has another decoder body than the levels that keep it.
    """

    nominal_gain: int
    n_channels: int
    stride: int = LATENT_STRIDE
    n_groups: int = 4
    for_tasks: bool = False

    @property
    def name(self) -> str:
        """Name of the level."""
        return f"{'task' if self.for_tasks else 'gain'}_{self.nominal_gain}"

    @property
    def steps_per_segment(self) -> int:
        """Length of the latent of one segment."""
        return SEGMENT_LEN // self.stride


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Everything that the shapes of a codec's networks depend on."""

    name: str
    trunk: tuple[Conv, ...]
    latents: tuple[LatentConfig, ...]
    decoder_width: int = 96
    n_decoder_blocks: int = 4
    head: tuple[Conv, ...] = ()  # of the error head, before it pools over time


STANDARD = NetworkConfig(
    name="standard",
    trunk=(
        Conv(filters=16, kernel=9, stride=4),
        Conv(filters=32, kernel=5, stride=2),
        Conv(filters=40, kernel=5, stride=2),
        Conv(filters=64, kernel=5, stride=2),
        Conv(filters=64, kernel=3, residual=True),
        Conv(filters=64, kernel=3, residual=True),
    ),
    latents=(
        LatentConfig(nominal_gain=32, n_channels=40),
        LatentConfig(nominal_gain=64, n_channels=32),
        LatentConfig(nominal_gain=96, n_channels=32),
        LatentConfig(nominal_gain=128, n_channels=20),
        LatentConfig(nominal_gain=256, n_channels=16),
    ),
)

EDGE = NetworkConfig(
    name="edge",
    trunk=(
        Conv(filters=16, kernel=16, stride=8),
        Conv(filters=24, kernel=5, stride=2),
        Conv(filters=40, kernel=4, stride=2),
        Conv(filters=40, kernel=5, residual=True, separable=True),
    ),
    latents=(
        LatentConfig(nominal_gain=32, n_channels=22),
        LatentConfig(nominal_gain=64, n_channels=18),
        LatentConfig(nominal_gain=96, n_channels=18),
        LatentConfig(nominal_gain=128, n_channels=14),
        LatentConfig(nominal_gain=256, n_channels=12),
    ),
)


def _ladder(**channels: int) -> tuple[LatentConfig, ...]:
    levels = []
    for name, n_channels in channels.items():
        kind, gain = name.split("_")
        levels.append(
            LatentConfig(
                nominal_gain=int(gain), n_channels=n_channels, for_tasks=kind == "task"
            )
        )
    return tuple(levels)


# Phase 2 gives up the lowest level, which the wavelet matches, for levels so high that
# only what the tasks need is left. The trunk of `standard` gives up a layer, which was
# worth nothing measurable, for the convolutions of the error head.
STANDARD_TASKS = dataclasses.replace(
    STANDARD,
    trunk=STANDARD.trunk[:-1],
    latents=_ladder(
        gain_64=32,
        gain_96=32,
        gain_128=20,
        gain_192=20,
        gain_288=16,
        gain_448=16,
        gain_704=16,
    ),
    # The last one sees as many steps as a segment has: whether beats come evenly shows
    # over many of them. What a beat looks like shows in the first.
    head=(
        Conv(filters=32, kernel=5, stride=2, pooled=True),
        Conv(filters=48, kernel=5, stride=2),
        Conv(filters=64, kernel=5, stride=2),
        Conv(filters=64, kernel=5, stride=2),
        Conv(filters=64, kernel=3, residual=True),
    ),
)

# Beside gain_64, gain_96 and gain_128 of `edge`, which stay as they are, on its trunk.
# With their tails, 997,080 multiply-accumulates a segment.
EDGE_TASKS = dataclasses.replace(
    EDGE,
    latents=_ladder(task_112=14, task_224=12, task_288=12),
    head=(Conv(filters=8, kernel=3, stride=2, separable=True),),
)
