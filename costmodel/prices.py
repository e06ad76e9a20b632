# SPDX-License-Identifier: Apache-2.0
"""What a cloud asks for: prices with unit and source. No amounts of data here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TypeVar

from costmodel.sources import Source
from costmodel.units import BYTE_HOURS, BYTES, HOURS, OPERATIONS, UNITS, VCPU_HOURS
from dynamic_deep.errors import ConfigError

STANDARD = "standard"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Price:
    """A price in US dollars.

    Attributes:
        usd: for one unit.
        unit: key of `UNITS`.
        source: where it was read.
    """

    usd: float
    unit: str
    source: Source

    def cost_usd(self, amount: float) -> float:
        """Return what an amount costs.

        Args:
            amount: in what the unit counts: bytes, byte hours, operations, hours.
        """
        return self.usd * amount / UNITS[self.unit].amount


@dataclass(frozen=True, kw_only=True)
class StorageClass:
    """A class of object storage.

    Attributes:
        name: such as "nearline".
        at_rest: price of keeping bytes.
        retrieval: price of reading bytes.
        write: price of class A operations: writing, listing, moving into the class.
        read: price of class B operations.
        minimum_days: what an object that leaves sooner is billed for.
    """

    name: str
    at_rest: Price
    retrieval: Price
    write: Price
    read: Price
    minimum_days: int


@dataclass(frozen=True, kw_only=True)
class Tier:
    """A price for the monthly volume up to a limit.

    Attributes:
        up_to_bytes: of a month, from 0; infinite in the last tier.
        price: within this tier.
    """

    up_to_bytes: float
    price: Price


@dataclass(frozen=True, kw_only=True)
class Messaging:
    """A service that takes messages in, and bills volume.

    Attributes:
        name: such as "pubsub".
        minimum_bytes: what a smaller request is billed as.
        added_bytes: what the service itself adds to a message.
        n_passes: how often a message is billed: once in, once out.
        tiers: prices by monthly volume.
    """

    name: str
    minimum_bytes: int
    added_bytes: int
    n_passes: int
    tiers: tuple[Tier, ...]

    def billed_bytes(self, message_bytes: float) -> float:
        """Return what one message is billed as, all passes together."""
        whole = message_bytes + self.added_bytes
        return self.n_passes * max(whole, float(self.minimum_bytes))

    def cost_usd_per_month(self, billed_bytes: float) -> float:
        """Return what a month's volume costs, tier by tier."""
        cost, floor = 0.0, 0.0
        for tier in self.tiers:
            inside = min(billed_bytes, tier.up_to_bytes) - floor
            if inside <= 0:
                break
            cost += tier.price.cost_usd(inside)
            floor = tier.up_to_bytes
        return cost


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The worker that decodes, billed by the second.

    Attributes:
        vcpu: price of a vCPU.
        memory: price of memory.
        n_vcpus: of the worker.
        memory_bytes: of the worker.
        minimum_s: least time that a start is billed for.
    """

    vcpu: Price
    memory: Price
    n_vcpus: float
    memory_bytes: float
    minimum_s: float

    @property
    def usd_per_hour(self) -> float:
        """Price of the whole worker."""
        memory_usd = self.memory.cost_usd(self.memory_bytes)
        return self.vcpu.cost_usd(self.n_vcpus) + memory_usd


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """All prices of one provider, region and time.

    Attributes:
        name: as asked for on the command line.
        title: for a reader.
        region: that the prices hold in.
        storage: classes, warmest first.
        egress: price of bytes that leave the cloud.
        machine: that decodes.
        broker: price of the virtual machine that an MQTT broker and ingest run on.
        secret: price of keeping one device's key in a secret manager.
        messaging: services that take messages in.
    """

    name: str
    title: str
    region: str
    storage: tuple[StorageClass, ...]
    egress: Price
    machine: Machine
    broker: Price
    secret: Price
    messaging: tuple[Messaging, ...]

    def storage_class(self, name: str) -> StorageClass:
        """Return a storage class.

        Raises:
            ConfigError: If there is none of the name.
        """
        return _named(self.storage, name, "storage class", self.name)

    def messaging_service(self, name: str) -> Messaging:
        """Return a messaging service.

        Raises:
            ConfigError: If these prices have none of the name.
        """
        return _named(self.messaging, name, "messaging service", self.name)


NamedT = TypeVar("NamedT", StorageClass, Messaging)


def _named(items: tuple[NamedT, ...], name: str, what: str, where: str) -> NamedT:
    for item in items:
        if item.name == name:
            return item
    known = ", ".join(item.name for item in items)
    raise ConfigError(
        f"{what} must be one of {known} in the prices {where}, got {name!r}; choose "
        "one of these, or other prices"
    )


def all_prices(prices: PriceList) -> Iterator[tuple[str, Price]]:
    """Yield each price with the path of names to it."""
    yield from _walk("", prices)


def _walk(path: str, value: object) -> Iterator[tuple[str, Price]]:
    if isinstance(value, Price):
        yield path, value
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _walk(f"{path}.{getattr(item, 'name', i)}", item)
    elif is_dataclass(value):
        for field in fields(value):
            inner = f"{path}.{field.name}" if path else field.name
            yield from _walk(inner, getattr(value, field.name))


def scaled(prices: T, factor: float) -> T:
    """Return the same prices, every one times a factor: what if all were dearer."""
    return _scaled(prices, factor)


def _scaled(value: T, factor: float) -> T:
    if isinstance(value, Price):
        return replace(value, usd=value.usd * factor)
    if isinstance(value, tuple):
        return tuple(_scaled(item, factor) for item in value)  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        changes = {
            f.name: _scaled(getattr(value, f.name), factor) for f in fields(value)
        }
        return replace(value, **changes)
    return value


KINDS = {
    "at_rest": BYTE_HOURS,
    "retrieval": BYTES,
    "write": OPERATIONS,
    "read": OPERATIONS,
    "volume": BYTES,
    "vcpu": VCPU_HOURS,
    "memory": BYTE_HOURS,
    "broker": HOURS,
    "secret": HOURS,
    "egress": BYTES,
}
EVERYTHING = math.inf
