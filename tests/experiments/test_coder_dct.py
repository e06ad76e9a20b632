# SPDX-License-Identifier: Apache-2.0
"""The DCT coder: real bytes that decode, tables that fit, and how they are fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dynamic_deep import Recording
from dynamic_deep.entropy import TABLE_TOTAL
from dynamic_deep.errors import CorruptError, ModelError
from dynamic_deep.metrics import prdn
from dynamic_deep.subjects import subjects_of
from dynamic_deep.trials import Subject
from experiments.coders import dct
from experiments.train import dct as train_dct


@pytest.fixture(scope="module")
def coders() -> list[dct.DctCoder]:
    return dct.load_dct_coders()


@pytest.fixture(scope="module")
def subjects(recording: Recording, two_lead_recording: Recording) -> list[Subject]:
    """Whole windows and a short last one, at the model's rate and at another."""
    found = [*subjects_of(recording, record="one")]
    found += subjects_of(two_lead_recording, record="two", leads=[1])
    assert len({len(s.x) for s in found}) > 2
    return found


def test_transform_keeps_energy_and_comes_back() -> None:
    x = np.random.default_rng(1).standard_normal(1000)
    coefficients = dct.transform(x, 256)
    padded = np.pad(x, (0, 24), mode="edge")
    assert coefficients.shape == (4, 256)
    assert np.square(coefficients).sum() == pytest.approx(np.square(padded).sum())
    np.testing.assert_allclose(dct.inverse(coefficients, 1000), x, atol=1e-5)


@pytest.mark.parametrize("block_len", train_dct.BLOCK_LENS)
def test_each_band_is_a_run_of_frequencies(block_len: int) -> None:
    band = dct.bands_of(block_len)
    assert band[0] == 0
    assert (band[1:] > 0).all()
    assert (np.diff(band) >= 0).all()
    assert band[-1] == dct.N_BANDS - 1


def test_windows_decode_from_their_bytes(
    coders: list[dct.DctCoder], subjects: list[Subject]
) -> None:
    for subject in subjects:
        errors = []
        for coder in coders:
            payload = coder.encode(subject.x, subject.place)
            sent = coder.send(subject)
            assert len(payload) < sent.n_bytes <= len(payload) + 8
            np.testing.assert_array_equal(
                coder.decode(payload, subject.place), sent.x_hat
            )
            assert sent.x_hat.dtype == np.int32
            assert sent.x_hat.shape == subject.x.shape
            errors.append(prdn(subject.x, sent.x_hat))
        assert errors == sorted(errors)
        assert errors[0] < 10.0 < errors[-1] < 100.0


def test_what_is_decoded_is_what_the_encoder_quantised(
    coders: list[dct.DctCoder], subjects: list[Subject]
) -> None:
    """A wrong order of bands or blocks would still decode, to something else."""
    subject, tables = subjects[0], coders[1].tables
    from dynamic_deep.quantizer import WindowScale
    from dynamic_deep.window_codec import at_rate_of_model

    x = at_rate_of_model(subject.x, subject.place)
    scale = WindowScale.of(x)
    restored = tables.dequantize(tables.quantize(scale.normalize(x)))
    expected = scale.restore(dct.inverse(restored, len(x))) + subject.place.baseline
    np.testing.assert_array_equal(coders[1].send(subject).x_hat, np.rint(expected))


def test_a_nominal_gain_is_about_what_real_windows_get(
    coders: list[dct.DctCoder], data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNAMIC_DEEP_DATA", str(data_dir))
    from dynamic_deep.recording import read_recording
    from training.datasets import record_paths

    windows = [
        subject
        for path in record_paths("cinc2017", "validation")[:25]
        for subject in subjects_of(read_recording(path), record=path.stem)
    ]
    raw = sum(subject.x.size * 2 for subject in windows)
    for coder, nominal in zip(coders, dct.GAINS, strict=True):
        gain = raw / sum(coder.send(subject).n_bytes for subject in windows)
        assert 0.7 * nominal < gain < 1.3 * nominal


def test_names_and_identities_are_unique(coders: list[dct.DctCoder]) -> None:
    assert [c.name for c in coders] == [f"dct_{gain}" for gain in dct.GAINS]
    assert len({c.identity for c in coders}) == len(coders)


def test_damaged_bytes_do_not_pass_for_the_same_window(
    coders: list[dct.DctCoder], subjects: list[Subject]
) -> None:
    coder, subject = coders[3], subjects[0]
    payload = bytearray(coder.encode(subject.x, subject.place))
    payload[4] ^= 0x40
    try:
        x_hat = coder.decode(bytes(payload), subject.place)
    except CorruptError:
        return
    assert (x_hat != coder.send(subject).x_hat).any()


def test_missing_or_foreign_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="train dct"):
        dct.load_dct_coders(tmp_path / "dct.npz")
    np.savez(tmp_path / "dct.npz", other=np.zeros(3))
    with pytest.raises(ModelError, match="train dct"):
        dct.load_dct_coders(tmp_path / "dct.npz")


def _noise(n: int, seed: int) -> list[np.ndarray]:
    """Windows whose power falls with frequency, as an ECG's does."""
    rng = np.random.default_rng(seed)
    windows = []
    for _ in range(n):
        x = np.convolve(rng.standard_normal(8960 + 60), np.hanning(60), "valid")[:8960]
        x += 0.1 * rng.standard_normal(8960)
        windows.append(((x - x.mean()) / x.std()).astype(np.float32))
    return windows


@pytest.fixture
def _two_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_dct, "GAINS", (16, 64))


@pytest.mark.usefixtures("_two_gains")
def test_fitting_meets_the_gains_with_whole_tables() -> None:
    windows = _noise(4, seed=3)
    for tables, gain in zip(
        train_dct.fit_all(windows, 896, 0.62), (16, 64), strict=True
    ):
        assert (tables.counts.sum(axis=1) == TABLE_TOTAL).all()
        assert tables.counts.min() > 0
        bits = np.mean([train_dct.bits_of(tables, x) for x in windows])
        # Tables fitted to so little hold much of their prior.
        assert bits + 56.0 == pytest.approx(16.0 * 8960 / gain, rel=0.2)
        assert (np.abs(tables.centroids) <= 0.5).all()


@pytest.mark.usefixtures("_two_gains")
def test_the_choice_is_of_the_candidates_and_repeats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(train_dct, "BLOCK_LENS", (256, 896))
    first = train_dct.choose(_noise(2, seed=3), _noise(1, seed=4))
    assert first == train_dct.choose(_noise(2, seed=3), _noise(1, seed=4))
    assert {row["block_len"] for row in first} == {256, 896}
    assert {row["threshold"] for row in first} == set(train_dct.THRESHOLDS)
