# SPDX-License-Identifier: Apache-2.0
"""The autoencoder of 2018 as a coder, with its shipped weights."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep import Recording
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.metrics import prdn
from dynamic_deep.subjects import subjects_of
from dynamic_deep.trials import Subject
from experiments.coders.cae import (
    STORAGES,
    CaeWeights,
    ClassicCae,
    load_cae_coders,
    load_latent,
    store_latent,
)
from experiments.weights_folder import WEIGHTS


@pytest.fixture(scope="module")
def subject(recording: Recording) -> Subject:
    return next(subjects_of(recording, record="simulated", label="N"))


def shipped() -> list[str]:
    return sorted(path.stem for path in WEIGHTS.glob("cae*.npz"))


@pytest.mark.parametrize(
    ("storage", "element_bytes"), [("float32", 4), ("int8", 1)], ids=STORAGES
)
def test_a_window_costs_its_latents_and_spans(
    subject: Subject, storage: str, element_bytes: int
) -> None:
    coder = ClassicCae(32, "mitdb", storage=storage)
    sent = coder.send(subject)
    # 8960 samples are 4.48 segments of 62 elements and two int16.
    assert sent.n_bytes == pytest.approx(4.48 * (62 * element_bytes + 4))
    assert sent.x_hat.shape == subject.x.shape
    assert sent.x_hat.dtype == np.int32
    assert coder.element_gain == pytest.approx(2000 / 62)


def test_the_window_is_decoded_from_the_stored_bytes(subject: Subject) -> None:
    coder = ClassicCae(32, "mitdb", storage="int8")
    payloads = coder.encode(subject.x)
    assert [len(payload) for payload in payloads] == [66] * 5
    n_samples = len(subject.x)
    x_hat = coder.decode(payloads, n_samples, adc_bits=16)
    assert np.array_equal(x_hat, coder.send(subject).x_hat)
    payloads[1] = payloads[1][:4] + bytes(62)
    changed = coder.decode(payloads, n_samples, adc_bits=16) != x_hat
    assert changed[2000:4000].any()
    assert not np.delete(changed, slice(2000, 4000)).any()


def test_what_comes_back_is_nearer_than_the_mean(subject: Subject) -> None:
    coder = ClassicCae(32, "mitdb", storage="float32")
    assert prdn(subject.x, coder.send(subject).x_hat) < 100.0


def test_a_flat_segment_comes_back_whole(subject: Subject) -> None:
    coder = ClassicCae(32, "mitdb", storage="float32")
    x = np.full_like(subject.x, -90)
    flat = dataclasses.replace(subject, x=x)
    assert np.array_equal(coder.send(flat).x_hat, x)


def test_what_comes_back_fits_the_converter(subject: Subject) -> None:
    coder = ClassicCae(32, "mitdb", storage="float32")
    x = np.where(np.arange(len(subject.x)) % 300 < 150, -1024, 1023).astype(np.int32)
    x_hat = coder.decode(coder.encode(x), len(x), adc_bits=11)
    assert x_hat.min() >= -1024
    assert x_hat.max() <= 1023


def test_wide_samples_are_refused(subject: Subject) -> None:
    place = dataclasses.replace(subject.place, adc_bits=24)
    wide = dataclasses.replace(subject, place=place)
    with pytest.raises(ConfigError, match="at most 16 bits, got 24"):
        ClassicCae(32, "mitdb", storage="int8").send(wide)


def test_float32_is_exact_and_int8_within_half_a_step(
    rng: np.random.Generator,
) -> None:
    latent = rng.uniform(0.0, 6.0, 62).astype(np.float32)
    assert np.array_equal(
        load_latent(store_latent(latent, "float32", 5.1), "float32", 5.1), latent
    )
    stored = store_latent(latent, "int8", 5.1)
    assert len(stored) == 62
    error = load_latent(stored, "int8", 5.1) - np.minimum(latent, 5.1)
    assert np.abs(error).max() <= 0.5 * 5.1 / 255 + 1e-6


def test_another_storage_is_refused() -> None:
    with pytest.raises(ConfigError, match="float32, int8, got 'int4'"):
        store_latent(np.zeros(62, np.float32), "int4", 1.0)


def test_missing_weights_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="train cae --level 32 --data mitdb"):
        load_cae_coders(tmp_path)


@pytest.mark.parametrize("n_bytes", [0, 40, 100_000])
def test_damaged_weights_are_refused(n_bytes: int) -> None:
    content = (WEIGHTS / "cae32_mitdb.npz").read_bytes()[:n_bytes]
    with pytest.raises(ModelError, match="must hold an autoencoder"):
        CaeWeights(content, "cae32_mitdb.npz")


@pytest.mark.parametrize("stem", shipped())
def test_shipped_weights_are_those_described(stem: str) -> None:
    content = (WEIGHTS / f"{stem}.npz").read_bytes()
    about = json.loads((WEIGHTS / f"{stem}.json").read_text())
    assert about["sha256"] == hashlib.sha256(content).hexdigest()
    assert about["n_bytes"] == len(content) < 2_500_000
    assert about["prdn_lost"] < 0.1
    assert stem == f"cae{about['level']}_{about['data']}"
