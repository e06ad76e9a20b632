# SPDX-License-Identifier: Apache-2.0
"""Networks of a few operations, whose answers can be worked out beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from dynamic_deep.bundle import load_bundle
from dynamic_deep.config import WINDOW_LEN
from tests.signals import COSINE

BEAT_LEN = 40  # samples a tent of `tents` reaches to each side
# For what needs a task but not its answer, and so no TensorFlow to make a network.
ANY_NETWORK = load_bundle(COSINE).networks["body"]


def converted(function: Callable[..., Any]) -> bytes:
    """The `.tflite` file of a function of one window, (1, n_samples, 1)."""
    pytest.importorskip("tensorflow", reason="needs the extra `train`")
    from training.lite import convert

    return convert(function, [((1, None, 1), "float32")])


def sampled_softmax(x: np.ndarray) -> np.ndarray:
    """What the network of `rhythm_content` computes, of standardised samples."""
    logits = x[::256, None] * np.array([1.0, 2.0, -1.0, 0.0])
    exponents = np.exp(logits)
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))


def tents(at: Sequence[float], n_samples: int = WINDOW_LEN) -> np.ndarray:
    """A window with a tent of height 1 at each place: float32."""
    apart = np.abs(np.arange(n_samples)[:, None] - np.array([[*at, 1e9]])).min(axis=1)
    return np.maximum(0.0, 1.0 - apart / BEAT_LEN).astype(np.float32)
