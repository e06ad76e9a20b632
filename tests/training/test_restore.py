# SPDX-License-Identifier: Apache-2.0
"""`training.restore` and `training.kept`: a bundle is trained on as what it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.bundle import Bundle, load_bundle
from dynamic_deep.codec import Codec
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.engine import Network
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.networks import LatentConfig
from dynamic_deep.synthetic import simulate_ecg
from tests.signals import COSINE
from training.datasets import normalize
from training.export import write_codec
from training.kept import kept_levels
from training.latent_tables import decode_latents, encode_windows
from training.lite_read import read_graph
from training.model import CodecModel
from training.presets import Preset
from training.restore import networks_of, restore_codec
from training.restore_task import restore_task, settle_norms
from training.task_aware_presets import TaskAwarePreset
from training.trainer import build_model

Export = Callable[..., Bundle]
numpy = keras.ops.convert_to_numpy
CLOSE = 1e-4


@pytest.fixture
def export(
    monkeypatch: pytest.MonkeyPatch,
    tiny_preset: Preset,
    batch: np.ndarray,
    tmp_path: Path,
) -> Export:
    """Write a bundle, made without any record, of a preset called tiny."""
    tables = load_bundle(COSINE).tables
    shared = {k: v for k, v in tables.items() if not k.startswith("gain_")}
    windows = [normalize(x) for x in batch[..., 0]]
    monkeypatch.setattr("training.export.classical_tables", lambda: (windows, shared))
    monkeypatch.setattr("training.export.validation_windows", lambda: batch[:2])
    monkeypatch.setattr("training.restore.find_preset", lambda name: tiny_preset)

    def write(model: CodecModel, name: str = "bundle", **options: object) -> Bundle:
        options = {"trained": {"preset": "tiny"}, "min_advantage": 0.0, **options}
        write_codec(model, tmp_path / name, **options)  # type: ignore[arg-type]
        return load_bundle(tmp_path / name)

    return write


@pytest.fixture
def model(tiny_preset: Preset) -> CodecModel:
    """A codec of which no two weights are equal, as after training.

    Of equal ones the converter keeps one.
    """
    model = build_model(dataclasses.replace(tiny_preset, seed=7))
    rng = np.random.default_rng(7)
    for variable in model.trainable_variables:
        variable.assign_add(rng.normal(0.0, 0.05, variable.shape))
    return model


def check_same_codec(
    bundle: Bundle, codec: CodecModel, windows: np.ndarray, body_name: str = "body"
) -> None:
    """Check that a restored codec encodes and decodes as LiteRT does."""
    encoder = Network(bundle.networks["encoder"], "encoder")
    latents = encode_windows(codec, windows)
    outputs = [encoder.run(x.reshape(-1, SEGMENT_LEN, 1)) for x in windows]
    for i, latent in enumerate(codec.config.latents):
        shape = bundle.latents[latent.name]
        y = np.stack([o[shape.level_idx].reshape(latents[i][0].shape) for o in outputs])
        assert np.abs(y - latents[i]).max() < CLOSE
        y_hat = np.rint(y).astype(np.int32)
        x_hat = decode_latents(codec, y_hat, i)
        entry = Network(bundle.networks[f"entry_{latent.name}"], "entry")
        body = Network(bundle.networks[body_name], "body")
        for one, expected in zip(y_hat, x_hat, strict=True):
            (features,) = entry.run(one[None].astype(np.float32))
            (found,) = body.run(features, np.full(1, shape.level_idx, np.int32))
            assert np.abs(found.ravel() - expected).max() < CLOSE


def test_a_bound_chooses_among_levels_that_there_are(
    export: Export, model: CodecModel
) -> None:
    channels = ["rhythm:raw"]
    bundle = export(model, head_channels=channels, bound_levels=("gain_32",))
    levels = bundle.config["heads"]["levels"]
    assert [name for name in levels if name in bundle.latents] == ["gain_32"]
    with pytest.raises(ConfigError, match=r"among .*gain_128; got gain_99"):
        export(model, head_channels=channels, bound_levels=("gain_99", "gain_32"))


def test_a_codec_is_restored(
    export: Export, model: CodecModel, batch: np.ndarray
) -> None:
    bundle = export(model)
    restored = restore_codec(bundle)
    check_same_codec(bundle, restored, batch)
    assert restored.config == model.config
    for rate, trained in zip(restored.rates, model.rates, strict=True):
        masks = (rate.earlier_mask, rate.same_mask, 1.0)
        for part, weights, mask in zip(
            rate.get_weights(), trained.get_weights(), masks, strict=True
        ):
            assert np.abs(part - weights * mask).max() <= 0.5 / 64 + 1e-6


@pytest.mark.parametrize(
    ("name", "body"), [("edge", "body"), ("edge", "body_tasks"), ("monitor", "body")]
)
def test_a_shipped_codec_is_restored(name: str, body: str) -> None:
    x = simulate_ecg(60.0, seed=3).samples[:, 0].astype(np.float32)
    windows = np.stack([normalize(part)[:, None] for part in (x[:8960], x[9000:17960])])
    bundle = load_bundle(name)
    check_same_codec(bundle, restore_codec(bundle, body=body), windows, body)


@pytest.mark.parametrize("task", ["rhythm", "rpeaks"])
def test_a_task_is_restored_and_can_be_trained_on(task: str, batch: np.ndarray) -> None:
    bundle = load_bundle("monitor")
    network = Network(bundle.networks[f"task_{task}"], task)
    expected = np.concatenate([network.run(x[None])[0] for x in batch])
    restored = restore_task(bundle, task)
    assert np.abs(numpy(restored(batch, training=False)) - expected).max() < CLOSE
    settle_norms(restored, batch)
    assert np.abs(numpy(restored(batch, training=False)) - expected).max() < CLOSE
    # In training each batch is its own measure; without settled ones all would change.
    norms = [
        v for v in restored.layers if isinstance(v, keras.layers.BatchNormalization)
    ]
    before = keras.Model(restored.input, norms[0].input)
    seen = numpy(before(batch))
    assert numpy(norms[0].moving_mean) == pytest.approx(seen.mean((0, 1)), abs=1e-4)


def test_levels_are_added_beside_kept_ones(
    export: Export,
    model: CodecModel,
    tiny_preset: Preset,
    batch: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = export(model, "base")
    kept = kept_levels(base, ("gain_128",))
    latent = LatentConfig(nominal_gain=96, n_channels=3, n_groups=2, for_tasks=True)
    networks = dataclasses.replace(tiny_preset.networks, latents=(latent,))
    added = CodecModel(networks, seed=3)
    added(np.zeros((1, 8960, 1), np.float32))
    rng = np.random.default_rng(3)
    for variable in added.trainable_variables:
        variable.assign_add(rng.normal(0.0, 0.05, variable.shape))
    added.trunk.set_weights(kept.codec.trunk.get_weights())
    aware = TaskAwarePreset(
        phase_1="tiny", networks=networks, kept=("gain_128",), n_steps=1, tasks={}
    )
    monkeypatch.setattr("training.restore.find_task_aware_preset", lambda name: aware)
    trained = {"preset": "tiny", "tasks": {}}
    bundle = export(added, kept=kept, trained=trained)
    neural = [(v.id, v.name) for v in bundle.levels if v.kind == "neural"]
    assert neural == [(16, "gain_128"), (17, "task_96")]
    assert bundle.latents["task_96"].body == "body_tasks"
    assert set(bundle.config["trained"]["validation"]) == {"gain_128", "task_96"}
    # What stays decodes as before; what is new by its own body.
    recording = simulate_ecg(61.0, seed=5)
    first, second = (
        Codec(b).decode(Codec(b).encode(recording, level="gain_128"))
        for b in (base, bundle)
    )
    assert np.abs(first.samples - second.samples).max() <= 1
    shape = bundle.latents["task_96"]
    entry = Network(bundle.networks["entry_task_96"], "entry")
    body = Network(bundle.networks["body_tasks"], "body")
    y_hat = np.ones((1, 140, 3), np.int32)
    (x_hat,) = body.run(
        entry.run(y_hat.astype(np.float32))[0], np.full(1, shape.level_idx, np.int32)
    )
    expected = decode_latents(added, y_hat, 0)
    assert np.abs(x_hat[..., 0] - expected).max() < CLOSE
    # The levels of the first body can be kept again.
    assert [v.name for v in networks_of(bundle).latents] == ["gain_128"]
    check_same_codec(bundle, restore_codec(bundle), batch[:1])


def test_what_cannot_be_trained_on_is_refused(
    export: Export, model: CodecModel
) -> None:
    with pytest.raises(ConfigError, match="classical is not"):
        restore_codec(load_bundle("classical"))
    with pytest.raises(ConfigError, match="got gain_32, gain_64"):
        kept_levels(export(model), ("gain_32", "gain_64"))
    with pytest.raises(ConfigError, match="hold the task rhythm"):
        restore_task(load_bundle("standard"), "rhythm")
    aware = load_bundle(COSINE.with_name("aware"))
    with pytest.raises(ModelError, match="18 convolutions to be trained on"):
        restore_task(aware, "rhythm")
    with pytest.raises(ModelError, match=r"must be a \.tflite file"):
        read_graph(b"no network")
    damaged = load_bundle("edge").networks["body"][:4000]
    with pytest.raises(ModelError, match="the bundle is damaged"):
        read_graph(damaged)
