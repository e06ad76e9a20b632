# SPDX-License-Identifier: Apache-2.0
"""`training.export` and `training.lite`: the bundle is the trained model."""

from __future__ import annotations

import functools

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.bundle import Bundle, load_bundle
from dynamic_deep.codec import Codec
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.engine import Network
from dynamic_deep.entropy import TABLE_TOTAL
from dynamic_deep.latent import N_TABLES, LatentCoder
from dynamic_deep.quantizer import quantize
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.window_codec import WindowCodec
from tests.signals import COSINE
from training.datasets import normalize
from training.export import FIRST_NEURAL_ID, export_bundle, write_codec
from training.latent_tables import (
    LIMIT,
    context_weights,
    decode_latents,
    encode_windows,
    fit_tables,
    logistic_columns,
    prior_tables,
)
from training.lite import convert, folded_tail
from training.model import CodecModel
from training.presets import PRESETS, Preset
from training.thresholds import THRESHOLDS
from training.trainer import save_checkpoint


@pytest.fixture(scope="module")
def exported(
    tiny_model: CodecModel,
    tiny_preset: Preset,
    batch: np.ndarray,
    tmp_path_factory: pytest.TempPathFactory,
) -> Bundle:
    """The bundle of an untrained run, made without any record."""
    return export_tiny(tiny_model, tiny_preset, batch, tmp_path_factory, least=0.0)


def export_tiny(
    tiny_model: CodecModel,
    tiny_preset: Preset,
    batch: np.ndarray,
    folders: pytest.TempPathFactory,
    *,
    least: float,
) -> Bundle:
    """Export levels that have at least that advantage over the wavelet."""
    run = folders.mktemp("run")
    save_checkpoint(run / "checkpoint.npz", tiny_model, 3)
    classical = load_bundle(COSINE).tables
    shared = {k: v for k, v in classical.items() if not k.startswith("gain_")}
    patch = pytest.MonkeyPatch()
    windows = [normalize(x) for x in batch[..., 0]]
    patch.setattr("training.export.classical_tables", lambda: (windows, shared))
    patch.setattr("training.export.validation_windows", lambda: batch[:2])
    write = functools.partial(write_codec, min_advantage=least)
    patch.setattr("training.export.write_codec", write)
    try:
        trained = export_bundle(tiny_preset, run, run / "bundle")
    finally:
        patch.undo()
    assert trained["n_steps"] == 3
    return load_bundle(run / "bundle")


def test_the_bundle_names_its_levels(exported: Bundle) -> None:
    neural = [level for level in exported.levels if level.kind == "neural"]
    assert [(v.id, v.name, v.nominal_gain) for v in neural] == [
        (16, "gain_32", 32.0),
        (17, "gain_128", 128.0),
    ]
    assert exported.name == "tiny"
    assert exported.latents["gain_128"].level_idx == 1
    assert exported.latents["gain_128"].n_channels == 4
    assert {shape.threshold for shape in exported.latents.values()} <= set(THRESHOLDS)
    figures = exported.config["trained"]["validation"]
    assert set(figures) == {"gain_32", "gain_128"}


def test_a_level_below_the_wavelet_is_left_out(
    tiny_model: CodecModel,
    tiny_preset: Preset,
    batch: np.ndarray,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    bundle = export_tiny(tiny_model, tiny_preset, batch, tmp_path_factory, least=99.0)
    assert not [level for level in bundle.levels if level.kind == "neural"]
    assert not [name for name in bundle.tables if name.startswith("gain_")]
    assert set(bundle.networks) == {"encoder", "body"}
    assert {"gain_32", "gain_128"} == set(bundle.config["trained"]["validation"])


def test_its_tables_are_valid(exported: Bundle, tiny_model: CodecModel) -> None:
    for name, rate in zip(("gain_32", "gain_128"), tiny_model.rates, strict=True):
        counts = exported.tables[f"{name}/counts"]
        assert counts.shape == (N_TABLES, 2 * LIMIT + 2)
        assert counts.min() >= 1
        assert (counts.sum(axis=1) == TABLE_TOTAL).all()
        coder = exported.latent_coder(name)
        assert coder.context.n_groups == rate.n_groups
        assert coder.context.bias.dtype == np.int16
        expected = context_weights(rate)
        assert (coder.context.earlier == expected.earlier).all()
        # What no symbol may look at has no weight.
        assert not coder.context.earlier[:, rate.earlier_mask[0] == 0].any()


def test_the_encoder_is_kerass_in_the_order_of_levels(
    exported: Bundle, tiny_model: CodecModel, batch: np.ndarray
) -> None:
    outputs = Network(exported.networks["encoder"], "encoder").run(
        batch.reshape(-1, SEGMENT_LEN, 1)
    )
    latents = encode_windows(tiny_model, batch)
    assert [y.shape for y in outputs] == [(16, 35, 7), (16, 35, 4)]
    for output, y in zip(outputs, latents, strict=True):
        assert np.abs(y).max() > 0.1
        assert np.abs(output.reshape(y.shape) - y).max() < 1e-4


def test_the_decoder_is_kerass(
    exported: Bundle, tiny_model: CodecModel, batch: np.ndarray
) -> None:
    windows = WindowCodec(exported)
    latents = encode_windows(tiny_model, batch)
    for i, name in enumerate(("gain_32", "gain_128")):
        y_hat = quantize(latents[i][:1], 0.5)
        expected = decode_latents(tiny_model, y_hat, i)[0]
        got = windows.synthesize(y_hat[0], exported.level(name), 4)
        assert expected.std() > 1e-3
        assert np.abs(got - expected).max() < 1e-4


def test_a_recording_goes_through_the_bundle(exported: Bundle) -> None:
    codec = Codec(exported)
    recording = simulate_ecg(65.0, fs=360.0, n_leads=2, seed=2)
    for level in ("gain_32", "gain_128"):
        decoded = codec.decode(codec.encode(recording, level=level))
        assert decoded.samples.shape == recording.samples.shape
        assert np.isfinite(decoded.samples).all()


def test_more_than_ten_outputs_stay_in_order() -> None:
    # As text, output 10 would come before output 2.
    content = convert(
        lambda x: tuple(x + float(i) for i in range(1, 13)), [((None, 3), "float32")]
    )
    outputs = Network(content, "twelve").run(np.zeros((2, 3), np.float32))
    assert [float(y[0, 0]) for y in outputs] == list(range(1, 13))


def test_a_folded_tail_is_the_tail(tiny_model: CodecModel) -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(0, 1, (3, 70, 8)).astype(np.float32)
    for tail in tiny_model.tails:
        step = tail.layers[-1]
        kept = keras.ops.convert_to_numpy(step.log_gain)
        step.log_gain.assign(rng.normal(0, 1, step.log_gain.shape))
        folded = folded_tail(tail)
        assert len(folded.layers) == 2
        difference = folded(features) - tail(features)
        assert np.abs(difference).max() < 1e-4
        step.log_gain.assign(kept)


def test_context_weights_are_whole_and_bounded(tiny_model: CodecModel) -> None:
    rate = tiny_model.rates[0]
    kept = keras.ops.convert_to_numpy(rate.bias)
    rate.bias.assign(np.array([0.5, -0.25, 1e6, -1e6, 0.0, 0.007, 0.009], np.float32))
    bias = context_weights(rate).bias.tolist()
    rate.bias.assign(kept)
    assert bias == [32, -16, 2**14, -(2**14), 0, 0, 1]


@pytest.mark.parametrize("log_scale", [-3.0, 0.0, 3.9])
def test_the_prior_is_a_distribution(log_scale: float) -> None:
    columns = logistic_columns(log_scale)
    assert columns.shape == (2 * LIMIT + 2,)
    assert columns.sum() == pytest.approx(1.0)
    assert (np.diff(columns[: LIMIT + 1]) >= 0).all()
    assert columns[0] == pytest.approx(columns[2 * LIMIT])


def test_priors_widen_from_table_to_table() -> None:
    prior = prior_tables()
    assert prior.shape == (N_TABLES, 2 * LIMIT + 2)
    zeros = prior[:, LIMIT]
    assert (np.diff(zeros) <= 0).all()
    assert zeros[0] > 0.999
    assert zeros[-1] < 0.01
    assert (np.diff(prior[:, -1]) >= 0).all()  # the share of escapes


def test_fitted_tables_know_the_symbols_they_saw(tiny_model: CodecModel) -> None:
    context = context_weights(tiny_model.rates[1])
    silent = np.zeros((60, 140, 4), np.int32)
    counts = fit_tables(context, silent)
    coder = LatentCoder(context, counts)
    fresh = LatentCoder(context, fit_tables(context, silent[:0]))
    assert coder.n_bits(silent[0]) < 0.1 * fresh.n_bits(silent[0])


def test_every_preset_fits_the_numbers_of_a_frame() -> None:
    for preset in PRESETS.values():
        names = [latent.name for latent in preset.networks.latents]
        assert len(set(names)) == len(names)
        assert FIRST_NEURAL_ID + len(names) <= 32
