# SPDX-License-Identifier: Apache-2.0
"""`training.trainer`: a run that was cut goes on as if nothing had happened."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.errors import ConfigError
from dynamic_deep.networks import Conv
from training.datasets import Lead
from training.model import CodecModel
from training.presets import Preset
from training.trainer import (
    build_model,
    fit,
    keep_settings,
    learning_rate_at,
    load_checkpoint,
    run_steps,
    save_checkpoint,
)


def arrays(model: CodecModel) -> list[np.ndarray]:
    variables = [*model.trainable_variables, model.log_lmbda, model.noise.state]
    variables += model.optimizer.variables
    return [keras.ops.convert_to_numpy(v) for v in variables]


def same(first: CodecModel, second: CodecModel) -> bool:
    pairs = zip(arrays(first), arrays(second), strict=True)
    return all((a == b).all() for a, b in pairs)


@pytest.fixture(autouse=True)
def small_data(monkeypatch: pytest.MonkeyPatch, leads: list[Lead]) -> None:
    """No records are read, and a checkpoint is due every second step."""
    monkeypatch.setattr("training.trainer.load_leads", lambda data_set, split: leads)
    monkeypatch.setattr("training.trainer.SAVE_EVERY", 2)
    monkeypatch.setattr("training.trainer.LOG_EVERY", 3)


def test_the_learning_rate_by_hand(tiny_preset: Preset) -> None:
    preset = dataclasses.replace(
        tiny_preset, n_steps=100, n_warmup_steps=10, learning_rate=1.0, decay_share=0.4
    )
    rates = [learning_rate_at(step, preset) for step in (0, 4, 9, 59, 60, 80, 99)]
    assert rates == pytest.approx([0.1, 0.5, 1.0, 1.0, 1.0, 0.5, 0.025])


def test_a_cut_run_resumes_to_the_same_weights(
    tiny_preset: Preset, tmp_path: Path
) -> None:
    rows: list[dict[str, float]] = []
    unbroken = fit(tiny_preset, tmp_path / "a", log=rows.append)
    assert [row["step"] for row in rows] == [3, 4]
    assert {"loss", "seconds", "bps_gain_32", "prdn_gain_128"} <= set(rows[0])

    def cut(row: dict[str, float]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(tiny_preset, tmp_path / "b", log=cut)  # at step 3, one past a checkpoint
    with np.load(tmp_path / "b" / "checkpoint.npz") as stored:
        assert int(stored["step"]) == 2
    resumed_rows: list[dict[str, float]] = []
    resumed = fit(tiny_preset, tmp_path / "b", log=resumed_rows.append)
    assert same(unbroken, resumed)
    assert resumed_rows[-1]["loss"] == rows[-1]["loss"]
    assert not list((tmp_path / "b").glob("*.part*"))
    lines = (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 4]
    config = json.loads((tmp_path / "a" / "config.json").read_text())
    assert config["networks"]["name"] == "tiny"
    # A run that is done is not begun again.
    again = fit(tiny_preset, tmp_path / "a", log=rows.append)
    assert same(again, unbroken)
    assert len(rows) == 2


def test_a_run_goes_on_with_its_own_settings_alone(
    tiny_preset: Preset, tmp_path: Path
) -> None:
    preset = dataclasses.replace(tiny_preset, n_steps=1)
    fit(preset, tmp_path, log=lambda row: None)
    longer = dataclasses.replace(preset, n_steps=2)
    fit(longer, tmp_path, log=lambda row: None)
    with pytest.raises(ConfigError, match="another seed"):
        fit(dataclasses.replace(longer, seed=99), tmp_path, log=lambda row: None)
    assert json.loads((tmp_path / "config.json").read_text())["seed"] != 99


def test_settings_that_came_later_are_what_they_are_by_default(
    tiny_preset: Preset, tmp_path: Path
) -> None:
    path = tmp_path / "config.json"
    keep_settings(path, tiny_preset)
    stored = json.loads(path.read_text())
    del stored["networks"]["head"], stored["seed"]
    path.write_text(json.dumps(stored))
    keep_settings(path, tiny_preset)
    assert json.loads(path.read_text())["networks"]["head"] == []
    path.write_text(json.dumps(stored))
    head = (Conv(filters=4, kernel=3),)
    networks = dataclasses.replace(tiny_preset.networks, head=head)
    changes = dataclasses.replace(tiny_preset, networks=networks)
    with pytest.raises(ConfigError, match="another networks than"):
        keep_settings(path, changes)
    with pytest.raises(ConfigError, match="another seed than"):
        keep_settings(path, dataclasses.replace(tiny_preset, seed=1))
    assert json.loads(path.read_text()) == stored


def test_a_row_is_the_mean_of_its_steps(
    tiny_preset: Preset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = iter([{"prdn": 1.0}, {"prdn": 2.0, "late": 7.0}, {"prdn": 6.0}, {}])
    monkeypatch.setattr("training.trainer._figures", lambda model: next(figures))
    monkeypatch.setattr("training.trainer.save_checkpoint", lambda *words: None)
    rows: list[dict[str, float]] = []
    model = keras.Sequential()
    run_steps(model, tmp_path, lambda step: [float(step)], n_steps=4, log=rows.append)
    shown = [{k: v for k, v in row.items() if k != "seconds"} for row in rows]
    first = {"step": 3, "n_new": 3, "loss": 1.0, "prdn": 3.0, "late": 7.0}
    assert shown == [first, {"step": 4, "n_new": 4, "loss": 3.0}]


def test_a_checkpoint_holds_everything(
    tiny_preset: Preset, batch: np.ndarray, tmp_path: Path
) -> None:
    model = build_model(tiny_preset)
    model.train_on_batch(batch)
    save_checkpoint(tmp_path / "c.npz", model, 17)
    other = build_model(dataclasses.replace(tiny_preset, seed=1))
    assert not same(model, other)
    assert load_checkpoint(tmp_path / "c.npz", other) == 17
    assert same(model, other)
    # Noise and optimiser as well: the next step is the same step.
    losses = [float(np.ravel(m.train_on_batch(batch))[0]) for m in (model, other)]
    assert losses[0] == losses[1]
    assert same(model, other)


def test_the_seed_decides_the_weights(tiny_preset: Preset) -> None:
    first, again = build_model(tiny_preset), build_model(tiny_preset)
    assert same(first, again)
    assert not same(first, build_model(dataclasses.replace(tiny_preset, seed=2)))
