# SPDX-License-Identifier: Apache-2.0
"""The keys of devices: a folder of files, one a device.

Format: docs/uplink.md, section "Keys".
"""

from __future__ import annotations

import os
import secrets
import tempfile
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.message import MAX_KEY_ID, check_device_id, is_device_id
from dynamic_deep.uplink.sealing import KEY_LEN

_MAX_FILE_LEN = 1 << 16
_OTHERS_READ_OR_CHANGE = 0o027


class KeySource(Protocol):
    """Where a receiver finds keys."""

    def find(self, device: str, key_id: int) -> bytes | None:
        """Return the 32 bytes of a key, or None if there is no such key.

        Raises:
            ConfigError: If the device's keys can't be read.
        """


@dataclass(frozen=True, kw_only=True)
class DeviceKeys:
    """The keys of one device.

    Attributes:
        device: device id.
        keys: key id -> 32 bytes.
        current: id of the key that the device seals with; the greatest if None.
        min_boot: the boot counter is at least this; to be raised above every one that
            the device had, when it has lost its store.

    Raises:
        ConfigError: If there is no key, or an id or a key is out of range.
    """

    device: str
    keys: dict[int, bytes] = field(repr=False)
    current: int | None = None
    min_boot: int = 0

    def __post_init__(self) -> None:
        """Check, and settle which key is current."""
        check_device_id(self.device)
        current = max(self.keys, default=None) if self.current is None else self.current
        object.__setattr__(self, "current", current)
        if current not in self.keys or not all(
            0 <= i <= MAX_KEY_ID and len(key) == KEY_LEN for i, key in self.keys.items()
        ):
            raise ConfigError(
                f"a device must have keys of {KEY_LEN} bytes with ids from 0 to "
                f"{MAX_KEY_ID}, the current one among them, got ids "
                f"{sorted(self.keys)} and current {current} for {self.device}"
            )
        if not 0 <= self.min_boot < 1 << 32:
            raise ConfigError(
                f"min_boot must be 0 to 2^32 - 1, got {self.min_boot} for {self.device}"
            )

    @property
    def key_id(self) -> int:
        """Id of the key to seal with."""
        return self.current or 0

    @property
    def key(self) -> bytes:
        """The key to seal with."""
        return self.keys[self.key_id]

    def find(self, device: str, key_id: int) -> bytes | None:
        """Return a key, or None if it is another device's or unknown."""
        return self.keys.get(key_id) if device == self.device else None

    def rotated(self) -> DeviceKeys:
        """Return these keys with a new one, which is current from then on.

        Raises:
            ConfigError: If all ids are taken.
        """
        ahead = (self.key_id + 1 + step for step in range(MAX_KEY_ID + 1))
        free = (i % (MAX_KEY_ID + 1) for i in ahead)
        new_id = next((i for i in free if i not in self.keys), None)
        if new_id is None:
            raise ConfigError(
                f"{self.device} has no free key id; remove old keys first"
            )
        keys = self.keys | {new_id: new_key()}
        return replace(self, keys=keys, current=new_id)


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(KEY_LEN)


def new_device_keys(device: str) -> DeviceKeys:
    """Return a device's first key, with the id 1."""
    return DeviceKeys(device=device, keys={1: new_key()})


def write_key_file(folder: str | os.PathLike[str], keys: DeviceKeys) -> Path:
    """Write `DEVICE.toml`, readable by its owner only; replaces an older one."""
    rows = [f'{i} = "{key.hex()}"' for i, key in sorted(keys.keys.items())]
    boot = [f"min_boot = {keys.min_boot}"] if keys.min_boot else []
    text = "\n".join([f"current = {keys.key_id}", *boot, "", "[keys]", *rows, ""])
    path = Path(folder) / f"{keys.device}.toml"
    handle, beside = tempfile.mkstemp(dir=folder, prefix=".")  # of mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return path


def read_key_file(path: str | os.PathLike[str]) -> DeviceKeys:
    """Return the keys in `DEVICE.toml`.

    Raises:
        ConfigError: If the file can't be read, others may read it, or it is wrong.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode & 0o777
            data = stream.read(_MAX_FILE_LEN)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; check the key file") from error
    if mode & _OTHERS_READ_OR_CHANGE:
        raise ConfigError(
            f"a key file must not be open to others, got mode {mode:04o} of {path}; "
            "chmod 600 it"
        )
    try:
        table = tomllib.loads(data.decode("utf-8"))
        keys = {int(i): bytes.fromhex(key) for i, key in table["keys"].items()}
        current = table.get("current")
        min_boot = table.get("min_boot", 0)
        if not isinstance(current, int | None) or not isinstance(min_boot, int):
            raise TypeError("current and min_boot must be integers")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"{path} must hold a table [keys] of id = hex, got {error}; see "
            "docs/uplink.md"
        ) from None
    return DeviceKeys(device=path.stem, keys=keys, current=current, min_boot=min_boot)


class KeyRing:
    """The keys of many devices in a folder; a file is read again when it changes.

    Args:
        folder: holds `DEVICE.toml` for each device.

    Raises:
        ConfigError: If there is no such folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        if not self._folder.is_dir():
            raise ConfigError(f"keys must lie in a folder, got {self._folder}")
        self._read: dict[str, tuple[tuple[int, int, int, int], DeviceKeys]] = {}

    def find(self, device: str, key_id: int) -> bytes | None:
        """Return a key, or None if the device or the id is unknown.

        Raises:
            ConfigError: If the device's file can't be used.
        """
        keys = self.device(device)
        return keys.find(device, key_id) if keys is not None else None

    def device(self, device: str) -> DeviceKeys | None:
        """Return the keys of a device, or None if it is unknown.

        Raises:
            ConfigError: If the device's file can't be used.
        """
        if not is_device_id(device):
            return None
        path = self._folder / f"{device}.toml"
        try:
            stat = path.stat()
        except OSError:
            self._read.pop(device, None)
            return None
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_mode)
        known = self._read.get(device)
        if known is None or known[0] != stamp:
            known = self._read[device] = (stamp, read_key_file(path))
        return known[1]

    def devices(self) -> list[str]:
        """Return the ids of all devices that have a file."""
        stems = (path.stem for path in self._folder.glob("*.toml"))
        return sorted(stem for stem in stems if is_device_id(stem))
