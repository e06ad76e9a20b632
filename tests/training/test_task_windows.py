# SPDX-License-Identifier: Apache-2.0
"""`training.task_windows`: labels go where the samples go."""

from __future__ import annotations

import dataclasses
import logging
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

from dynamic_deep.bundle import load_bundle
from dynamic_deep.config import RPEAKS_REACH, WINDOW_LEN
from dynamic_deep.networks.rhythm import CLASSES, STEP_LEN
from tests.signals import COSINE
from training.datasets import Lead
from training.decoded import decoded_versions, long_enough, noted
from training.task_presets import TaskPreset
from training.task_windows import (
    PeakWindows,
    RhythmWindows,
    beat_times,
    distance_map,
    rhythm_labels,
)

PRESET = TaskPreset(
    task="rhythm", size="compact", n_steps=10, batch_size=4, learning_rate=1e-3
)
SECOND_CYCLE = dataclasses.replace(PRESET, cycle=5)


@pytest.fixture
def undisturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No noise, no other polarity."""
    monkeypatch.setattr("training.task_windows.disturb", lambda x, rng: x)
    monkeypatch.setattr("training.task_windows.FLIP_SHARE", 0.0)


def steady(level: float, n_samples: int) -> list[np.ndarray]:
    """A record all samples of which have one value."""
    return [np.full(n_samples, level, np.float16)]


def test_a_batch_is_always_the_same(leads: list[Lead]) -> None:
    versions = [[lead.x / 300] for lead in leads]
    windows = RhythmWindows(versions, [0, 1, 2], SECOND_CYCLE)
    again = RhythmWindows(versions, [0, 1, 2], SECOND_CYCLE)
    for index in (2, 7):  # of the first cycle and of the second
        first, other = windows.batch(index, 3), again.batch(index, 3)
        assert all((a == b).all() for a, b in zip(first, other, strict=True))
        assert not (windows.batch(index + 1, 3)[0] == first[0]).all()
    seeded = RhythmWindows(
        versions, [0, 1, 2], dataclasses.replace(SECOND_CYCLE, seed=12)
    )
    assert not (seeded.batch(2, 3)[0] == windows.batch(2, 3)[0]).all()
    assert first[0].shape == (3, WINDOW_LEN, 1)
    assert first[1].shape == (3, 35, 4)


@pytest.mark.usefixtures("undisturbed")
def test_labels_follow_their_records() -> None:
    versions = [steady(value, 10_000) for value in (1.0, 2.0, 3.0)]
    x, classes = RhythmWindows(versions, [3, 0, 2], PRESET).batch(0, 40)
    label_of = {1.0: 3, 2.0: 0, 3.0: 2}
    for window, answer in zip(x, classes, strict=True):
        assert (answer.sum(axis=1) == 1).all()
        assert (answer[:, label_of[float(window[0, 0])]] == 1).all()
    assert len(np.unique(x)) == 3


@pytest.mark.usefixtures("undisturbed")
def test_a_short_record_costs_nothing_beyond_its_end() -> None:
    versions = [steady(1.0, 3000), steady(1.0, 2239)]
    windows = RhythmWindows(versions, [1, 2], SECOND_CYCLE)
    x, classes = windows.batch(5, 20)
    outputs = x.reshape(20, 35, STEP_LEN)
    is_whole = (outputs > 0).all(axis=2)  # the second cycle changes the unit
    assert (classes[is_whole][:, 1] == 1).all()
    assert not classes[~is_whole].any()
    assert not classes[..., 2].any()  # too short to have a rhythm
    assert ((x > 0).sum(axis=(1, 2)) == 3000).all()
    assert set(classes.sum(axis=(1, 2))) <= {10.0, 11.0}
    # In the first cycle records must be whole windows.
    mixed = RhythmWindows([*versions, steady(2.0, 9000)], [1, 2, 0], SECOND_CYCLE)
    assert (mixed.batch(4, 20)[0] == 2).all()


@pytest.mark.usefixtures("undisturbed")
def test_the_second_cycle_mixes_and_masks(leads: list[Lead]) -> None:
    versions = [[lead.x / 300] for lead in leads[:2]]
    preset = dataclasses.replace(SECOND_CYCLE, mixup=0.5, mask_share=0.5)
    x, classes = RhythmWindows(versions, [0, 1], preset).batch(6, 40)
    assert np.abs(classes.sum(axis=2) - 1).max() < 1e-6
    highest = classes.max(axis=2)[:, 0]
    assert (highest >= 0.5).all()
    assert 5 < (highest < 1).sum() < 25  # half, of which some meet their own class
    flat = [max_run(row[:, 0]) >= 0.02 * WINDOW_LEN - 1 for row in x]
    assert 2 < sum(flat) < 30
    first = RhythmWindows(versions, [0, 1], preset).batch(4, 40)
    assert set(np.unique(first[1])) == {0.0, 1.0}
    assert not any(max_run(row[:, 0]) > 0.02 * WINDOW_LEN for row in first[0])


def max_run(x: np.ndarray) -> int:
    """Return the length of the longest stretch of one value."""
    ends = np.flatnonzero(np.diff(x) != 0)
    return int(np.diff(np.concatenate([[-1], ends, [len(x) - 1]])).max())


def test_a_distance_map_by_hand() -> None:
    found = distance_map(np.array([10.0, 30.5]), 200)
    assert found.dtype == np.float32
    at = {10: 0.0, 0: 10.0, 13: 3.0, 20: 10.0, 21: 9.5, 30: 0.5, 31: 0.5, 60: 29.5}
    for sample, distance in at.items():
        assert found[sample] == pytest.approx(distance / RPEAKS_REACH)
    assert found[91:].min() == 1.0
    assert (distance_map(np.array([]), 5) == 1.0).all()
    # A peak before the window is felt in it.
    assert distance_map(np.array([-6.0]), 3)[0] == pytest.approx(6 / RPEAKS_REACH)


@pytest.mark.usefixtures("undisturbed")
def test_maps_have_their_minima_at_the_beats() -> None:
    peaks = np.arange(100.0, 20_000.0, 250.0)
    x = np.zeros(20_000, np.float32)
    x[peaks.astype(int)] = 1.0
    windows = PeakWindows([([[x]], [peaks])], [1.0], seed=3)
    rows, maps = windows.batch(0, 12)
    assert rows.shape == maps.shape == (12, WINDOW_LEN, 1)
    for row, target in zip(rows[..., 0], maps[..., 0], strict=True):
        at = np.flatnonzero(row > 0.5)
        assert len(at) > 25
        assert target[at].max() <= 1.0 / RPEAKS_REACH
        assert (target[at[:-1] + 100] == 1.0).all()
    assert (windows.batch(0, 12)[0] == rows).all()
    assert not (windows.batch(1, 12)[0] == rows).all()


@pytest.mark.usefixtures("undisturbed")
def test_sets_come_as_often_as_their_shares() -> None:
    sources = [([steady(v, 9000)], [np.array([50.0])]) for v in (1.0, 2.0)]
    rows, _ = PeakWindows(sources, [3.0, 1.0], seed=1).batch(0, 200)
    assert 0.65 < (rows[:, 0, 0] == 1.0).mean() < 0.85


@pytest.mark.usefixtures("undisturbed")
def test_half_of_the_windows_are_raw() -> None:
    versions = [[*steady(1.0, 9000), *steady(2.0, 9000), *steady(3.0, 9000)]]
    x, _ = RhythmWindows(versions, [0], PRESET).batch(0, 400)
    shares = [(x[:, 0, 0] == v).mean() for v in (1.0, 2.0, 3.0)]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.07)


def test_versions_are_raw_then_decoded(leads: list[Lead]) -> None:
    bundle = load_bundle(COSINE)  # gain_32 is below `LEAST_GAIN`
    short = Lead(record="short", lead=0, x=leads[1].x[:3000])
    found = decoded_versions([leads[0], short], bundle)
    for lead, versions in zip((leads[0], short), found, strict=True):
        assert len(versions) == 2
        assert all(v.dtype == np.float16 and v.shape == lead.x.shape for v in versions)
        raw, decoded = (v.astype(np.float64) for v in versions)
        expected = (lead.x - lead.x.mean()) / lead.x.std()
        assert np.abs(raw - expected).max() < 0.01
        error = np.sqrt(np.mean((decoded - raw) ** 2))
        assert 0.02 < error < 0.8
    assert long_enough([leads[0], short]) == [leads[0]]


def test_what_takes_long_says_how_far_it_is(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="training")
    leads = range(2000)
    assert list(noted(iter(leads), leads, "decoded")) == list(leads)
    assert not caplog.messages
    monkeypatch.setattr("training.decoded.NOTE_AFTER_S", 0.0)
    assert list(noted(iter(leads), leads, "decoded")) == list(leads)
    assert caplog.messages[-1] == "decoded: 2,000 of 2,000 leads"


def test_classes_of_the_shipped_split() -> None:
    labels = rhythm_labels()
    assert len(labels) > 7000
    assert set(labels.values()) == set(range(len(CLASSES)))
    # CinC 2017 calls its first record normal and its fourth atrial fibrillation.
    assert (CLASSES[labels["A00001"]], CLASSES[labels["A00004"]]) == ("N", "A")


def test_beats_are_read_without_other_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wfdb

    for name in ("mitdb", "cinc2017"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("DYNAMIC_DEEP_DATA", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wfdb.wrann(
            "100",
            "atr",
            np.array([18, 77, 370, 662]),
            symbol=["+", "N", "V", "~"],
            write_dir=str(tmp_path / "mitdb"),
        )
    (tmp_path / "mitdb" / "100.hea").write_text("100 0 360 1000\n")
    assert beat_times("100") == pytest.approx([77 / 1.2, 370 / 1.2])
