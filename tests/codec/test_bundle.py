# SPDX-License-Identifier: Apache-2.0
"""`bundle`: named by its content; a damaged one is one clear error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.bundle import (
    KINDS,
    SHIPPED,
    bundle_folder,
    content_hash,
    load_bundle,
)
from dynamic_deep.bundle_shipped import find_bundle
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.errors import ConfigError, CorruptError, ModelError
from tests.make_golden import FOLDER
from tests.signals import COSINE

SHIPPED_NAMES = sorted(path.parent.name for path in SHIPPED.glob("*/config.json"))
# Golden files name it: it must never change.
COSINE_ID = json.loads((FOLDER / "v1_neural.json").read_text())["model_id"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the kept bundle, to be damaged."""
    return Path(shutil.copytree(COSINE, tmp_path / "copy"))


def test_the_kept_bundle_is_the_one_of_the_golden_files() -> None:
    assert content_hash(COSINE).hex() == COSINE_ID
    assert load_bundle(COSINE).model_id.hex() == COSINE_ID


def test_the_hash_sees_content_and_names_and_no_card(copy: Path) -> None:
    before = content_hash(copy)
    (copy / "MODEL_CARD.md").write_text("For people.")
    assert content_hash(copy) == before
    for path in sorted(copy.glob("*.[jnt]*")):
        content = path.read_bytes()
        path.write_bytes(content + b" ")
        assert content_hash(copy) != before, path.name
        path.write_bytes(content)
    (copy / "body.tflite").rename(copy / "other.tflite")
    assert content_hash(copy) != before


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_a_shipped_bundle_is_whole(name: str) -> None:
    bundle = load_bundle(name)
    assert bundle.name == name
    assert find_bundle(bundle.model_id) == name
    ids = [level.id for level in bundle.levels]
    assert ids == sorted(set(ids))
    assert len({level.name for level in bundle.levels}) == len(ids)
    assert {level.kind for level in bundle.levels} <= set(KINDS)
    assert [level.name for level in bundle.levels[:2]] == ["lossless", "near_lossless"]
    assert max(ids) <= 31
    assert len(bundle.scales.scales) == 1
    for level in bundle.levels:
        assert bundle.level(level.name) is bundle.level_by_id(level.id) is level
        if level.kind == "wavelet":
            assert bundle.wavelet_coder(level.name).level.step > 0
    neural = [level.name for level in bundle.levels if level.kind == "neural"]
    assert set(neural) == set(bundle.latents)
    assert len(neural) >= 3 or name == "classical"
    numbers = [bundle.latents[level].level_idx for level in neural]
    # A level that does not earn its place is left out, its number with it.
    assert numbers == sorted(set(numbers))
    networks = {f"entry_{level}" for level in neural}
    networks |= {"encoder"} if neural else set()
    networks |= {bundle.latents[level].body for level in neural}
    networks |= {"encoder_int8"} if name == "edge" else set()
    if "heads" in bundle.config:
        networks |= {"heads", "task_rhythm", "task_rpeaks"}
        names = {level.name for level in bundle.levels}
        assert set(bundle.config["heads"]["levels"]) <= names
    assert set(bundle.networks) == networks
    for level in neural:
        shape, coder = bundle.latents[level], bundle.latent_coder(level)
        assert coder.n_channels == shape.n_channels
        assert SEGMENT_LEN % shape.stride == 0
        assert 0.5 <= shape.threshold < 1.0


def test_levels_are_found_or_refused() -> None:
    bundle = load_bundle(COSINE)
    assert bundle.level("gain_64").id == 17
    with pytest.raises(ConfigError, match=r"gain_32, gain_64; got 'gain_63'"):
        bundle.level("gain_63")
    with pytest.raises(CorruptError, match="got 31"):
        bundle.level_by_id(31)


def test_an_unknown_bundle_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="classical"):
        bundle_folder("no_such_bundle")
    with pytest.raises(ModelError, match=r"config\.json"):
        load_bundle(tmp_path)
    with pytest.raises(ModelError, match="ab" * 16):
        find_bundle(b"\xab" * 16)


def test_a_newer_bundle_is_refused(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"version": 3}))
    with pytest.raises(ModelError, match="update"):
        load_bundle(copy)


@pytest.mark.parametrize("key", ["name", "version", "levels", "latents"])
def test_a_config_that_lacks_a_field_is_refused(copy: Path, key: str) -> None:
    config = json.loads((copy / "config.json").read_text())
    del config[key]
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="copy"):
        load_bundle(copy)


@pytest.mark.parametrize("config", ["", "[]", "{", '{"levels": 3}', "\x00\xff", "null"])
def test_a_config_that_is_none_is_refused(copy: Path, config: str) -> None:
    (copy / "config.json").write_bytes(config.encode("latin-1"))
    with pytest.raises(ModelError, match="copy"):
        load_bundle(copy)


def test_tables_cut_anywhere_are_refused(copy: Path) -> None:
    path = copy / "tables.npz"
    whole = path.read_bytes()
    for length in [0, 1, 3, 4, 100, len(whole) // 2, len(whole) - 30, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="copy"):
            load_bundle(copy)


def test_tables_with_a_flipped_byte_are_refused_or_known_by_their_hash(
    copy: Path,
) -> None:
    path = copy / "tables.npz"
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for at in rng.integers(0, len(whole), 150).tolist():
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            damaged = load_bundle(copy)
        except ModelError:
            continue
        assert damaged.model_id.hex() != COSINE_ID


def test_no_pickle_is_read(copy: Path) -> None:
    np.savez(copy / "tables.npz", scale=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ModelError, match="copy"):
        load_bundle(copy)


def test_a_bundle_without_a_table_that_it_needs_is_refused(copy: Path) -> None:
    with np.load(copy / "tables.npz") as stored:
        tables = dict(stored)
    for key in ("scale", "wavelet_16/counts", "gain_64/same"):
        rest = {k: v for k, v in tables.items() if k != key}
        np.savez(copy / "tables.npz", **rest)
        with pytest.raises(ModelError, match=key):  # noqa: PT012 - either may tell
            bundle = load_bundle(copy)
            assert bundle.scales
            bundle.wavelet_coder("wavelet_16")
            bundle.latent_coder("gain_64")
