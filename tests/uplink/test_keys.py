# SPDX-License-Identifier: Apache-2.0
"""`uplink/keys.py`: files closed to others, read again when they change."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.keys import (
    DeviceKeys,
    KeyRing,
    new_device_keys,
    new_key,
    read_key_file,
    write_key_file,
)

HEX = bytes(range(32)).hex()


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_file_gives_back_the_keys(tmp_path: Path) -> None:
    keys = dataclasses.replace(new_device_keys("bed-17"), min_boot=7).rotated()
    assert keys.min_boot == 7
    path = write_key_file(tmp_path, keys)
    assert path.name == "bed-17.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key_file(path) == keys
    assert os.listdir(tmp_path) == ["bed-17.toml"]


def test_the_file_of_the_document(tmp_path: Path) -> None:
    text = f'current = 2\n\n[keys]\n1 = "{HEX}"\n2 = "{HEX[::-1]}"\n'
    keys = read_key_file(write(tmp_path / "a.toml", text))
    assert (keys.device, keys.key_id, keys.keys[1].hex()) == ("a", 2, HEX)
    keys = read_key_file(write(tmp_path / "a.toml", text.replace("current = 2", "")))
    assert keys.key_id == 2


def test_keys_do_not_show() -> None:
    keys = new_device_keys("bed-17")
    assert keys.key.hex() not in repr(keys)
    assert repr(keys.key) not in repr(keys)


@pytest.mark.parametrize("mode", [0o604, 0o606, 0o620, 0o660, 0o602, 0o644])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "a.toml", f'[keys]\n1 = "{HEX}"\n', mode)
    with pytest.raises(ConfigError, match="chmod"):
        read_key_file(path)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_owner_and_group_may_read(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "a.toml", f'[keys]\n1 = "{HEX}"\n', mode)
    assert read_key_file(path).key.hex() == HEX


@pytest.mark.parametrize(
    "text",
    [
        "",
        "keys = 1",
        "[keys]",
        "[keys]\n1 = 1",
        '[keys]\n1 = "00"',
        f'[keys]\nx = "{HEX}"',
        f'[keys]\n256 = "{HEX}"',
        f'[keys]\n-1 = "{HEX}"',
        '[keys]\n1 = "zz"',
        f'current = 3\n[keys]\n1 = "{HEX}"',
        f'min_boot = -1\n[keys]\n1 = "{HEX}"',
        f'min_boot = "1"\n[keys]\n1 = "{HEX}"',
        f'current = "1"\n[keys]\n1 = "{HEX}"',
        "\0",
        '[keys]\n1 = "',
    ],
)
def test_a_wrong_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        read_key_file(write(tmp_path / "a.toml", text))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        read_key_file(path)


def test_a_ring_finds_keys_by_device_and_id(tmp_path: Path) -> None:
    keys = new_device_keys("bed-17")
    write_key_file(tmp_path, keys)
    ring = KeyRing(tmp_path)
    assert ring.find("bed-17", 1) == keys.key
    assert ring.find("bed-17", 2) is None
    assert ring.find("bed-18", 1) is None
    assert ring.find("../bed-17", 1) is None
    assert ring.devices() == ["bed-17"]


def test_a_ring_sees_rotation_revocation_and_mode(tmp_path: Path) -> None:
    keys = new_device_keys("bed-17")
    path = write_key_file(tmp_path, keys)
    ring = KeyRing(tmp_path)
    assert ring.find("bed-17", 1)
    rotated = keys.rotated()
    write_key_file(tmp_path, rotated)
    assert ring.find("bed-17", 2) == rotated.keys[2]
    assert ring.find("bed-17", 1) == keys.key
    write_key_file(tmp_path, DeviceKeys(device="bed-17", keys={2: rotated.keys[2]}))
    assert ring.find("bed-17", 1) is None
    path.chmod(0o644)
    with pytest.raises(ConfigError):
        ring.find("bed-17", 2)
    path.unlink()
    assert ring.find("bed-17", 2) is None


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    write_key_file(tmp_path, new_device_keys("bed-17"))
    ring = KeyRing(tmp_path)
    assert ring.device("bed-17") is ring.device("bed-17")


def test_rotation_wraps_and_ends() -> None:
    keys = DeviceKeys(device="a", keys={255: new_key()})
    assert keys.rotated().key_id == 0
    full = DeviceKeys(device="a", keys={i: new_key() for i in range(256)})
    with pytest.raises(ConfigError, match="free"):
        full.rotated()


def test_a_ring_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="folder"):
        KeyRing(tmp_path / "missing")
