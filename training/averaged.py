# SPDX-License-Identifier: Apache-2.0
"""How networks other than the codec are trained: AdamW, a cosine, averaged weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


def compile_averaged(
    model: keras.Model,
    *example: Any,
    learning_rate: float,
    weight_decay: float,
    ema_momentum: float,
    loss: Any = None,
) -> None:
    """Compile a model, and build every weight and slot by an example of its input."""
    optimizer = keras.optimizers.AdamW(
        learning_rate,
        weight_decay=weight_decay,
        clipnorm=1.0,
        use_ema=True,
        ema_momentum=ema_momentum,
    )
    model.compile(optimizer=optimizer, loss=loss, jit_compile=False)
    model(*example)
    optimizer.build(model.trainable_variables)


def cosine(at: float) -> float:
    """Return the share of the learning rate at a share of the steps, 1 to 0."""
    return 0.5 * (1.0 + math.cos(math.pi * at))


def mean_weights(networks: Sequence[keras.Model]) -> keras.Model:
    """Return the first network, with the mean of all networks' weights.

    Trained on from the same weights in other ways, networks lie in one valley, and
    their mean is often better than each (Wortsman et al. 2022, arXiv 2203.05482).
    """
    of_each = [network.get_weights() for network in networks]
    networks[0].set_weights(
        [np.mean(same, axis=0) for same in zip(*of_each, strict=True)]
    )
    return networks[0]
