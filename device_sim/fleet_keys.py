# SPDX-License-Identifier: Apache-2.0
"""Keys and passwords of a fleet: made once, given to devices, broker and receiver.

KEYS/DEVICE.toml   the keys of a device, for it and for the receiver
KEYS/passwords     user:password, one a line, for the devices and the receiver
KEYS/mosquitto     the same, hashed, for mosquitto's password_file
KEYS/rules         for mosquitto's acl_file
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from device_sim.local_broker import RECEIVER
from device_sim.mosquitto import access_rules, password_hash
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.keys import (
    DeviceKeys,
    new_device_keys,
    read_key_file,
    write_key_file,
)

PASSWORDS = "passwords"
_OTHERS_READ = 0o077


def make_keys(folder: Path, names: Sequence[str], *, n_each: int = 1) -> None:
    """Make keys and passwords for devices, in a folder that has none.

    Args:
        folder: where to; made if it is not there.
        names: the devices' ids.
        n_each: keys of each device; it begins with the first and changes to the next.

    Raises:
        ConfigError: If there are keys in it already, or `n_each` is out of range.
    """
    if not 1 <= n_each <= 100:
        raise ConfigError(f"a device must have 1 to 100 keys, got {n_each}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ConfigError(
            f"the folder of new keys must be empty, {folder} is not; keys that devices "
            "seal with must not be replaced, so choose another"
        )
    for name in names:
        keys = new_device_keys(name)
        for _ in range(n_each - 1):
            keys = keys.rotated()
        first = DeviceKeys(device=name, keys=keys.keys, current=min(keys.keys))
        write_key_file(folder, first)
    users = {name: secrets.token_urlsafe(18) for name in (*names, RECEIVER)}
    hashed = [f"{user}:{password_hash(word)}" for user, word in users.items()]
    _write_private(folder / "mosquitto", hashed)
    _write_private(folder / "rules", access_rules())
    _write_private(folder / "ingest_password", [users[RECEIVER]])
    # Last: a folder with this file is complete.
    words = [f"{user}:{word}" for user, word in users.items()]
    _write_private(folder / PASSWORDS, words)


def read_keys(folder: Path, names: Sequence[str]) -> list[DeviceKeys]:
    """Return the keys of devices, in the order of their names.

    Raises:
        ConfigError: If a device has none, or a file can't be used.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"keys must lie in a folder, got {folder}; make them by `python -m "
            "device_sim keys`"
        )
    missing = [name for name in names if not (folder / f"{name}.toml").is_file()]
    if missing:
        raise ConfigError(
            f"each device must have a key file in {folder}, {len(missing)} of "
            f"{len(names)} have none, {missing[0]} among them; make them by `python -m "
            f"device_sim keys --devices {len(names)}`"
        )
    return [read_key_file(folder / f"{name}.toml") for name in names]


def read_passwords(path: Path) -> dict[str, str]:
    """Return the passwords of a file of user:password, one a line.

    Raises:
        ConfigError: If it can't be read, others may read it, or a line is wrong.
    """
    try:
        mode = path.stat().st_mode & 0o777
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"{path}: {reason}; check the password file") from error
    if mode & _OTHERS_READ:
        raise ConfigError(
            f"a password file must not be open to others, got mode {mode:04o} of "
            f"{path}; chmod 600 it"
        )
    users: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        user, colon, word = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not (user and colon and word) or user in users:
            raise ConfigError(
                f"a password file must hold user:password on each line, each user "
                f"once, got another form on line {number} of {path}"
            )
        users[user] = word
    return users


def passwords_of(users: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """Return the passwords of devices, in the order of their names.

    Raises:
        ConfigError: If one has none.
    """
    missing = [name for name in names if name not in users]
    if missing:
        raise ConfigError(
            f"each user of the broker must have a password, {len(missing)} of "
            f"{len(names)} have none, {missing[0]} among them; add them to the file"
        )
    return [users[name] for name in names]


def _write_private(path: Path, lines: Sequence[str]) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write("\n".join(lines) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
