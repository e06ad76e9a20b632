# SPDX-License-Identifier: Apache-2.0
"""Noise: its spectra, its ratio to the ECG, and what the experiment makes of both."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep.errors import ConfigError, InvalidSignalError
from dynamic_deep.recording import write_recording
from dynamic_deep.synthetic import QUIET, simulate
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import window_place
from experiments import noise
from experiments.noise import measured as noise_measured
from experiments.noise.figure import draw
from experiments.noise.measured import Condition, NoisyTrier, settings_of
from experiments.noise.mixing import add_noise, noise_power, signal_power
from experiments.noise.rows import row_of
from experiments.noise.section import section
from experiments.noise.sources import KINDS, ModelNoise, RecordedNoise, load_source
from tests.signals import make_recording

FS = 300.0
N = 8960


def _draw(kind: str, seed: int = 0, n: int = N, fs: float = FS) -> np.ndarray:
    return ModelNoise().draw(kind, n, fs, np.random.default_rng(seed))


def _share(x: np.ndarray, low_hz: float, high_hz: float, fs: float = FS) -> float:
    """The share of power between two frequencies."""
    power = np.square(np.abs(np.fft.rfft(x * np.hanning(len(x)))))
    hertz = np.fft.rfftfreq(len(x), 1.0 / fs)
    return float(power[(hertz >= low_hz) & (hertz < high_hz)].sum() / power.sum())


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_repeats_by_seed_and_has_no_mean(kind: str) -> None:
    x = _draw(kind)
    np.testing.assert_array_equal(x, _draw(kind))
    assert not np.array_equal(x, _draw(kind, seed=1))
    assert x.shape == (N,)
    assert np.isfinite(x).all()
    assert abs(x.mean()) < 1e-9 * x.std()


@pytest.mark.parametrize("fs", [300.0, 360.0])
def test_each_model_lies_in_its_band(fs: float) -> None:
    for seed in range(5):
        bw, ma, em = (_draw(kind, seed, fs=fs) for kind in KINDS)
        assert _share(bw, 0.0, 0.8, fs) > 0.99
        assert _share(ma, 10.0, 150.0, fs) > 0.95
        assert _share(ma, 20.0, 100.0, fs) > 0.6
        assert _share(em, 0.0, 15.0, fs) > 0.8
        # Where QRS complexes and T waves are, which wander leaves alone.
        assert _share(em, 1.5, 15.0, fs) > 10 * _share(bw, 1.5, 15.0, fs)


def test_muscle_noise_comes_in_bursts() -> None:
    ratios = []
    for seed in range(5):
        second = _draw("ma", seed)[: 29 * 300].reshape(29, 300).std(axis=1)
        ratios.append(second.max() / second.min())
    assert np.median(ratios) > 2.0


def test_a_model_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ConfigError, match="bw, ma, em; got 'mains'"):
        _draw("mains")


def test_recorded_noise_is_taken_at_any_rate(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    t = np.arange(32 * 360) / 360.0
    for hertz, kind in enumerate(KINDS, start=3):
        leads = [np.sin(2 * np.pi * hertz * t + p) for p in rng.uniform(0, 6, 2)]
        samples = np.rint(1000 * np.stack(leads, axis=1)).astype(np.int16)
        write_recording(tmp_path / f"{kind}.hea", make_recording(samples, fs=360.0))
    source = load_source(tmp_path)
    assert isinstance(source, RecordedNoise)
    for hertz, kind in enumerate(KINDS, start=3):
        for fs in (300.0, 360.0):
            x = source.draw(kind, N, fs, np.random.default_rng(0))
            assert len(x) == N
            assert _share(x, hertz - 0.2, hertz + 0.2, fs) > 0.99
    assert source.identity != ModelNoise().identity
    (tmp_path / "em.hea").unlink()
    with pytest.raises(ConfigError, match=r"which has no em\.hea"):
        load_source(tmp_path)


@pytest.fixture(scope="module")
def quiet() -> tuple[Subject, np.ndarray]:
    """A window without noise and its beats at the model's rate."""
    ecg = simulate(31.0, fs=360.0, noise=QUIET, seed=4)
    x = ecg.recording.samples[:10752, 0].astype(np.int32)
    place = window_place(len(x), ecg.recording.info, 0)
    beats = ecg.rpeaks[ecg.rpeaks < len(x)] * (300.0 / 360.0)
    return Subject(record="quiet", x=x, place=place), beats


def test_the_power_of_a_sine_is_that_of_nst() -> None:
    """P^2 / 8 of its peak-to-peak amplitude is also its mean square."""
    t = np.arange(N) / FS
    x = np.rint(1000 * np.sin(2 * np.pi * 20 * t)).astype(np.int32)
    beats = np.arange(100.0, N - 100, 250)
    assert signal_power(x, FS, beats) == pytest.approx(1000**2 / 2, rel=0.02)
    assert signal_power(x, FS, beats[:2]) == pytest.approx(1000**2 / 2, rel=0.02)
    assert noise_power(x.astype(float), FS) == pytest.approx(1000**2 / 2, rel=0.02)


def test_slow_wander_counts_little() -> None:
    t = np.arange(N) / FS
    slow, fast = (np.sin(2 * np.pi * hertz * t) for hertz in (0.05, 20.0))
    assert noise_power(slow, FS) < 0.02 * noise_power(fast, FS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("snr_db", noise.SNRS_DB)
def test_noise_is_added_at_the_ratio(
    kind: str, snr_db: float, quiet: tuple[Subject, np.ndarray]
) -> None:
    subject, beats = quiet
    power = signal_power(subject.x, 360.0, beats)
    disturbance = _draw(kind, n=len(subject.x), fs=360.0)
    noisy = add_noise(subject, disturbance, power=power, snr_db=snr_db)
    added = (noisy.x - subject.x).astype(np.float64)
    found = 10 * np.log10(power / noise_power(added, 360.0))
    assert found == pytest.approx(snr_db, abs=0.1)
    assert noisy.place == subject.place


def test_silence_has_no_ratio(quiet: tuple[Subject, np.ndarray]) -> None:
    subject, _ = quiet
    with pytest.raises(InvalidSignalError, match="needs power"):
        add_noise(subject, np.zeros(len(subject.x)), power=1.0, snr_db=6.0)


def test_a_setting_must_be_one_of_the_tasks() -> None:
    with pytest.raises(ConfigError, match="rhythm or rpeaks, got 'st'"):
        noise_measured.Setting(
            task="st", split="", limit=0, calibration="", n_windows=1, n_lossless=0
        )


def _table(task: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Windows as a trier gives them: 24 of 6 records."""
    n = 24
    table = {
        "records": np.repeat([f"r{i}" for i in range(6)], 4),
        "raw_bytes": np.full(n, 17920.0),
        "lossless_bytes": np.where(np.arange(n) < 4, 3584.0, np.nan),
        "n_bytes": rng.uniform(100, 300, (n, 3)),
        "level": np.array(["gain_64", "wavelet_32"])[rng.integers(2, size=n)],
        "over": (rng.random((n, 3)) < 0.2).astype(float),
    }
    if task == "rhythm":
        labels = rng.integers(4, size=n)
        return table | {"labels": labels, "decided": np.stack([labels] * 4, axis=1)}
    return table | {"beats": np.tile([30, 2, 1], (n, 4, 1))}


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    found: dict[str, Any] = {"bundle": "monitor", "source": "models", "risk": 0.05}
    ends = (math.inf, max(noise.SNRS_DB), min(noise.SNRS_DB))
    for setting in settings_of(24, 24, 4):
        rows = [
            row_of(setting, condition, _table(setting.task, rng))
            for condition in noise.conditions()
            if condition.snr_db in ends
        ]
        found[setting.task] = {"split": setting.split, "limit": 0.1, "rows": rows}
    return found


def test_rows_hold_every_condition_once(results: dict[str, Any]) -> None:
    for task in ("rhythm", "rpeaks"):
        rows = results[task]["rows"]
        assert len({(row["noise"], row["snr_db"]) for row in rows}) == 1 + 3 * 2
        assert rows[0]["noise"] == "none"
        for row in rows:
            assert sum(row["levels"].values()) == pytest.approx(1.0, abs=1e-4)
            for figures in (row["gain"], row["over"], row["score"]):
                assert all(low <= v <= high for v, low, high in figures.values())
    assert json.loads(json.dumps(results, allow_nan=False)) == results


def test_there_is_one_condition_for_each_noise_and_ratio() -> None:
    conditions = noise.conditions()
    assert conditions[0] == Condition()
    assert len({(c.kind, c.snr_db) for c in conditions}) == len(conditions) == 16


def test_figures_of_a_row_are_those_of_its_windows(results: dict[str, Any]) -> None:
    rhythm, beats = (results[task]["rows"][3] for task in ("rhythm", "rpeaks"))
    assert rhythm["score"]["calibrated"] == [1.0, 1.0, 1.0]
    assert beats["score"]["raw"][0] == pytest.approx(60 / 63, abs=1e-5)
    assert beats["gain"]["lossless"] == [5.0, 5.0, 5.0]


def test_figure_and_section_say_whose_noise_it_was(
    results: dict[str, Any], tmp_path: Path
) -> None:
    name = draw(results, folder=tmp_path)
    assert (tmp_path / name).read_text().startswith("<?xml")
    part = section(results | {"figure": name})
    text = "".join(block for block in part.blocks if isinstance(block, str))
    assert "models, not recorded" in text
    recorded = section(results | {"figure": name, "source": "nstdb"})
    assert "models" not in str(recorded.blocks[0])
    assert "missed" in part.claims[0].why  # a share of 0.2 is over the risk


def test_real_windows_in_each_noise(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNAMIC_DEEP_DATA", str(data_dir))
    monkeypatch.setenv("DYNAMIC_DEEP_KEPT", str(tmp_path))
    setting = settings_of(4, 1, 1)[0]
    trier = NoisyTrier(setting, ModelNoise(), 0)
    assert len({w.subject.record for w in trier.windows}) == 4
    clean = trier.run(Condition())
    noisy = trier.run(Condition(kind="ma", snr_db=6.0))
    assert trier.is_kept(Condition(kind="ma", snr_db=6.0))
    assert not trier.is_kept(Condition(kind="ma", snr_db=0.0))
    np.testing.assert_array_equal(clean["records"], noisy["records"])
    wavelet = noise_measured.SENT.index("wavelet_64")
    # Noise costs bytes at a fixed step, and lossless more than all.
    assert noisy["n_bytes"][:, wavelet].sum() > 1.5 * clean["n_bytes"][:, wavelet].sum()
    assert noisy["lossless_bytes"][0] > 1.5 * clean["lossless_bytes"][0]
    assert np.isnan(noisy["lossless_bytes"][1:]).all()
    row = row_of(setting, Condition(kind="ma", snr_db=6.0), noisy)
    assert row["n_windows"] == 4


def test_options_have_defaults() -> None:
    parser = argparse.ArgumentParser()
    noise.add_arguments(parser)
    options = parser.parse_args([])
    assert (options.cinc, options.mitdb, options.nstdb) == (200, 150, None)
