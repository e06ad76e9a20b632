# SPDX-License-Identifier: Apache-2.0
"""`training.datasets`: the given splits, the model's rate, windows that repeat."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import write_recording
from tests.signals import ecg, make_recording
from training.datasets import (
    FLIP_SHARE,
    SPLITS,
    Lead,
    RandomWindows,
    all_windows,
    data_folder,
    load_leads,
    normalize,
    record_names,
    record_paths,
)


@pytest.fixture
def made_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two small data sets in the layout that `data fetch` makes."""
    for name in ("splits", "mitdb", "cinc2017"):
        (tmp_path / name).mkdir()
    rows = "record,split\n101,train\n100,train\n200,test\n"
    (tmp_path / "splits" / "mitdb.csv").write_text(rows)
    (tmp_path / "splits" / "cinc2017.csv").write_text(
        "record,label,split\nA00001,N,train\nA00002,A,validation\n"
    )
    for name in ("100", "101", "200"):
        samples = ecg(12_000, fs=360.0, n_leads=2).samples + 1024
        recording = make_recording(samples, fs=360.0, baseline=1024)
        write_recording(tmp_path / "mitdb" / f"{name}.hea", recording)
    for name in ("A00001", "A00002"):
        write_recording(tmp_path / "cinc2017" / f"{name}.hea", ecg(9000))
    monkeypatch.setenv("DYNAMIC_DEEP_DATA", str(tmp_path))
    monkeypatch.setattr("training.datasets.SPLITS", tmp_path / "splits")
    return tmp_path


def test_records_are_those_of_the_split(made_data: Path) -> None:
    assert data_folder() == made_data
    assert record_names("mitdb", "train") == ["100", "101"]
    assert record_paths("cinc2017", "validation") == [
        made_data / "cinc2017" / "A00002.hea"
    ]
    with pytest.raises(ConfigError, match="'calibration'"):
        record_names("mitdb", "calibration")
    with pytest.raises(ConfigError, match="'ptbxl'"):
        record_names("ptbxl", "train")


def test_a_folder_without_data_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNAMIC_DEEP_DATA", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="DYNAMIC_DEEP_DATA"):
        load_leads("mitdb", "train")


@pytest.mark.usefixtures("made_data")
def test_leads_come_at_the_models_rate_from_their_baseline() -> None:
    leads = load_leads("mitdb", "train")
    assert [(v.record, v.lead) for v in leads] == [
        ("100", 0),
        ("100", 1),
        ("101", 0),
        ("101", 1),
    ]
    original = ecg(12_000, fs=360.0, n_leads=2).samples
    for lead in leads:
        assert lead.x.dtype == np.float32
        assert len(lead.x) == 10_000
        # Every sixth sample of 360 Hz is every fifth of 300 Hz.
        error = lead.x[100:-100:5] - original[120:-120:6, lead.lead]
        assert np.sqrt(np.mean(error**2)) < 10
    assert len(load_leads("mitdb", "train", limit=1)) == 2
    (cinc,) = load_leads("cinc2017", "train")
    assert (cinc.x == ecg(9000).samples[:, 0]).all()


def test_a_normalised_window_has_mean_0_and_deviation_1() -> None:
    x = ecg(9000).samples[:, 0].astype(np.float32) * 3 + 500
    normalized = normalize(x)
    assert abs(normalized.mean()) < 1e-4
    assert abs(normalized.std() - 1) < 1e-4
    assert not normalize(np.full(100, 7.0, np.float32)).any()


def make_lead(record: str, n_samples: int, offset: float = 0.0) -> Lead:
    rng = np.random.default_rng(len(record))
    x = np.cumsum(rng.normal(0, 30, n_samples)) + offset
    return Lead(record=record, lead=0, x=x.astype(np.float32))


def test_a_batch_is_always_the_same() -> None:
    leads = [make_lead("a", 30_000)], [make_lead("bb", 20_000)]
    first = RandomWindows(*leads, seed=3).batch(7, 6)
    again = RandomWindows(*leads, seed=3)
    again.batch(0, 2)
    assert (again.batch(7, 6) == first).all()
    assert not (again.batch(8, 6) == first).all()
    assert not (RandomWindows(*leads, seed=4).batch(7, 6) == first).all()
    assert first.shape == (6, WINDOW_LEN, 1)
    assert first.dtype == np.float32
    assert np.abs(first.mean(axis=1)).max() < 1e-3
    assert np.abs(first.std(axis=1) - 1).max() < 1e-3


def test_short_leads_are_left_out_and_some_windows_turned_over() -> None:
    ramp = np.arange(20_000, dtype=np.float32)
    leads = [make_lead("short", 8959), Lead(record="ramp", lead=0, x=ramp)]
    windows = RandomWindows(leads, leads, seed=1)
    batch = windows.batch(0, 300)
    rising = batch[:, -1, 0] > batch[:, 0, 0]
    assert np.abs(np.diff(batch[..., 0], axis=1)).std() < 1e-3  # ramps, all of them
    assert abs(1 - rising.mean() - FLIP_SHARE) < 0.07


def test_a_share_of_the_windows_is_disturbed() -> None:
    ramp = [Lead(record="ramp", lead=0, x=np.arange(20_000, dtype=np.float32))]
    batch = RandomWindows(ramp, ramp, seed=1, disturbed_share=0.5).batch(0, 300)
    is_ramp = np.abs(np.diff(batch[..., 0], axis=1)).std(axis=1) < 1e-3
    # A half is disturbed, of which a third gets nothing but another pace.
    assert 0.55 < is_ramp.mean() < 0.8
    assert np.abs(batch.mean(axis=1)).max() < 1e-3
    again = RandomWindows(ramp, ramp, seed=1, disturbed_share=0.5).batch(0, 300)
    assert (again == batch).all()


def test_every_whole_window_once() -> None:
    leads = [make_lead("a", 8960 * 2 + 10), make_lead("b", 8959), make_lead("c", 8960)]
    windows = all_windows(leads)
    assert windows.shape == (3, WINDOW_LEN, 1)
    assert (windows[1, :, 0] == normalize(leads[0].x[8960:17_920])).all()


@pytest.mark.parametrize(
    ("data_set", "splits"),
    [
        ("mitdb", {"train", "test"}),
        ("cinc2017", {"train", "validation", "calibration", "test"}),
    ],
)
def test_the_shipped_splits_share_no_record(data_set: str, splits: set[str]) -> None:
    with (SPLITS / f"{data_set}.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    split_of = {row["record"]: row["split"] for row in rows}
    assert len(split_of) == len(rows)
    assert set(split_of.values()) == splits
    found = [name for split in splits for name in record_names(data_set, split)]
    assert sorted(found) == sorted(split_of)
    if data_set == "mitdb":
        assert len(rows) == 48
        assert split_of["201"] == split_of["202"]  # one patient


@pytest.mark.parametrize("data_set", ["mitdb", "cinc2017"])
def test_every_record_of_the_splits_is_there(data_dir: Path, data_set: str) -> None:
    present = {path.stem for path in (data_dir / data_set).glob("*.hea")}
    assert set(record_names(data_set, "test")) <= present
    assert set(record_names(data_set, "train")) <= present
