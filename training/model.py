# SPDX-License-Identifier: Apache-2.0
"""The trainable codec: every level at once, rate against distortion.

A batch is dealt out evenly to the levels. For level l the loss is

    L_l = mean over its windows of [ w0 L_R + L_w + lambda_l * bits / samples ]

L_R is the distortion, L_w the weighted error of the tasks (none in phase 1). lambda_l
is not chosen but steered, so that the rate of the level meets the one its nominal gain
asks for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from dynamic_deep.config import SEGMENTS_PER_WINDOW, WINDOW_LEN
from dynamic_deep.networks import (
    LatentConfig,
    NetworkConfig,
    build_body,
    build_entry,
    build_tail,
    build_trunk,
)
from training.distortion import distortion
from training.rate_model import RateModel
from training.task_terms import TaskTerms
from training.task_weight import share_of_weight

RAW_BITS = 16.0  # of a sample, as stored
# Level, length, checksum (5 bytes), scale and offset (about 12 bits), end of the code.
FRAME_BITS = 56.0
# What noise in place of rounding adds to the bits that the tables then spend, a sample.
NOISE_EXCESS = 0.012
# The weight of the rate starts low, so that a level learns to see before it learns to
# save: begun at its full weight, the highest levels fall silent and stay so.
FIRST_LMBDA_SHARE = 0.15
N_RAMP_STEPS = 6000
STEER_RATE = 1e-3  # of log lambda a step, after the ramp; thrice as much overshoots

FIDELITY_GAIN = 128  # up to this nominal gain a level is there for the signal's shape


def target_rate(nominal_gain: float) -> float:
    """Return the bits a sample that leave a frame at `nominal_gain`."""
    return RAW_BITS / nominal_gain - FRAME_BITS / WINDOW_LEN


def noisy_target_rate(nominal_gain: float) -> float:
    """Return the rate to steer to, as it is measured in training, with noise."""
    return target_rate(nominal_gain) + NOISE_EXCESS


def ramped_lmbda(nominal_gain: float) -> float:
    """Return the weight of the rate at the end of the ramp.

    About the slope of the wavelet's curve, d PRDN / d (bits a sample), at that gain.
    """
    return 0.16 * (nominal_gain / 32.0) ** 1.6


@dataclass(frozen=True, kw_only=True)
class LossSettings:
    """What the loss is made of, and how lambda finds its place.

    Attributes:
        distortion: L_R: prdn, mse or mape.
        w0: its weight.
        terms: L_w; None in phase 1.
        fidelity_weight: of the levels up to `FIDELITY_GAIN`, so that the high ones,
            whose loss is larger, don't bend the shared parts to their needs alone.
        n_ramp_steps: how long the weight of the rate rises before it is steered.
        ramp: by how much the logarithm of each level's weight rises in that time.
        steer_rate: of log lambda a step.
    """

    distortion: str = "prdn"
    w0: float = 1.0
    terms: TaskTerms | None = None
    fidelity_weight: float = 1.0
    n_ramp_steps: int = N_RAMP_STEPS
    ramp: tuple[float, ...] | None = None
    steer_rate: float = STEER_RATE


class CodecModel(keras.Model):
    """Trunk, tails, rate models, decoder entries and body, trained together."""

    def __init__(
        self,
        config: NetworkConfig,
        *,
        seed: int = 0,
        loss: LossSettings | None = None,
    ) -> None:
        """Build every part; without settings the loss is that of phase 1."""
        super().__init__(name=config.name)
        self.config = config
        self.settings = loss or LossSettings()
        self.trunk = build_trunk(config)
        n_features = self.trunk.output_shape[-1]
        self.tails = [build_tail(latent, n_features) for latent in config.latents]
        self.rates = [
            RateModel(latent.n_channels, latent.n_groups, name=f"rate_{latent.name}")
            for latent in config.latents
        ]
        self.entries = [
            build_entry(latent, config.decoder_width) for latent in config.latents
        ]
        self.body = build_body(config)
        self.noise = keras.random.SeedGenerator(seed)
        self.log_lmbda = self.add_weight(
            shape=(len(config.latents),),
            initializer=lambda shape, dtype=None: ops.array(
                [
                    math.log(FIRST_LMBDA_SHARE * ramped_lmbda(latent.nominal_gain))
                    for latent in config.latents
                ],
                dtype,
            ),
            trainable=False,
            name="log_lmbda",
        )
        names = [latent.name for latent in config.latents]
        self.rate_means = [keras.metrics.Mean(f"bps_{name}") for name in names]
        self.prdn_means = [keras.metrics.Mean(f"prdn_{name}") for name in names]
        tasks = self.settings.terms.networks if self.settings.terms else {}
        self.task_means = {
            task: [keras.metrics.Mean(f"{task}_{name}") for name in names]
            for task in tasks
        }

    def latents(self, x: keras.KerasTensor) -> list[keras.KerasTensor]:
        """Return the latent of each level for its share of the batch, unquantised."""
        segments = ops.reshape(x, (-1, WINDOW_LEN // SEGMENTS_PER_WINDOW, 1))
        shares = ops.split(self.trunk(segments), len(self.tails), axis=0)
        latents = []
        for tail, share, latent in zip(
            self.tails, shares, self.config.latents, strict=True
        ):
            n_steps = latent.steps_per_segment * SEGMENTS_PER_WINDOW
            latents.append(ops.reshape(tail(share), (-1, n_steps, latent.n_channels)))
        return latents

    def call(
        self, x: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
        """Return the reconstruction and, level by level, the bits of each window."""
        maps, level_idx, bits = [], [], []
        for i, y in enumerate(self.latents(x)):
            y_hat = y + ops.stop_gradient(ops.round(y) - y)
            noise = keras.random.uniform(ops.shape(y), -0.5, 0.5, seed=self.noise)
            y_noisy = y + noise if training else y_hat
            bits.append(ops.sum(self.rates[i](y_noisy, y_hat), axis=(1, 2)))
            maps.append(self.entries[i](y_hat))
            level_idx.append(ops.full((ops.shape(y)[0],), i, dtype="int32"))
        joined = ops.concatenate(maps), ops.concatenate(level_idx)
        return self.body(list(joined), training=training), bits

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss, and steer the weights of the rate."""
        x_hat, bits = y_pred
        n_levels = len(bits)
        per_window = distortion(self.settings.distortion, x, x_hat)
        prdn = ops.split(distortion("prdn", x, x_hat), n_levels, axis=0)
        shares = ops.split(self.settings.w0 * per_window, n_levels, axis=0)
        task_shares = self._task_shares(x, x_hat, y)
        lmbda = ops.exp(self.log_lmbda)
        loss, steer = 0.0, []
        for i, latent in enumerate(self.config.latents):
            rate = ops.mean(bits[i]) / WINDOW_LEN
            level_loss = ops.mean(shares[i]) + task_shares[i] + lmbda[i] * rate
            loss = loss + self._level_weight(latent) * level_loss
            over = ops.log(rate / noisy_target_rate(latent.nominal_gain))
            steer.append(ops.clip(ops.stop_gradient(over), -0.5, 0.5))
            self.rate_means[i].update_state(rate)
            self.prdn_means[i].update_state(100.0 * ops.mean(prdn[i]))
        if training:
            settings = self.settings
            rise = settings.ramp or (math.log(1.0 / FIRST_LMBDA_SHARE),) * n_levels
            n_ramp_steps = max(settings.n_ramp_steps, 1)
            ramp = ops.array([r / n_ramp_steps for r in rise], "float32")
            ramping = self.optimizer.iterations < settings.n_ramp_steps
            steered = settings.steer_rate * ops.stack(steer)
            self.log_lmbda.assign_add(ops.where(ramping, ramp, steered))
        return loss / n_levels

    def _level_weight(self, latent: LatentConfig) -> float:
        is_low = latent.nominal_gain <= FIDELITY_GAIN and not latent.for_tasks
        return self.settings.fidelity_weight if is_low else 1.0

    def _task_shares(
        self, x: keras.KerasTensor, x_hat: keras.KerasTensor, classes: Any
    ) -> list[Any]:
        """Return L_w of each level: mean over its windows that are asked."""
        terms, n_levels = self.settings.terms, len(self.config.latents)
        if terms is None:
            return [0.0] * n_levels
        shares: list[Any] = [0.0] * n_levels
        for task, weight in terms.weights.tasks.items():
            asked = [_asked(part, task, n_levels) for part in (x, x_hat, classes)]
            error = terms.error(task, *asked)
            cost = terms.cost(task, error)
            for i, latent in enumerate(self.config.latents):
                part = ops.split(cost, n_levels, axis=0)[i]
                power = terms.weights.power
                share = weight * share_of_weight(latent.nominal_gain, power)
                shares[i] = shares[i] + share * ops.mean(part)
                level_errors = ops.split(error, n_levels, axis=0)[i]
                self.task_means[task][i].update_state(ops.mean(level_errors))
        return shares


def _asked(part: Any, task: str, n_levels: int) -> Any:
    """Return the windows of each level that a task is asked about.

    R peaks need no more than a third: a window holds some forty of them, and asking
    costs more than the codec.
    """
    if part is None or task != "rpeaks":
        return part
    share = part.shape[0] // n_levels
    n_asked = max(1, share // 3)
    levels = ops.split(part, n_levels, axis=0)
    return ops.concatenate([level[:n_asked] for level in levels])
