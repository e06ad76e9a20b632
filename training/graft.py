# SPDX-License-Identifier: Apache-2.0
"""Begin a codec from a trained one whose ladder, or whose trunk's end, is another.

A level begins as a copy of the trained level of the nearest nominal gain that has as
many channels; what the trained trunk has beyond the new one's layers is left out.
"""

from __future__ import annotations

import math

import keras

from dynamic_deep.errors import ConfigError
from dynamic_deep.networks import LatentConfig, LevelAffine
from training.model import CodecModel


def nearest_level(latent: LatentConfig, trained: tuple[LatentConfig, ...]) -> int:
    """Return the index of the trained level that a new one begins as.

    Raises:
        ConfigError: If none has as many channels.
    """
    fitting = [
        i
        for i, other in enumerate(trained)
        if (other.n_channels, other.stride) == (latent.n_channels, latent.stride)
    ]
    if not fitting:
        raise ConfigError(
            f"{latent.name} must have as many channels as a level it can begin as, "
            f"got {latent.n_channels}; choose one of "
            f"{', '.join(str(v.n_channels) for v in trained)}"
        )

    def distance(i: int) -> float:
        return abs(math.log(trained[i].nominal_gain / latent.nominal_gain))

    return min(fitting, key=distance)


def graft(source: CodecModel, target: CodecModel) -> None:
    """Give `target` the weights of `source`, level by nearest level.

    Args:
        source: trained; with every layer that the trunk and the body of `target` have.
        target: changed in place; its optimiser and noise stay.

    Raises:
        ConfigError: If a level fits none of the trained ones.
    """
    old = source.config.latents
    chosen = [nearest_level(latent, old) for latent in target.config.latents]
    _copy_layers(source.trunk, target.trunk)
    for i, j in enumerate(chosen):
        target.tails[i].set_weights(source.tails[j].get_weights())
        target.entries[i].set_weights(source.entries[j].get_weights())
        target.rates[i].set_weights(source.rates[j].get_weights())
    for to, layer in zip(target.body.layers, source.body.layers, strict=True):
        weights = layer.get_weights()
        if isinstance(layer, LevelAffine):
            weights = [weight[chosen] for weight in weights]
        to.set_weights(weights)
    lmbda = keras.ops.convert_to_numpy(source.log_lmbda)
    target.log_lmbda.assign(lmbda[chosen])


def _copy_layers(source: keras.Model, target: keras.Model) -> None:
    kept = {layer.name: layer.get_weights() for layer in source.layers}
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(kept[layer.name])
