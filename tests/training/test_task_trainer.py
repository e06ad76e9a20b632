# SPDX-License-Identifier: Apache-2.0
"""`training.task_trainer`: a task network is trained, cut, resumed and averaged."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.bundle import Bundle, load_bundle
from dynamic_deep.errors import ConfigError
from tests.signals import COSINE
from training.datasets import Lead
from training.task_networks import build_task_network
from training.task_presets import TASK_PRESETS, TaskPreset, find_task_preset
from training.task_trainer import (
    cosine_rate,
    fit_task,
    masked_cross_entropy,
    trained_tasks,
)

numpy = keras.ops.convert_to_numpy
PRESETS = {
    task: TaskPreset(
        task=task,
        size="compact",
        n_steps=4,
        batch_size=2,
        learning_rate=1e-2,
        n_warmup_steps=1,
        labelled_share=0.5,
        ema_momentum=0.5,
    )
    for task in ("rhythm", "rpeaks")
}


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(COSINE)


@pytest.fixture(autouse=True)
def small_data(monkeypatch: pytest.MonkeyPatch, leads: list[Lead]) -> None:
    """No records are read or decoded, and checkpoints are due every second step."""
    where = "training.task_trainer."
    labels = {lead.record: i for i, lead in enumerate(leads)}
    beats = np.arange(100.0, 20_000.0, 250.0)
    monkeypatch.setattr(where + "load_leads", lambda data_set, split: leads)
    monkeypatch.setattr(where + "rhythm_labels", lambda: labels)
    monkeypatch.setattr(where + "beat_times", lambda record: beats)
    monkeypatch.setattr(
        where + "decoded_versions", lambda leads, bundle: [[v.x / 300] for v in leads]
    )
    # An untrained map has no minima; every lead gets the same beats.
    monkeypatch.setattr(where + "find_peaks", lambda distance: beats[:5])
    monkeypatch.setattr("training.trainer.SAVE_EVERY", 2)
    monkeypatch.setattr("training.trainer.LOG_EVERY", 3)


def same(first: keras.Model, second: keras.Model) -> bool:
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return all((a == b).all() for a, b in pairs)


def test_the_masked_cross_entropy_by_hand() -> None:
    answer = np.array([[[0.7, 0.1, 0.1, 0.1]] * 3], np.float32)
    classes = np.array([[[1, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 0]]], np.float32)
    expected = [-np.log(0.7), -np.log(0.1), 0.0]
    assert numpy(masked_cross_entropy(classes, answer))[0] == pytest.approx(expected)


def test_the_learning_rate_by_hand() -> None:
    preset = dataclasses.replace(
        PRESETS["rhythm"], n_steps=100, learning_rate=1.0, n_warmup_steps=10
    )
    rates = [cosine_rate(step, preset) for step in (0, 50, 75)]
    assert rates == pytest.approx([0.1, 0.5, 0.5 * (1 - np.sqrt(0.5))])
    twice = dataclasses.replace(preset, cycle=40)
    rates = [cosine_rate(step, twice) for step in (0, 20, 40, 70)]
    assert rates == pytest.approx([0.1, 0.5, 0.5, 0.25])


@pytest.mark.usefixtures("tiny_builders")
@pytest.mark.parametrize("task", PRESETS)
def test_a_cut_run_resumes_to_the_same_weights(
    task: str, bundle: Bundle, batch: np.ndarray, tmp_path: Path
) -> None:
    preset, rows = PRESETS[task], []
    unbroken = fit_task(preset, bundle, tmp_path / "a" / task, log=rows.append)
    assert [row["step"] for row in rows] == [3, 4]
    assert all(np.isfinite(row["loss"]) for row in rows)

    def cut(row: dict[str, float]) -> None:
        raise KeyboardInterrupt

    run = tmp_path / "b"
    with pytest.raises(KeyboardInterrupt):
        fit_task(preset, bundle, run, log=cut)  # at step 3, one past a checkpoint
    resumed = fit_task(preset, bundle, run, log=lambda row: None)
    assert same(unbroken, resumed)
    assert (run / "own_peaks.npz").exists() == (task == "rpeaks")
    assert json.loads((run / "config.json").read_text())["task"] == task
    # What is kept of it is the moving average of its weights, as `fit_task` gives it.
    kept = trained_tasks([task], tmp_path / "a")[task]
    assert same(kept, unbroken)
    with np.load(run / "checkpoint.npz") as stored:
        assert int(stored["step"]) == 4
        assert not (stored["v0"] == numpy(kept.variables[0])).all()
    assert kept(batch).shape == ((4, 35, 4) if task == "rhythm" else (4, 8960, 1))


def test_a_task_that_was_not_trained_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"checkpoint\.npz, got .*rhythm' without"):
        trained_tasks(["rhythm"], tmp_path)
    with pytest.raises(ConfigError, match="got 'rhythm_huge'"):
        trained_tasks(["rhythm"], tmp_path, size="huge")
    with pytest.raises(ConfigError, match="got sleep compact"):
        build_task_network("sleep", "compact")


def test_presets_are_found_or_refused() -> None:
    for name, preset in TASK_PRESETS.items():
        assert find_task_preset(name) is preset
        assert name == f"{preset.task}_{preset.size}"
        assert preset.n_first_cycle <= preset.n_steps
    with pytest.raises(ConfigError, match="rpeaks_paper, got 'rhythm'"):
        find_task_preset("rhythm")
