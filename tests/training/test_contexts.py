# SPDX-License-Identifier: Apache-2.0
"""Context networks: what training believes is what the codec charges, and it pays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.bundle import load_bundle
from dynamic_deep.bundle_tables import read_net_coder
from dynamic_deep.codec import Codec
from dynamic_deep.entropy import RangeDecoder, RangeEncoder, normalize_counts
from dynamic_deep.errors import ModelError
from dynamic_deep.heads import Heads
from dynamic_deep.latent import N_TABLES, ContextWeights, LatentCoder
from dynamic_deep.latent_context import N_SIGNS, UNIT
from dynamic_deep.latent_net import NetCoder
from dynamic_deep.recording import Recording
from dynamic_deep.subjects import subjects_of
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.window_codec import WindowCodec
from tests.context_nets import make_net
from tests.made_heads import make_heads
from tests.signals import AWARE, COSINE
from training.context_fit import (
    ContextPreset,
    fit_context,
    net_tables,
    preset_of,
)
from training.context_model import ContextModel, magnitude_priors, sign_priors
from training.contexts import fit_contexts
from training.datasets import Lead
from training.latent_tables import LIMIT, fit_tables

BOUNDS = (0, 2, 4, 6)
LEVELS = ("gain_32", "gain_64")  # of the test's bundle that are fitted


def make_latents(n_windows: int, *, seed: int = 3) -> np.ndarray:
    """Beats at random steps, each the same pattern over channels, upside down or not.

    What linear contexts of magnitudes can't know: the sign, and what comes 3 steps on.
    """
    rng = np.random.default_rng(seed)
    y = np.zeros((n_windows, 60, 6), np.int32)
    beat = np.array([[2, -1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]])
    beat = np.concatenate([beat, [[0, 0, -3, 1, 0, -1]]])
    for window in y:
        for start in rng.integers(0, 56, size=5):
            window[start : start + 4] = beat * rng.choice([-1, 1])
    noise = rng.random(y.shape) < 0.01
    return np.where(noise, rng.integers(-2, 3, y.shape), y).astype(np.int32)


def coder_of(model: ContextModel, latents: np.ndarray) -> NetCoder:
    tables = net_tables(model, latents)
    return read_net_coder(tables.__getitem__)


def bytes_of(coder: NetCoder | LatentCoder, latents: np.ndarray) -> float:
    return float(np.mean([coder.n_bits(y) for y in latents])) / 8.0


def test_priors_are_tables() -> None:
    for rows, shape in (
        (magnitude_priors(LIMIT), (N_TABLES, LIMIT + 2)),
        (magnitude_priors(127), (N_TABLES, 129)),
        (magnitude_priors(5), (N_TABLES, 7)),
        (sign_priors(), (N_SIGNS, 2)),
    ):
        assert rows.shape == shape
        assert rows.min() > 0
        assert rows.sum(axis=1) == pytest.approx(np.ones(len(rows)))
    # From as good as always 0 to wide; from minus to plus.
    assert (np.diff(magnitude_priors(LIMIT)[:, 0]) < 1e-9).all()
    assert (np.diff(sign_priors()[:, 1]) > 0).all()


def test_training_believes_what_the_codec_charges() -> None:
    y = make_latents(4)
    model = ContextModel(y, n_taps=5, n_hidden=6, bounds=BOUNDS, n_sizes=3, cap=6)
    net = make_net(6, 3, n_taps=5, n_hidden=6, n_sizes=3)
    model.near.assign(net.near.astype(np.float32) / UNIT)
    model.first.assign(net.first.astype(np.float32) / UNIT)
    model.out.assign(net.out.astype(np.float32) / UNIT)
    model.out_bias.assign(net.out_bias.astype(np.float32) / UNIT**2)
    whole = model.whole()
    for name in vars(net):
        assert (getattr(whole, name) == getattr(net, name)).all(), name
    believed = keras.ops.convert_to_numpy(model(y.astype(np.float32)))
    coder = NetCoder(
        net, normalize_counts(magnitude_priors(LIMIT)), normalize_counts(sign_priors())
    )
    charged = np.array([coder.n_bits(window) for window in y])
    # Training lies between two tables, the codec in one.
    assert np.abs(believed / charged - 1.0).max() < 0.1
    # In the middle of a table they agree.
    rows = np.array([[[19, 6], [24, -7]], [[21, 0], [20, 5]]])[:, [0, 1, 1, 0, 1, 0]]
    model.out.assign(np.zeros(model.out.shape))
    model.out_bias.assign(rows + 0.5)
    coder = NetCoder(model.whole(), coder.magnitudes.counts, coder.signs.counts)
    believed = keras.ops.convert_to_numpy(model(y.astype(np.float32)))
    charged = np.array([coder.n_bits(window) for window in y])
    assert believed == pytest.approx(charged, rel=0.005)


@pytest.mark.parametrize("limit", [3, 5, 6, 15, 127])
def test_tables_reach_to_the_limit_whatever_the_cap(limit: int) -> None:
    y = 2 * make_latents(6)
    sizes = {"n_taps": 3, "n_hidden": 4, "n_sizes": 2, "cap": 6}
    model = ContextModel(y, bounds=BOUNDS, **sizes)
    tables = net_tables(model, y, limit=limit)
    assert tables["magnitudes"].shape == (N_TABLES, limit + 2)
    coder = read_net_coder(tables.__getitem__)
    encoder = RangeEncoder()
    coder.encode(encoder, y[0])
    decoded = coder.decode(RangeDecoder(encoder.finish()), len(y[0]))
    assert (decoded == y[0]).all()


def test_no_symbol_costs_by_what_comes_after_it() -> None:
    y = make_latents(1).astype(np.float32)
    model = ContextModel(
        y.astype(int), n_taps=5, n_hidden=6, bounds=BOUNDS, n_sizes=2, cap=6
    )
    model.out.assign(np.random.default_rng(0).normal(size=model.out.shape))
    coder = coder_of(model, y.astype(np.int32))
    assert coder.n_bits(y[0].astype(np.int32)) > 0
    tables, _ = coder.indices(y[0].astype(np.int32))
    later = y[0].astype(np.int32).copy()
    later[:, 4:] += 1  # the last group
    changed, _ = coder.indices(later)
    assert (changed[:, :4] == tables[:, :4]).all()
    assert (changed[1::2, 4:] != tables[1::2, 4:]).any()


def test_a_network_learns_what_linear_contexts_cannot() -> None:
    latents, held_out = make_latents(300), make_latents(60, seed=4)
    preset = ContextPreset(n_hidden=8, n_groups=3, n_steps=250, batch_size=16)
    lines: list[str] = []
    model = fit_context(latents, BOUNDS, preset, log=lines.append)
    coder = coder_of(model, latents)
    believed = keras.ops.convert_to_numpy(model(held_out.astype(np.float32)))
    charged = bytes_of(coder, held_out)
    # The tables are counted anew, and can only be better than the trained ones.
    assert charged < 1.02 * float(believed.mean()) / 8.0
    shape = (3, 6, 6)
    context = ContextWeights(
        earlier=np.zeros(shape, np.int16),
        same=np.zeros(shape, np.int16),
        bias=np.linspace(-60, 0, 6).astype(np.int16),
        n_groups=3,
    )
    linear = LatentCoder(context, fit_tables(context, latents))
    assert charged < 0.8 * bytes_of(linear, held_out)


def fit_only(monkeypatch: pytest.MonkeyPatch, levels: tuple[str, ...], n: int) -> None:
    """Fit some levels alone, with n steps: more take long, those of wavelets most."""
    preset = ContextPreset(n_taps=5, n_hidden=8, n_groups=3, n_steps=n, batch_size=4)
    monkeypatch.setattr("training.contexts.preset_of", lambda name, kind: preset)
    monkeypatch.setattr(
        "training.contexts.lossy_levels",
        lambda bundle: [level for level in bundle.levels if level.name in levels],
    )


@pytest.fixture
def small_data(monkeypatch: pytest.MonkeyPatch) -> Recording:
    """Every split is one simulated record of five windows."""
    recording = simulate_ecg(152.0, fs=300.0, n_leads=1, seed=5)
    lead = Lead(record="s5", lead=0, x=recording.samples[:, 0].astype(np.float32))
    monkeypatch.setattr("training.contexts.load_leads", lambda data_set, split: [lead])
    monkeypatch.setattr(
        "training.context_symbols.load_leads", lambda data_set, split: [lead]
    )
    fit_only(monkeypatch, LEVELS, 100)
    return recording


def test_a_kind_of_level_without_preset_stays_as_it_is(
    tmp_path: Path, small_data: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit_only(monkeypatch, ("wavelet_48", "gain_64"), 2)
    known = {"neural": ContextPreset(n_hidden=4, n_steps=2, batch_size=2, n_groups=3)}
    monkeypatch.setattr(
        "training.contexts.preset_of", lambda name, kind: known.get(kind)
    )
    reached = fit_contexts(COSINE, tmp_path / "run", tmp_path / "net", log=print)
    assert set(reached) == {"gain_64"}
    bundle = load_bundle(tmp_path / "net")
    assert [v.name for v in bundle.levels if bundle.has_context_net(v.name)] == [
        "gain_64"
    ]
    assert preset_of("edge", "wavelet") is None
    assert preset_of("standard", "wavelet") is not None


def test_a_bundle_with_networks_decodes_the_same_from_fewer_bytes(
    tmp_path: Path, small_data: Recording
) -> None:
    out, run = tmp_path / "net", tmp_path / "run"
    reached = fit_contexts(COSINE, run, out, log=lambda line: None)
    assert set(reached) == set(LEVELS)
    assert all(after < before for before, after in reached.values())
    old, new = Codec.load(COSINE), Codec.load(out)
    for level in reached:
        before, after = (c.encode(small_data, level=level) for c in (old, new))
        assert len(after) < len(before)
        assert (new.decode(after).samples == old.decode(before).samples).all()
    config = json.loads((out / "config.json").read_text())
    assert config["version"] == 2
    assert config["trained"]["contexts"]["neural"]["n_hidden"] == 8
    bundle = load_bundle(out)
    nets = {v.name for v in bundle.levels if bundle.has_context_net(v.name)}
    assert nets == set(LEVELS)
    kept = load_bundle(COSINE).context_weights("gain_64")
    assert (bundle.context_weights("gain_64").earlier == kept.earlier).all()
    # Resumed, nothing is fitted again; the folder may be its own source.
    again = fit_contexts(out, run, out, log=lambda line: None)
    assert load_bundle(out).model_id == bundle.model_id
    assert again["gain_64"][0] == again["gain_64"][1]


def test_heads_foretell_the_same_and_what_is_of_the_old_model_is_left_out(
    tmp_path: Path, small_data: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit_only(monkeypatch, ("wavelet_12",), 2)
    subjects = list(subjects_of(small_data, record="s5"))
    monkeypatch.setattr("training.contexts._rated", lambda: iter(subjects))
    source, out = tmp_path / "source", tmp_path / "net"
    shutil.copytree(AWARE, source)
    with pytest.raises(ModelError, match="heads must have one hidden layer"):
        fit_contexts(source, tmp_path / "run", out, log=lambda line: None)
    (source / "heads.tflite").write_bytes(make_heads(5))
    (source / "calibration_own.npz").write_bytes(b"of the old model")
    (source / "encoder_int8.tflite").write_bytes(b"of the old model")
    lines: list[str] = []
    fit_contexts(source, tmp_path / "run", out, log=lines.append)
    assert lines[-1].startswith("heads: former rates from new ones to ")
    names = {path.name for path in out.iterdir()}
    assert names == {path.name for path in AWARE.iterdir()}
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
    old, new = load_bundle(source), load_bundle(out)
    assert new.wavelet_coder("wavelet_12").net is not None
    codecs = [(WindowCodec(bundle), Heads(bundle)) for bundle in (old, new)]
    for subject in subjects:
        windows = [codec.analyze(subject.x, subject.place) for codec, _ in codecs]
        before, after = (
            heads.forecast(window)
            for window, (_, heads) in zip(windows, codecs, strict=True)
        )
        level = old.level("wavelet_12")
        payloads = [window.payload(level) for window in windows]
        assert payloads[0] != payloads[1]
        assert after.center == pytest.approx(before.center, abs=0.02)
        place = subject.place
        decoded = [
            codec.decode(payload, level, place)
            for payload, (codec, _) in zip(payloads, codecs, strict=True)
        ]
        assert (decoded[0] == decoded[1]).all()
