# SPDX-License-Identifier: Apache-2.0
"""The second rhythm network before and while it is trained."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.config import MODEL_FS, RHYTHM_CLASSES
from dynamic_deep.errors import ConfigError

pytest.importorskip("keras", reason="needs the extra train")

from experiments.networks.judge import (
    HIGHEST_HZ,
    LOWEST_HZ,
    N_BANDS,
    band_kernels,
    build_judge,
)
from experiments.train.judge import PRESET, fit_judge, raw_windows

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


def test_a_network_of_its_kind_learns_from_raw_windows(tmp_path: Path) -> None:
    preset = dataclasses.replace(PRESET, n_steps=1, batch_size=2)
    try:
        windows = raw_windows(preset, limit=4)
    except ConfigError as error:
        pytest.skip(str(error))
    assert all(len(versions) == 1 for versions in windows.versions)
    model = build_judge(((8, 1, True), (8, 2, True), (8, 1, True), (8, 1, True)))
    before = model.get_weights()
    rows: list[dict[str, float]] = []
    fit_judge(model, preset, tmp_path, windows=windows, log=rows.append)
    assert [row["step"] for row in rows] == [1]
    after = model.get_weights()
    assert all(np.isfinite(weight).all() for weight in after)
    assert not all(map(np.array_equal, before, after))
    assert (tmp_path / "checkpoint.npz").is_file()
    settings = json.loads((tmp_path / "config.json").read_text())
    assert settings["seed"] == PRESET.seed
    answer = model.predict_on_batch(np.zeros((1, 2560, 1), np.float32))
    assert answer.shape == (1, 10, len(RHYTHM_CLASSES))
