# SPDX-License-Identifier: Apache-2.0
"""`training.distortion`: the reconstruction's part of the loss, by hand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.errors import ConfigError
from training.distortion import DISTORTIONS, EPSILON, distortion

X = np.array([[1.0, -1.0, 1.0, -1.0], [2.0, 0.0, -2.0, 0.0]], np.float32)[..., None]
GAP = np.array([[0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.3, 0.0]], np.float32)[..., None]


def of(kind: str, x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    found: np.ndarray = keras.ops.convert_to_numpy(distortion(kind, x, x_hat))
    return found


def test_prdn_and_mse_by_hand() -> None:
    # Squares of the errors: 0.25 of 4 and 0.09 of 8.
    assert of("prdn", X, X + GAP) == pytest.approx(
        [np.sqrt(0.25 / 4), np.sqrt(0.09 / 8)], rel=1e-3
    )
    assert of("mse", X, X + GAP) == pytest.approx([0.25 / 4, 0.09 / 4])


def test_equation_1_with_its_epsilon_by_hand() -> None:
    # An error of 0.5 at a sample of 1, and one of 0.3 at a sample of -2.
    assert EPSILON == 0.1
    assert of("mape", X, X + GAP) == pytest.approx([0.5 / 1.1 / 4, 0.3 / 2.1 / 4])
    assert (of("mape", X, X - GAP) == of("mape", X, X + GAP)).all()
    # As printed it would divide by zero here.
    at_zero = np.roll(GAP, -1, axis=1)
    assert of("mape", X, X + at_zero)[1] == pytest.approx(0.3 / 0.1 / 4)


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_a_perfect_reconstruction_costs_next_to_nothing(kind: str) -> None:
    assert (of(kind, X, X) < 0.005).all()
    flat = np.zeros_like(X)
    assert np.isfinite(of(kind, flat, flat)).all()


def test_another_distortion_is_refused() -> None:
    with pytest.raises(ConfigError, match="prdn, mse, mape; got 'mae'"):
        distortion("mae", X, X)
