# SPDX-License-Identifier: Apache-2.0
"""The broker of a run: one of its own with a receiver, or one that is somewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from device_sim.embedded_broker import EmbeddedBroker
from device_sim.fleet_keys import (
    PASSWORDS,
    make_keys,
    passwords_of,
    read_keys,
    read_passwords,
)
from device_sim.fleet_receiver import FleetReceiver, ReceiverPlace
from device_sim.local_broker import RECEIVER, LocalBroker
from device_sim.mosquitto import Mosquitto
from device_sim.mqtt_uplink import Login
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.keys import DeviceKeys, KeyRing
from dynamic_deep.uplink.transport import BrokerAddress

EMBEDDED = "embedded"
MOSQUITTO = "mosquitto"
RECEIVED = "received"


@dataclass(frozen=True, kw_only=True)
class BrokerChoice:
    """Which broker, and who is known there.

    Attributes:
        name: `embedded` or `mosquitto`, which are started, or the address of one.
        ca_file: authorities to trust for an address with mqtts://.
        keys: folder of the devices' keys.
        passwords: file of their passwords.
        n_keys: keys to make for each device if the run brings its own.
    """

    name: str = EMBEDDED
    ca_file: Path | None = None
    keys: Path | None = None
    passwords: Path | None = None
    n_keys: int = 1

    def __post_init__(self) -> None:
        """Check that what belongs together is there."""
        if not self.is_own and self.keys is None:
            raise ConfigError(
                f"a run against {self.name} needs the devices' keys, got none; make "
                "them by `python -m device_sim keys`, give them to the receiver and "
                "name their folder by --keys"
            )
        if self.is_own and (self.passwords or self.ca_file):
            raise ConfigError(
                f"passwords and authorities belong to a broker that is there already, "
                f"{self.name} is started by the run; leave --passwords and --ca out"
            )

    @property
    def is_own(self) -> bool:
        """Whether the run starts broker and receiver itself."""
        return self.name in (EMBEDDED, MOSQUITTO)


@dataclass(frozen=True, kw_only=True)
class Station:
    """Where devices send to.

    Attributes:
        address: of the broker.
        logins: of the devices, in the order of their names.
        receiver: of the run, if it is its own.
    """

    address: BrokerAddress
    logins: Sequence[Login]
    receiver: FleetReceiver | None


@contextlib.contextmanager
def open_station(
    choice: BrokerChoice, names: Sequence[str], folder: Path
) -> Iterator[Station]:
    """Have a broker to send to, while the context lasts.

    Args:
        choice: which.
        names: of the devices.
        folder: for what a run's own broker and receiver keep.

    Raises:
        ConfigError: If keys or passwords are missing, or mosquitto is.
        BrokerError: If the run's own broker does not start.
    """
    if not choice.is_own:
        yield _there(choice, names)
        return
    place = choice.keys or folder / "keys"
    if choice.keys is None and not (place / PASSWORDS).is_file():
        make_keys(place, names, n_each=choice.n_keys)
    keys = read_keys(place, names)
    users = read_passwords(place / PASSWORDS)
    logins = _logins(keys, users)
    (password,) = passwords_of(users, [RECEIVER])
    with _started(choice.name, folder / "broker", users) as broker:
        where = ReceiverPlace(
            address=broker.address,
            password=password,
            state=folder / "receiver",
            store=folder / RECEIVED,
        )
        with FleetReceiver(where, KeyRing(place)) as receiver:
            yield Station(address=broker.address, logins=logins, receiver=receiver)


def _started(name: str, folder: Path, users: dict[str, str]) -> LocalBroker:
    if name == EMBEDDED:
        return EmbeddedBroker(folder, users)
    if name == MOSQUITTO:
        return Mosquitto(folder, users)
    raise ConfigError(
        f"a broker must be {EMBEDDED}, {MOSQUITTO} or an address, got {name}"
    )


def _there(choice: BrokerChoice, names: Sequence[str]) -> Station:
    address = BrokerAddress.parse(choice.name, choice.ca_file)
    place = choice.keys or Path()
    keys = read_keys(place, names)
    users = read_passwords(choice.passwords or place / PASSWORDS)
    return Station(address=address, logins=_logins(keys, users), receiver=None)


def _logins(keys: Sequence[DeviceKeys], users: dict[str, str]) -> list[Login]:
    words = passwords_of(users, [each.device for each in keys])
    return [
        Login(keys=each, password=word) for each, word in zip(keys, words, strict=True)
    ]
