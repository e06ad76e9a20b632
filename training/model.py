# SPDX-License-Identifier: Apache-2.0
"""The trainable codec: every level at once, rate against distortion.

A batch is dealt out evenly to the levels. For level l the loss is

    L_l = mean over its windows of [ ||x - x_hat|| / ||x|| + lambda_l * bits / samples ]

The first term is the window's PRDN / 100, which is what is reported; its square would
spend the bits on noisy windows, whose PRDN no codec mends. lambda_l is not chosen but
steered, so that the rate of the level meets the one its nominal gain asks for.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from dynamic_deep.config import SEGMENTS_PER_WINDOW, WINDOW_LEN
from dynamic_deep.networks import (
    NetworkConfig,
    build_body,
    build_entry,
    build_tail,
    build_trunk,
)
from training.rate_model import RateModel

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


class CodecModel(keras.Model):
    """Trunk, tails, rate models, decoder entries and body, trained together."""

    def __init__(self, config: NetworkConfig, *, seed: int = 0) -> None:
        """Build every part."""
        super().__init__(name=config.name)
        self.config = config
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
        power = ops.mean(ops.square(x), axis=(1, 2))
        error = ops.mean(ops.square(x - x_hat), axis=(1, 2))
        prdn = ops.sqrt((error + 1e-5) / (power + 1e-5))
        shares = ops.split(prdn, len(bits), axis=0)
        lmbda = ops.exp(self.log_lmbda)
        loss, steer = 0.0, []
        for i, latent in enumerate(self.config.latents):
            rate = ops.mean(bits[i]) / WINDOW_LEN
            loss = loss + ops.mean(shares[i]) + lmbda[i] * rate
            over = ops.log(rate / noisy_target_rate(latent.nominal_gain))
            steer.append(ops.clip(ops.stop_gradient(over), -0.5, 0.5))
            self.rate_means[i].update_state(rate)
            self.prdn_means[i].update_state(100.0 * ops.mean(shares[i]))
        if training:
            ramp = math.log(1.0 / FIRST_LMBDA_SHARE) / N_RAMP_STEPS
            ramping = self.optimizer.iterations < N_RAMP_STEPS
            change = ops.where(ramping, ramp, STEER_RATE * ops.stack(steer))
            self.log_lmbda.assign_add(change)
        return loss / len(bits)
