# SPDX-License-Identifier: Apache-2.0
"""The paper's codec behind `Coder`: real bytes, real windows, the shipped networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.metrics import prdn
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import WindowPlace
from experiments.coders.paper import (
    PaperLevel,
    load_latent,
    load_paper_coders,
    paper_forecast,
    store_latent,
)
from experiments.networks.paper import LEVELS, N_ELEMENTS, load_networks, of_window
from experiments.networks.paper_segments import join_segments, split_segments


def subject_of(n_samples: int, fs: float = 300.0, baseline: int = 0) -> Subject:
    recording = simulate_ecg(n_samples / fs + 1.0, fs=fs, seed=5)
    x = recording.samples[:n_samples, 0].astype(np.int32)
    x = x - int(recording.adc_baseline[0]) + baseline
    place = WindowPlace(n_samples=n_samples, fs=fs, baseline=baseline, adc_bits=16)
    return Subject(record="simulated", x=x, place=place)


@pytest.fixture(scope="module")
def coders() -> dict[str, PaperLevel]:
    return {c.name: c for c in load_paper_coders() if isinstance(c, PaperLevel)}


def test_segments_come_back_to_their_own_scale() -> None:
    x = subject_of(8960).x
    segments, scales = split_segments(x)
    assert segments.shape == (5, 2000)
    assert np.abs(segments.mean(axis=-1)).max() < 0.1
    assert segments.std(axis=-1) == pytest.approx(1.0, abs=0.01)
    assert np.abs(join_segments(segments, scales, 8960) - x).max() < 0.01


def test_a_flat_segment_has_a_scale() -> None:
    segments, scales = split_segments(np.full(2000, 7))
    assert scales.tolist() == [[7.0, 1.0]]
    assert not segments.any()


@pytest.mark.parametrize(
    ("name", "segment_bytes"),
    [
        ("paper/32 float32", 63 * 4 + 4),
        ("paper/64 float32", 32 * 4 + 4),
        ("paper/32 int8", 63 + 4),
        ("paper/64 int8", 32 + 4),
    ],
)
def test_bytes_are_those_of_the_share_used(
    coders: dict[str, PaperLevel], name: str, segment_bytes: int
) -> None:
    coder, subject = coders[name], subject_of(8960)
    assert [len(v) for v in coder.encode(subject)] == [segment_bytes] * 5
    sent = coder.send(subject)
    assert sent.n_bytes == pytest.approx(segment_bytes * 8960 / 2000)
    assert coder.element_gain == 2000 / N_ELEMENTS[coder.level]


@pytest.mark.parametrize("level", LEVELS)
def test_what_comes_back_is_the_signal(
    coders: dict[str, PaperLevel], level: int
) -> None:
    subject = subject_of(10752, fs=360.0, baseline=1024)
    found = {
        storage: coders[f"paper/{level} {storage}"].send(subject).x_hat
        for storage in ("float32", "int8")
    }
    assert found["float32"].shape == (10752,)
    assert prdn(subject.x, found["float32"]) < 90.0
    assert prdn(found["float32"], found["int8"]) < 15.0


def test_the_decoder_reads_nothing_but_bytes_and_place(
    coders: dict[str, PaperLevel],
) -> None:
    coder, subject = coders["paper/32 int8"], subject_of(8960)
    other = Subject(record="", x=np.zeros(8960, np.int32), place=subject.place)
    x_hat = coder.decode(coder.encode(subject), other)
    assert np.array_equal(x_hat, coder.send(subject).x_hat)


def test_eight_bits_are_cut_off_at_the_range() -> None:
    latent = np.array([-9.0, -0.2, 0.0, 1.0, 9.0], np.float32)
    back = load_latent(store_latent(latent, "int8", (-0.2, 1.0)), "int8", (-0.2, 1.0))
    assert back == pytest.approx([-0.2, -0.2, 0.0, 1.0, 1.0], abs=1.2 / 255)


def test_an_unknown_storage_is_refused() -> None:
    latent = np.zeros(3, np.float32)
    with pytest.raises(ConfigError, match="float32, int8"):
        store_latent(latent, "int4", (0.0, 1.0))
    with pytest.raises(ConfigError, match="float32, int8"):
        load_latent(b"", "int4", (0.0, 1.0))


def test_wide_samples_are_refused(coders: dict[str, PaperLevel]) -> None:
    place = WindowPlace(n_samples=8960, fs=300.0, baseline=0, adc_bits=24)
    subject = Subject(record="wide", x=np.arange(8960, dtype=np.int32), place=place)
    with pytest.raises(ConfigError, match="16 bits"):
        coders["paper/32 int8"].send(subject)


@pytest.mark.parametrize("n_samples", [3000, 8960, 10752])
def test_heads_foretell_each_level_by_each_reference(n_samples: int) -> None:
    found = paper_forecast(subject_of(n_samples))
    assert found.keys() == {32, 64}
    for errors in found.values():
        assert errors.keys() == {"label", "raw"}
        assert min(errors.values()) >= 0.0


def test_heads_tell_windows_apart() -> None:
    noise = np.random.default_rng(3).normal(0, 300, 8960).astype(np.int32)
    place = WindowPlace(n_samples=8960, fs=300.0, baseline=0, adc_bits=16)
    loud = paper_forecast(Subject(record="noise", x=noise, place=place))
    clean = paper_forecast(subject_of(8960))
    assert loud[32]["label"] != pytest.approx(clean[32]["label"], rel=0.05)


def test_a_short_window_repeats_its_last_segment() -> None:
    latents = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert of_window(latents)[:, 0].tolist() == [0.0, 3.0, 3.0, 3.0, 3.0]


def test_the_networks_count_as_published() -> None:
    networks = load_networks()
    latents = networks.encode(np.zeros((2, 2000), np.float32))
    assert {level: y.shape for level, y in latents.items()} == {
        32: (2, 63),
        64: (2, 32),
    }


def test_missing_weights_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="train paper"):
        load_paper_coders(tmp_path)
