# SPDX-License-Identifier: Apache-2.0
"""What the tests of tasks share."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep.bundle import Bundle, load_bundle
from tests.signals import COSINE
from tests.tasks.small_networks import converted


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pass what TensorFlow 2.21 does to NumPy 2 (November 2026)."""
    mark = pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    )
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(mark)


@pytest.fixture(scope="session")
def rhythm_content() -> bytes:
    """Four classes from every 256th sample."""

    def network(x: Any) -> Any:
        from keras import ops

        return ops.softmax(x[:, ::256] * np.array([1.0, 2.0, -1.0, 0.0], np.float32))

    return converted(network)


@pytest.fixture(scope="session")
def rpeaks_content() -> bytes:
    """A distance map that is 0 where a window of `tents` has a tent."""

    def network(x: Any) -> Any:
        from keras import ops

        low = ops.min(x, axis=1, keepdims=True)
        high = ops.max(x, axis=1, keepdims=True)
        return (high - x) / (high - low + 1e-6)

    return converted(network)


@pytest.fixture(scope="session")
def linear_content() -> bytes:
    """A network of a user's: each sample doubled, and the mean added."""

    def network(x: Any) -> Any:
        from keras import ops

        return 2.0 * x + ops.mean(x, axis=1, keepdims=True)

    return converted(network)


@pytest.fixture(scope="session")
def task_bundle(rhythm_content: bytes, rpeaks_content: bytes) -> Bundle:
    """The kept bundle with both tasks added."""
    bundle = load_bundle(COSINE)
    tasks = {"task_rhythm": rhythm_content, "task_rpeaks": rpeaks_content}
    return dataclasses.replace(bundle, networks=bundle.networks | tasks)
