# SPDX-License-Identifier: Apache-2.0
"""The windows of a split to compare encoders on."""

from __future__ import annotations

import numpy as np

from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Subject
from training.targets import split_subjects


def chosen_subjects(name: str, max_windows: int | None = None) -> list[Subject]:
    """Return windows of a split, at most so many, evenly spread.

    Args:
        name: DATASET:SPLIT, such as cinc2017:validation.
        max_windows: at most so many; all if None.

    Raises:
        ConfigError: If there is no such split.
    """
    data_set, separator, split = name.partition(":")
    if not separator:
        raise ConfigError(
            f"records must be named as DATASET:SPLIT, such as mitdb:test, got {name!r}"
        )
    subjects = list(split_subjects(data_set, split))
    if max_windows is None or len(subjects) <= max_windows:
        return subjects
    at = np.linspace(0, len(subjects) - 1, max_windows).round().astype(int)
    return [subjects[i] for i in at]
