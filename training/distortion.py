# SPDX-License-Identifier: Apache-2.0
"""L_R, the reconstruction's part of the loss, per window."""

from __future__ import annotations

import keras
from keras import ops

from dynamic_deep.errors import ConfigError

EPSILON = 0.1  # of a deviation; eq. 1 as printed divides by each sample


def _prdn(x: keras.KerasTensor, x_hat: keras.KerasTensor) -> keras.KerasTensor:
    power = ops.mean(ops.square(x), axis=(1, 2))
    error = ops.mean(ops.square(x - x_hat), axis=(1, 2))
    return ops.sqrt((error + 1e-5) / (power + 1e-5))


def _mse(x: keras.KerasTensor, x_hat: keras.KerasTensor) -> keras.KerasTensor:
    return ops.mean(ops.square(x - x_hat), axis=(1, 2))


def _mape(x: keras.KerasTensor, x_hat: keras.KerasTensor) -> keras.KerasTensor:
    """Eq. 1 of the paper, with the epsilon and the absolute value it lacks."""
    return ops.mean(ops.abs(x - x_hat) / (ops.abs(x) + EPSILON), axis=(1, 2))


DISTORTIONS = {"prdn": _prdn, "mse": _mse, "mape": _mape}


def distortion(
    kind: str, x: keras.KerasTensor, x_hat: keras.KerasTensor
) -> keras.KerasTensor:
    """Return the distortion of each window.

    Args:
        kind: `prdn` (PRDN / 100, what is reported; its square would spend the bits on
            noisy windows, whose PRDN no codec mends), `mse`, or `mape` (eq. 1).
        x: float32 (n_windows, n_samples, 1), windows of mean 0 and deviation 1.
        x_hat: float32, the same, decoded.

    Returns:
        float32 (n_windows,), 0 for a perfect reconstruction.

    Raises:
        ConfigError: If there is no such distortion.
    """
    if kind not in DISTORTIONS:
        raise ConfigError(
            f"a distortion must be one of {', '.join(DISTORTIONS)}; got {kind!r}"
        )
    return DISTORTIONS[kind](x, x_hat)
