# SPDX-License-Identifier: Apache-2.0
"""`training.targets`: windows are tried chunk by chunk, each of them once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep.bundle import load_bundle
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.heads import log_rates
from dynamic_deep.recording import write_recording
from dynamic_deep.subjects import subjects_of
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.trials import LevelTrier, Subject
from tests.signals import AWARE
from training import targets
from training.targets import (
    first_of_each,
    level_trier,
    split_subjects,
    try_resumably,
)


@pytest.fixture(scope="module")
def trier() -> LevelTrier:
    return level_trier(load_bundle(AWARE), for_targets=True)


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    """Five windows of as many records, the last one at another rate."""
    found: list[Subject] = []
    for i in range(5):
        x = simulate_ecg(WINDOW_LEN / 300.0, fs=360.0 if i == 4 else 300.0, seed=i)
        found += subjects_of(x, record=f"s{i}", label="N")
    return found


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "CHUNK", 2)


def test_the_table_goes_with_windows_and_rates(
    trier: LevelTrier, subjects: list[Subject], tmp_path: Path
) -> None:
    lines: list[str] = []
    trials, x, rates = try_resumably(
        trier, iter(subjects), tmp_path / "deep" / "run", log=lines.append
    )
    assert lines == ["2 windows tried", "4 windows tried"]
    names = sorted(path.name for path in (tmp_path / "deep" / "run").iterdir())
    assert names == ["part_0.npz", "part_1.npz", "part_2.npz"]
    assert trials.records.tolist() == ["s0", "s1", "s2", "s3", "s4"]
    assert not trials.lossless_bytes.any()  # which no head foretells
    assert trials.levels == tuple(trier.codec.bundle.config["heads"]["levels"])
    assert np.isnan(trials.center).all()
    assert x.shape == (5, WINDOW_LEN)
    assert x.dtype == rates.dtype == np.float32
    for i, subject in enumerate(subjects):
        window = trier.codec.analyze(subject.x, subject.place)
        assert x[i] == pytest.approx(window.normalized[:WINDOW_LEN], abs=1e-2)
        assert (rates[i] == log_rates(window, trier.levels)).all()


def test_a_cut_run_tries_what_is_missing(
    trier: LevelTrier,
    subjects: list[Subject],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[str] = []
    try_window = trier.try_window

    def count(subject: Subject) -> Any:
        tried.append(subject.record)
        return try_window(subject)

    monkeypatch.setattr(trier, "try_window", count)

    def run() -> Any:
        return try_resumably(trier, iter(subjects), tmp_path, log=lambda line: None)

    whole = run()
    assert tried == ["s0", "s1", "s2", "s3", "s4"]
    tried.clear()
    (tmp_path / "part_1.npz").rename(tmp_path / "part_1.part")  # cut while it wrote
    again = run()
    assert tried == ["s2", "s3"]
    first, second = (found[0].arrays() for found in (whole, again))
    for name, array in first.items():
        is_float = array.dtype.kind == "f"
        assert np.array_equal(array, second[name], equal_nan=is_float), name
    assert (whole[1] == again[1]).all()
    assert (whole[2] == again[2]).all()


def test_chunks_of_another_ladder_are_not_taken(
    subjects: list[Subject], trier: LevelTrier, tmp_path: Path
) -> None:
    try_resumably(trier, iter(subjects[:2]), tmp_path, log=lambda line: None)
    shorter = LevelTrier(trier.codec, trier.tasks, [trier.levels[0].name])
    with pytest.raises(ConfigError, match=r"tried at wavelet_.*; got .*move that"):
        try_resumably(shorter, iter(subjects[:2]), tmp_path, log=lambda line: None)


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of two leads and five windows, and one of a window and a bit."""
    for name, duration, n_leads in (("long", 150.0, 2), ("short", 33.0, 1)):
        x = simulate_ecg(duration, n_leads=n_leads, seed=3, name=name)
        write_recording(tmp_path / f"{name}.hea", x)
    paths = [tmp_path / "long.hea", tmp_path / "short.hea"]
    monkeypatch.setattr(targets, "record_paths", lambda data_set, split: paths)
    monkeypatch.setattr(targets, "rhythm_class_names", lambda: {"short": "A"})
    return tmp_path


@pytest.mark.usefixtures("records")
def test_a_split_gives_its_whole_windows() -> None:
    def counts(found: Iterator[Subject]) -> dict[tuple[str, str | None], int]:
        keys = [(subject.record, subject.label) for subject in found]
        return {key: keys.count(key) for key in keys}

    found = counts(split_subjects("cinc2017", "train"))
    assert found == {("long", None): 10, ("short", "A"): 1}
    assert all(
        subject.place.model_len >= WINDOW_LEN
        for subject in split_subjects("cinc2017", "train")
    )
    # MIT-BIH has no labels, whatever its records are called.
    found = counts(split_subjects("mitdb", "train", leads=(0,), every=2))
    assert found == {("long", None): 3, ("short", None): 1}


@pytest.mark.usefixtures("records")
def test_of_each_record_a_window() -> None:
    chosen = list(first_of_each(split_subjects("mitdb", "train")))
    assert [subject.record for subject in chosen] == ["long", "short"]
    first = next(iter(split_subjects("mitdb", "train")))
    assert (chosen[0].x == first.x).all()
