# SPDX-License-Identifier: Apache-2.0
"""The second rhythm network before and while it is trained."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.config import MODEL_FS
from dynamic_deep.errors import ConfigError

pytest.importorskip("keras", reason="needs the extra train")

from experiments.judge_network import (
    HIGHEST_HZ,
    LOWEST_HZ,
    N_BANDS,
    band_kernels,
)
from experiments.train_judge import PRESET, fit_judge, raw_windows

# TensorFlow's arrays under NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)


def test_a_tone_has_power_one_in_its_band_and_an_offset_none() -> None:
    kernels = band_kernels()[:, 0]
    t = np.arange(len(kernels))
    for band in range(N_BANDS // 2, N_BANDS):
        hertz = LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (band / (N_BANDS - 1))
        for phase in (0.0, 0.7, 2.0):
            tone = np.sqrt(2.0) * np.sin(2.0 * np.pi * hertz / MODEL_FS * t + phase)
            parts = tone @ kernels[:, [band, N_BANDS + band]]
            assert np.square(parts).sum() == pytest.approx(1.0, rel=0.1)
    assert np.abs(kernels.sum(axis=0)).max() < 1e-4


def test_a_training_goes_on_where_it_stopped(tmp_path: Path) -> None:
    preset = dataclasses.replace(PRESET, n_steps=1, batch_size=2)
    try:
        windows = raw_windows(preset, limit=4)
    except ConfigError as error:
        pytest.skip(str(error))
    assert all(len(versions) == 1 for versions in windows.versions)
    rows: list[dict[str, float]] = []
    model = fit_judge(preset, windows, tmp_path, log=rows.append)
    assert rows[-1]["step"] == 1
    weights = model.get_weights()
    assert all(np.isfinite(weight).all() for weight in weights)
    again = fit_judge(preset, windows, tmp_path, log=rows.append)
    assert len(rows) == 1  # no step was left to take
    assert all(map(np.array_equal, weights, again.get_weights()))
    settings = json.loads((tmp_path / "config.json").read_text())
    assert settings["seed"] == PRESET.seed
