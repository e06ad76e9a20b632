# SPDX-License-Identifier: Apache-2.0
"""`calibration`: a table on disk, of one bundle, whole or not at all."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.bound_price import certified_price
from dynamic_deep.bundle import Bundle, content_hash, load_bundle
from dynamic_deep.calibration import (
    VERSION,
    Calibration,
    calibration_names,
    load_calibration,
    save_calibration,
)
from dynamic_deep.errors import ConfigError, ModelError
from tests.bound.tables import draw_trials, requires
from tests.signals import AWARE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the kept bundle, to put calibrations into."""
    return Path(shutil.copytree(AWARE, tmp_path / "copy"))


@pytest.fixture
def made(bundle: Bundle, rng: np.random.Generator) -> Calibration:
    """A calibration of the kept bundle that its trials have nothing to do with."""
    trials = draw_trials(rng, 30)
    return Calibration(name="made up", model_id=bundle.model_id, trials=trials)


def test_it_comes_back_from_disk(
    tmp_path: Path, bundle: Bundle, made: Calibration
) -> None:
    path = tmp_path / "own.npz"
    save_calibration(path, made)
    found = load_calibration(bundle, path)
    assert (found.name, found.model_id) == ("made up", bundle.model_id)
    assert found.trials.levels == ("low", "mid", "high")
    assert found.trials.channels == ("rhythm:raw",)
    assert len(found.trials) == 30
    expected = made.trials.arrays()
    for name, array in found.trials.arrays().items():
        assert array.dtype == expected[name].dtype, name
        assert np.array_equal(array, expected[name], equal_nan=array.dtype.kind == "f")
    assert found.price(requires()) == certified_price(requires(), made.trials)
    assert [p.name for p in tmp_path.iterdir()] == ["own.npz"]


def test_who_it_is_for_comes_back_too(
    tmp_path: Path, bundle: Bundle, made: Calibration
) -> None:
    path = tmp_path / "own.npz"
    names = np.repeat(["a", "b", "c"], 10)
    trials = dataclasses.replace(made.trials, records=names)
    for same_patients, least in ((False, 1 / 4), (True, 1 / 31)):
        own = dataclasses.replace(made, trials=trials, same_patients=same_patients)
        assert own.least_risk == pytest.approx(least)
        save_calibration(path, own)
        found = load_calibration(bundle, path)
        assert found.same_patients is same_patients
        assert found.least_risk == own.least_risk
    found.price(requires(risk=0.1))
    with pytest.raises(ConfigError, match="3 calibration recordings can certify"):
        dataclasses.replace(found, same_patients=False).price(requires(risk=0.1))


def test_a_bundle_ships_some_by_name_and_is_still_the_same(
    folder: Path, bundle: Bundle, made: Calibration
) -> None:
    assert calibration_names(folder) == []
    for name in ("mitdb", "cinc2017"):
        save_calibration(folder / f"calibration_{name}.npz", made)
    assert calibration_names(folder) == ["cinc2017", "mitdb"]
    assert content_hash(folder) == bundle.model_id
    copy = load_bundle(folder)
    assert copy.model_id == bundle.model_id
    assert len(load_calibration(copy).trials) == 30  # cinc2017, unless another is named
    assert load_calibration(copy, "mitdb").name == "made up"


def test_an_unknown_name_names_the_known_ones(folder: Path, made: Calibration) -> None:
    bundle = load_bundle(folder)
    with pytest.raises(ConfigError, match=r"none: it ships none.*; got 'cinc2017'"):
        load_calibration(bundle)
    save_calibration(folder / "calibration_mitdb.npz", made)
    with pytest.raises(ConfigError, match=r"one of mitdb, or .*; got 'ptb'"):
        load_calibration(bundle, "ptb")
    nowhere = dataclasses.replace(bundle, folder=None)
    with pytest.raises(ConfigError, match="got 'mitdb'"):
        load_calibration(nowhere, "mitdb")


def test_one_of_another_bundle_is_refused(
    tmp_path: Path, bundle: Bundle, made: Calibration
) -> None:
    path = tmp_path / "own.npz"
    save_calibration(path, dataclasses.replace(made, model_id=b"\xab" * 16))
    with pytest.raises(ModelError, match=r"aware \(.*got one of abababab; run"):
        load_calibration(bundle, path)


def test_a_newer_one_is_refused(
    tmp_path: Path, bundle: Bundle, made: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.npz"
    monkeypatch.setattr("dynamic_deep.calibration.VERSION", VERSION + 1)
    save_calibration(path, made)
    monkeypatch.undo()
    with pytest.raises(ModelError, match=f"at most {VERSION}, got {VERSION + 1}"):
        load_calibration(bundle, path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 100, b"\x93NUMPY\x01"])
def test_a_file_that_is_none_is_refused(
    tmp_path: Path, bundle: Bundle, content: bytes
) -> None:
    path = tmp_path / "own.npz"
    path.write_bytes(content)
    with pytest.raises(
        ModelError, match=r"got own\.npz: it is no \.npz file, or .*; m"
    ):
        load_calibration(bundle, path)
    path.unlink()
    with pytest.raises(ModelError, match=r"own\.npz"):
        load_calibration(bundle, path)


def test_a_damaged_one_is_refused(
    tmp_path: Path, bundle: Bundle, made: Calibration
) -> None:
    path = tmp_path / "own.npz"
    save_calibration(path, made)
    whole = path.read_bytes()
    for length in (0, 3, 40, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"own\.npz"):
            load_calibration(bundle, path)
    rng = np.random.default_rng(1)
    for at in rng.integers(0, len(whole), 60).tolist():
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            found = load_calibration(bundle, path)
        except ModelError:
            continue
        assert np.array_equal(found.trials.errors, made.trials.errors)


def test_one_that_lacks_a_column_is_refused(
    tmp_path: Path, bundle: Bundle, made: Calibration
) -> None:
    path = tmp_path / "own.npz"
    save_calibration(path, made)
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for name in ("version", "model_id", "errors", "levels"):
        rest = {key: value for key, value in arrays.items() if key != name}
        np.savez(path, **rest)
        with pytest.raises(ModelError, match=name):
            load_calibration(bundle, path)


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, made: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.npz"

    def fail(stream: object, **_: object) -> None:
        stream.write(b"half")  # type: ignore[attr-defined]
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="no space"):
        save_calibration(path, made)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="no space"):
        save_calibration(path, made)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
