# SPDX-License-Identifier: Apache-2.0
"""The rate of a latent: a scale for every symbol, from what is coded before it.

A latent is coded in passes. Channels are split into groups; within a group the even
steps come first, then the odd ones. The scale of a symbol is foretold from the
magnitudes of symbols of earlier passes within one step of it: those of earlier groups,
and, for an odd step, its even neighbours in its own group. So all symbols of a pass
are decoded at once, and both sides compute the scale from integers alone.

This is the channel-wise autoregressive model of Minnen and Singh (2020,
arXiv 2007.08739) with a linear map of magnitudes in place of a network, and the
checkerboard of He et al. (2021, arXiv 2103.15306), in one dimension. In training the
rounding is replaced by uniform noise (Balle et al. 2017, arXiv 1611.01704).
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

MAGNITUDE_CAP = 8.0  # larger ones say nothing more, and an integer table must end
REACH = 1  # steps to either side
# Below the lower end a symbol is as good as always 0. At -3 a silent symbol would still
# seem to cost an eighth of a bit, which at the highest gains is half of all.
LOG_SCALES = (-5.0, 4.0)


def group_of(n_channels: int, n_groups: int) -> np.ndarray:
    """Return the group of each channel, int array (n_channels,), ascending."""
    return np.arange(n_channels) * n_groups // n_channels


def group_masks(n_channels: int, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which (input, output) pairs count: earlier group; same group."""
    group = group_of(n_channels, n_groups)
    return group[:, None] < group[None, :], group[:, None] == group[None, :]


class RateModel(keras.layers.Layer):
    """Bits of a noisy latent, given the magnitudes of the quantised one."""

    def __init__(self, n_channels: int, n_groups: int, **kwargs: object) -> None:
        """Make the weights of a latent of `n_channels` in `n_groups`."""
        super().__init__(**kwargs)
        self.n_channels = n_channels
        self.n_groups = n_groups
        earlier, same = group_masks(n_channels, n_groups)
        self.earlier_mask = earlier.astype("float32")[None]
        self.same_mask = same.astype("float32")[None]
        shape = (2 * REACH + 1, n_channels, n_channels)
        self.earlier = self.add_weight(shape=shape, initializer="zeros", name="earlier")
        self.same = self.add_weight(shape=shape, initializer="zeros", name="same")
        self.bias = self.add_weight(
            shape=(n_channels,),
            initializer=keras.initializers.Constant(-0.7),
            name="bias",
        )

    def log_scale(self, y_hat: keras.KerasTensor) -> keras.KerasTensor:
        """Return the logarithm of the scale of each symbol.

        Args:
            y_hat: (n_windows, n_steps, n_channels), integers as float.

        Returns:
            The same shape.
        """
        magnitude = ops.minimum(ops.abs(y_hat), MAGNITUDE_CAP)
        odd = ops.cast(ops.arange(ops.shape(y_hat)[1]) % 2, y_hat.dtype)[None, :, None]
        from_earlier = ops.conv(
            magnitude, self.earlier * self.earlier_mask, padding="same"
        )
        from_same = ops.conv(
            magnitude * (1.0 - odd), self.same * self.same_mask, padding="same"
        )
        return self.bias + from_earlier + odd * from_same

    def call(
        self, y_noisy: keras.KerasTensor, y_hat: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Return the bits of each symbol, the shape of `y_noisy`.

        A logistic density, integrated over one quantiser step.
        """
        log_scale = self.log_scale(ops.stop_gradient(y_hat))
        inverse = ops.exp(-ops.clip(log_scale, *LOG_SCALES))
        z = ops.abs(y_noisy)
        # On the negative tail sigmoids don't cancel.
        upper = ops.sigmoid((0.5 - z) * inverse)
        lower = ops.sigmoid((-0.5 - z) * inverse)
        return -ops.log(ops.maximum(upper - lower, 1e-9)) / float(np.log(2.0))

    def get_config(self) -> dict[str, object]:
        """Return what the constructor needs."""
        sizes = {"n_channels": self.n_channels, "n_groups": self.n_groups}
        return {**super().get_config(), **sizes}
