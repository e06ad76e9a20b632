# SPDX-License-Identifier: Apache-2.0
"""`training.averaged`: the mean of networks is that of their weights."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from training.averaged import mean_weights


def test_the_mean_of_networks_is_that_of_their_weights() -> None:
    networks = []
    for value in (1.0, 4.0, 7.0):
        network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        network.set_weights([np.full(w.shape, value) for w in network.get_weights()])
        networks.append(network)
    mean = mean_weights(networks)
    assert mean is networks[0]
    assert all((weight == 4.0).all() for weight in mean.get_weights())
    assert all((weight == 7.0).all() for weight in networks[2].get_weights())
