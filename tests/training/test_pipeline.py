# SPDX-License-Identifier: Apache-2.0
"""`training.pipeline`: from records to a bundle that promises, and not twice.

Presets, networks and records are as small as they can be; nothing is left out between.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

from dynamic_deep.bound import Bound
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.bound_policy import Calibrated
from dynamic_deep.bundle import Bundle, load_bundle
from dynamic_deep.calibration import load_calibration
from dynamic_deep.codec import Codec
from dynamic_deep.errors import ConfigError
from dynamic_deep.heads import Heads
from dynamic_deep.recording import read_recording, write_recording
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.tasks import CLASSES
from tests.signals import COSINE
from training.adapt_presets import ADAPT_PRESETS
from training.aware_export import put_tasks
from training.context_fit import ContextPreset
from training.datasets import normalize
from training.head_presets import HeadPreset
from training.pipeline import adapted_tasks, finish_bundle, run_pipeline
from training.presets import Preset
from training.task_adapt import AdaptPreset
from training.task_aware_presets import TaskAwarePreset
from training.task_presets import TaskPreset

TASKS = ("rhythm", "rpeaks")
HEAD_LEVELS = ("wavelet_24",)
LEVELS = (*HEAD_LEVELS, "gain_32")  # gain_128 is there, but no bound chooses it


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Two records as CinC has them, and one of two leads as MIT-BIH does."""
    folder = tmp_path_factory.mktemp("records")
    found: dict[str, list[Path]] = {"cinc2017": [], "mitdb": []}
    for seed, data_set in enumerate(("cinc2017", "cinc2017", "mitdb")):
        is_mitdb = data_set == "mitdb"
        fs, n_leads = (360.0, 2) if is_mitdb else (300.0, 1)
        x = simulate_ecg(31.0, fs=fs, n_leads=n_leads, seed=seed, name=f"s{seed}")
        write_recording(folder / f"s{seed}.hea", x)
        found[data_set].append(folder / f"s{seed}.hea")
    return found


@pytest.fixture
def small_presets(monkeypatch: pytest.MonkeyPatch, tiny_preset: Preset) -> None:
    """A step or two of each training."""
    phase_1 = dataclasses.replace(tiny_preset, n_steps=1)
    aware = TaskAwarePreset(
        phase_1="first",
        networks=tiny_preset.networks,
        n_steps=1,
        tasks=dict.fromkeys(TASKS, 1.0),
        bound_levels=("gain_32",),
        windows_per_level=1,
    )
    tasks = {
        f"{task}_compact": TaskPreset(
            task=task, size="compact", n_steps=1, batch_size=1, learning_rate=1e-2
        )
        for task in TASKS
    }
    heads = HeadPreset(
        n_guess_steps=1,
        guess_batch=2,
        n_forecasts=2,
        n_forecast_steps=2,
        forecast_batch=2,
    )
    for module in ("pipeline", "restore"):
        monkeypatch.setattr(f"training.{module}.find_preset", lambda name: phase_1)
    for module in ("pipeline", "task_trainer"):
        monkeypatch.setattr(f"training.{module}.find_task_preset", tasks.get)
    for module in ("pipeline", "restore"):
        monkeypatch.setattr(
            f"training.{module}.find_task_aware_preset", lambda name: aware
        )
    monkeypatch.setattr("training.pipeline.head_preset_of", lambda name: heads)
    contexts = ContextPreset(n_taps=3, n_hidden=4, n_groups=2, n_steps=2, batch_size=1)
    monkeypatch.setattr("training.contexts.preset_of", lambda name, kind: contexts)
    # Twelve levels take longer than all the rest here.
    neural = {"gain_32", "gain_128"}
    monkeypatch.setattr(
        "training.contexts.lossy_levels",
        lambda bundle: [level for level in bundle.levels if level.name in neural],
    )
    for task in TASKS:
        adapt = AdaptPreset(
            task=tasks[f"{task}_compact"],
            n_steps=1,
            n_labelled=1,
            n_pairs=1,
            pair_weight=1.0,
        )
        monkeypatch.setitem(ADAPT_PRESETS, task, adapt)


@pytest.fixture
def small_data(
    monkeypatch: pytest.MonkeyPatch,
    records: dict[str, list[Path]],
    batch: np.ndarray,
) -> None:
    """Every split is the same three records; classical tables are those of a bundle."""
    for module in ("datasets", "targets"):
        monkeypatch.setattr(
            f"training.{module}.record_paths", lambda data_set, split: records[data_set]
        )
    classes = {f"s{i}": CLASSES[i] for i in range(3)}
    labels = {record: CLASSES.index(name) for record, name in classes.items()}
    monkeypatch.setattr("training.targets.rhythm_class_names", lambda: classes)
    for module in ("task_trainer", "task_aware"):
        monkeypatch.setattr(f"training.{module}.rhythm_labels", lambda: labels)
    beats = np.arange(100.0, 9000.0, 250.0)
    monkeypatch.setattr("training.task_trainer.beat_times", lambda record: beats)
    monkeypatch.setattr("training.export.HEAD_LEVELS", HEAD_LEVELS)
    tables = load_bundle(COSINE).tables
    shared = {k: v for k, v in tables.items() if not k.startswith("gain_")}
    windows = [normalize(x) for x in batch[..., 0]]
    monkeypatch.setattr("training.export.classical_tables", lambda: (windows, shared))
    monkeypatch.setattr("training.export.validation_windows", lambda: batch[:1])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "config.json"
    }


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("there is nothing left to do")


@pytest.mark.usefixtures("small_presets", "small_data", "tiny_builders")
def test_records_become_a_bundle_that_promises(
    records: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, folder = tmp_path / "runs", tmp_path / "bundle"
    notes: list[str] = []
    rows: list[dict[str, Any]] = []

    def progress(n_steps: int) -> Callable[[dict[str, Any]], None]:
        assert n_steps == 1
        return rows.append

    def run() -> None:
        run_pipeline("tiny", runs, folder, progress=progress, note=notes.append)

    run()
    assert len(rows) == 6  # phase 1, phase 2, and each task twice
    assert notes[:2] == ["phase 1, first", "task rhythm"]
    assert notes[-2:] == [
        "calibration cinc2017: 2 windows",
        "calibration mitdb: 1 windows",
    ]
    bundle = load_bundle(folder)
    assert bundle.config["heads"]["levels"] == list(LEVELS)
    assert bundle.level("gain_128").kind == "neural"
    trained = bundle.config["trained"]
    assert trained["adapted_tasks"] == list(TASKS)
    assert trained["heads"]["n_guess_steps"] == 1
    assert Heads(bundle).levels == ("raw", *LEVELS)
    promise(bundle, records["mitdb"][0])
    assert [*adapted_tasks("tiny", runs)] == list(TASKS)
    with pytest.raises(ConfigError, match="tiny_rhythm' without"):
        adapted_tasks("tiny", tmp_path)
    copy = shutil.copytree(folder, tmp_path.with_name("copy"))
    (copy / "encoder_int8.tflite").write_bytes((copy / "encoder.tflite").read_bytes())
    put_tasks(copy, {TASKS[0]: adapted_tasks("tiny", runs)[TASKS[0]]})
    assert load_bundle(copy).config["trained"]["adapted_tasks"] == list(TASKS)
    assert (copy / "encoder_int8.tflite").exists()
    (copy / "heads.tflite").unlink()
    finish_bundle(
        "tiny", runs / "tiny_aware", copy, tasks=adapted_tasks("tiny", runs), note=print
    )
    assert load_bundle(copy).config["heads"] == bundle.config["heads"]
    assert not (copy / "encoder_int8.tflite").exists()
    before = contents(tmp_path)
    for name in ("task_trainer.decoded_versions", "adapt_windows.decoded_versions"):
        monkeypatch.setattr(f"training.{name}", refuse)
    monkeypatch.setattr("training.aware_export.try_resumably", refuse)
    run()
    assert contents(tmp_path) == before
    assert len(rows) == 6


def promise(bundle: Bundle, path: Path) -> None:
    """Send a recording by the bundle's own calibration, and get it back."""
    bound = Bound(tasks=TASKS, limits={"rhythm": 10.0, "rpeaks": 1.0})
    requirement = Requirement(bound=bound, risk=0.9)
    policy = Calibrated(requirement, load_calibration(bundle))
    codec, recording = Codec(bundle), read_recording(path)
    data = codec.encode(recording, policy=policy)
    assert codec.decode(data).samples.shape == recording.samples.shape
    # No error can be over such a bound, so nothing is sent lossless.
    assert len(data) < 0.5 * len(codec.encode(recording, level="lossless"))
