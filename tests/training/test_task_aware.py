# SPDX-License-Identifier: Apache-2.0
"""`training.task_aware`: phase 2 moves the codec and never the tasks."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.errors import ConfigError
from training.datasets import Lead
from training.graft import graft
from training.model import CodecModel, ramped_lmbda
from training.presets import Preset
from training.task_aware import build_task_aware, fit_task_aware, from_run
from training.task_aware_presets import (
    TASK_AWARE_PRESETS,
    TaskAwarePreset,
    find_task_aware_preset,
)
from training.trainer import build_model, save_checkpoint

Tasks = dict[str, keras.Model]
numpy = keras.ops.convert_to_numpy
LABELS = {"s0": 0, "s1": 1, "s2": 2}


@pytest.fixture(autouse=True)
def small_data(monkeypatch: pytest.MonkeyPatch, leads: list[Lead]) -> None:
    """No records are read."""
    where = "training.task_aware."
    monkeypatch.setattr(where + "load_leads", lambda data_set, split: leads)
    monkeypatch.setattr(where + "rhythm_labels", lambda: LABELS)
    monkeypatch.setattr("training.trainer.SAVE_EVERY", 1)
    monkeypatch.setattr("training.trainer.LOG_EVERY", 1)


@pytest.fixture
def preset(tiny_preset: Preset) -> TaskAwarePreset:
    """A step with rhythm alone on a ladder of its own, then two with both tasks."""
    first, last = tiny_preset.networks.latents
    ladder = (first, dataclasses.replace(last, nominal_gain=256))
    return TaskAwarePreset(
        phase_1="tiny",
        networks=dataclasses.replace(tiny_preset.networks, latents=ladder),
        n_steps=3,
        tasks={"rhythm": 1.0, "rpeaks": 5.0},
        stages=((("rhythm",), 0.3), (("rhythm", "rpeaks"), 0.7)),
        windows_per_level=1,
        n_warmup_steps=1,
    )


@pytest.fixture
def phase_1(tiny_preset: Preset, tmp_path: Path) -> Path:
    """The run folder of an untrained phase 1."""
    run = tmp_path / "phase_1"
    run.mkdir()
    save_checkpoint(run / "checkpoint.npz", build_model(tiny_preset), 4)
    return run


def weights(model: keras.Model) -> list[np.ndarray]:
    return [numpy(v).copy() for v in model.variables]


def same(first: CodecModel, second: CodecModel) -> bool:
    both = [weights(v) + weights(v.optimizer) for v in (first, second)]
    return all((a == b).all() for a, b in zip(*both, strict=True))


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[list[np.ndarray]]:
    """The weights that the codec had before its first step, of each run."""
    found: list[list[np.ndarray]] = []

    def record(source: CodecModel, target: CodecModel) -> None:
        graft(source, target)
        lmbda = numpy(source.log_lmbda)[[0, 1]]
        assert (numpy(target.log_lmbda) == lmbda).all()
        found.append([numpy(v).copy() for v in target.trainable_variables])

    monkeypatch.setattr("training.task_aware.graft", record)
    return found


def test_a_cut_run_resumes_and_tasks_stay(
    preset: TaskAwarePreset,
    tiny_preset: Preset,
    phase_1: Path,
    tiny_tasks: Tasks,
    begun: list[list[np.ndarray]],
    tmp_path: Path,
) -> None:
    frozen = {name: weights(task) for name, task in tiny_tasks.items()}
    rows: list[dict[str, Any]] = []

    def log(row: dict[str, Any]) -> None:
        rows.append(row)
        if len(rows) == 2:  # what a run leaves that is cut here, past a checkpoint
            shutil.copytree(tmp_path / "a", tmp_path / "b")

    begin = from_run(tiny_preset, phase_1)
    unbroken = fit_task_aware(preset, begin, tmp_path / "a", tasks=tiny_tasks, log=log)
    for name, before in frozen.items():
        after = weights(tiny_tasks[name])
        assert all((a == b).all() for a, b in zip(before, after, strict=True))
    moved = zip(begun[0], unbroken.trainable_variables, strict=True)
    assert not any((a == numpy(b)).all() for a, b in moved)
    # A new level's rate rises from what its neighbour has to what its gain asks for.
    expected = [0.0, np.log(ramped_lmbda(256) / ramped_lmbda(128))]
    assert unbroken.settings.ramp == pytest.approx(expected)
    # A task that was not in the loss yet has no figures.
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert "rhythm_gain_256" in rows[0]
    assert "rpeaks_gain_256" not in rows[0]
    assert {"rhythm_gain_32", "rpeaks_gain_32", "prdn_gain_256"} <= set(rows[1])

    # Phase 1 is not asked again.
    (phase_1 / "checkpoint.npz").unlink()
    resumed = fit_task_aware(
        preset, begin, tmp_path / "b", tasks=tiny_tasks, log=lambda row: None
    )
    assert same(unbroken, resumed)
    assert len(begun) == 1


def test_levels_are_added_on_a_trunk_that_stays(
    preset: TaskAwarePreset,
    tiny_preset: Preset,
    phase_1: Path,
    tiny_tasks: Tasks,
    tmp_path: Path,
) -> None:
    begin = from_run(tiny_preset, phase_1)
    extending = dataclasses.replace(preset, kept=("gain_32",))
    model = fit_task_aware(
        extending, begin, tmp_path / "a", tasks=tiny_tasks, log=lambda row: None
    )
    source = begin.load()
    kept = zip(weights(source.trunk), weights(model.trunk), strict=True)
    assert all((a == b).all() for a, b in kept)
    moved = zip(weights(source.body), weights(model.body), strict=True)
    assert not all((a == b).all() for a, b in moved)


def test_a_task_without_a_network_is_named(
    preset: TaskAwarePreset, tiny_tasks: Tasks
) -> None:
    del tiny_tasks["rpeaks"]
    with pytest.raises(ConfigError, match="got none for rpeaks"):
        build_task_aware(preset, tiny_tasks)


def test_stages_by_hand(preset: TaskAwarePreset) -> None:
    staged = dataclasses.replace(
        preset,
        n_steps=100,
        stages=((("rhythm",), 0.3), (("rpeaks",), 0.3), (("rhythm", "rpeaks"), 0.4)),
    )
    at = {0: {"rhythm"}, 29: {"rhythm"}, 30: {"rpeaks"}, 59: {"rpeaks"}}
    at |= {60: {"rhythm", "rpeaks"}, 99: {"rhythm", "rpeaks"}}
    assert {step: set(staged.tasks_at(step)) for step in at} == at
    assert staged.tasks_at(60) == preset.tasks
    whole = dataclasses.replace(preset, stages=())
    assert whole.tasks_at(0) == whole.tasks_at(3) == preset.tasks
    with pytest.raises(ConfigError, match="rhythm, rpeaks; got sleep"):
        dataclasses.replace(preset, stages=((("sleep",), 1.0),))


def test_presets_are_found_or_refused() -> None:
    for name, preset in TASK_AWARE_PRESETS.items():
        assert find_task_aware_preset(name) is preset
    networks = find_task_aware_preset("standard").networks
    for task in ("rhythm", "rpeaks"):
        alone = find_task_aware_preset(f"standard_{task}")
        assert set(alone.tasks) == set(alone.tasks_at(0)) == {task}
        assert alone.networks == networks
    assert find_task_aware_preset("standard_label").reference == "label"
    with pytest.raises(ConfigError, match="standard_rpeaks, got 'huge'"):
        find_task_aware_preset("huge")
