# SPDX-License-Identifier: Apache-2.0
"""Price lists as TOML files, and what must be true of one before it is used."""

from __future__ import annotations

from pathlib import Path

from costmodel.prices import (
    EVERYTHING,
    KINDS,
    STANDARD,
    Machine,
    Messaging,
    Price,
    PriceList,
    StorageClass,
    Tier,
)
from costmodel.sources import Source, read_sources
from costmodel.toml_table import Table
from costmodel.units import BYTES, GIB, UNITS, find_unit
from dynamic_deep.errors import ConfigError

FOLDER = Path(__file__).parent / "prices"
LATEST = "latest"  # the youngest list that is shipped, by its name

Sources = dict[str, Source]


def price_list_names() -> list[str]:
    """Return the names of the price lists that are shipped, oldest first."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_prices(name_or_path: str) -> PriceList:
    """Load a price list.

    Args:
        name_or_path: one that is shipped, "latest", or a file that ends in .toml.

    Raises:
        ConfigError: If there is none of the name, or it is not in order.
    """
    if name_or_path.endswith(".toml"):
        return read_price_file(Path(name_or_path))
    names = price_list_names()
    name = names[-1] if name_or_path == LATEST else name_or_path
    if name not in names:
        raise ConfigError(
            f"prices must be one of {', '.join([*names, LATEST])} or a .toml file, got "
            f"{name_or_path!r}"
        )
    return read_price_file(FOLDER / f"{name}.toml")


def read_price_file(path: Path) -> PriceList:
    """Read and check one file.

    Raises:
        ConfigError: If a price lacks unit or source, a unit does not fit, a key is
            missing or unknown.
    """
    file = Table.read(path)
    sources = read_sources(file.table("sources"))
    storage = file.table("storage")
    classes = tuple(
        _storage_class(name, storage.table(name), sources) for name in storage.names()
    )
    if not classes or classes[0].name != STANDARD:
        raise ConfigError(
            f"{path.name} must begin its storage with [storage.{STANDARD}], got "
            f"{classes[0].name if classes else 'none'}; objects are written there"
        )
    messaging = file.table("messaging")
    prices = PriceList(
        name=path.stem,
        title=file.text("title"),
        region=file.text("region"),
        storage=classes,
        egress=_price(file, "egress", sources),
        machine=_machine(file.table("machine"), sources),
        broker=_price(file, "broker", sources),
        secret=_price(file, "secret", sources),
        messaging=tuple(
            _messaging(name, messaging.table(name), sources)
            for name in messaging.names()
        ),
    )
    file.one_of("currency", ("USD",))
    file.finish()
    return prices


def _price(table: Table, key: str, sources: Sources) -> Price:
    row = table.table(key)
    source, unit = row.text("source"), row.text("unit")
    if source not in sources:
        raise ConfigError(
            f"{row.where} must name its source as one of {', '.join(sources)}, got "
            f"{source!r}; add it under [sources.{source}]"
        )
    try:
        find_unit(unit, KINDS[key])
    except ConfigError as error:
        raise ConfigError(f"{row.where}: {error}") from None
    price = Price(usd=row.number("usd"), unit=unit, source=sources[source])
    row.finish()
    return price


def _storage_class(name: str, table: Table, sources: Sources) -> StorageClass:
    found = StorageClass(
        name=name,
        at_rest=_price(table, "at_rest", sources),
        retrieval=_price(table, "retrieval", sources),
        write=_price(table, "write", sources),
        read=_price(table, "read", sources),
        minimum_days=table.whole("minimum_days"),
    )
    table.finish()
    return found


def _messaging(name: str, table: Table, sources: Sources) -> Messaging:
    tiers = []
    for row in table.tables("tiers"):
        limit = EVERYTHING
        if row.has("up_to"):
            unit = row.text("up_to_unit")
            limit = row.number("up_to") * find_unit(unit, BYTES).amount
        tiers.append(Tier(up_to_bytes=limit, price=_price(row, "volume", sources)))
        row.finish()
    limits = [tier.up_to_bytes for tier in tiers]
    if limits != sorted(set(limits)) or limits[-1] != EVERYTHING:
        raise ConfigError(
            f"{table.where}, tiers must rise, and the last have no up_to, got limits "
            f"of {limits} bytes; correct their order"
        )
    found = Messaging(
        name=name,
        minimum_bytes=table.whole("minimum_bytes"),
        added_bytes=table.whole("added_bytes"),
        n_passes=table.whole("n_passes"),
        tiers=tuple(tiers),
    )
    table.finish()
    return found


def _machine(table: Table, sources: Sources) -> Machine:
    memory = _price(table, "memory", sources)
    # A GB of memory is 2^30 bytes at every provider; the price's unit may say GB-hour.
    is_binary = UNITS[memory.unit].amount % GIB == 0
    machine = Machine(
        vcpu=_price(table, "vcpu", sources),
        memory=memory,
        n_vcpus=table.number("n_vcpus"),
        memory_bytes=table.number("memory_gib") * GIB,
        minimum_s=table.number("minimum_s"),
    )
    if not is_binary:
        raise ConfigError(
            f"{table.where}, memory must be priced by GiB-hour, got {memory.unit}; "
            "virtual machines count memory in GiB"
        )
    table.finish()
    return machine
