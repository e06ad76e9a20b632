# SPDX-License-Identifier: Apache-2.0
"""Every price has a source and a date; what is not in order is refused clearly."""

from __future__ import annotations

import datetime
import math
from pathlib import Path

import pytest

from costmodel.price_files import (
    FOLDER,
    load_prices,
    price_list_names,
    read_price_file,
)
from costmodel.prices import Messaging, PriceList, all_prices
from costmodel.sources import COPY, STATUSES
from costmodel.units import GB, GIB, HOURS_PER_MONTH, UNITS, find_unit
from dynamic_deep.errors import ConfigError

TEXT = (FOLDER / "gcp_2021.toml").read_text(encoding="utf-8")
FOUNDED = datetime.date(2008, 4, 7)  # no price can be older than the service


@pytest.mark.parametrize("name", price_list_names())
def test_every_price_has_source_and_date(name: str) -> None:
    found = dict(all_prices(load_prices(name)))
    assert len(found) >= 22
    for path, price in found.items():
        assert price.source.where, path
        assert price.source.date > FOUNDED, path
        assert price.source.status in STATUSES, path
        if price.source.status != COPY:
            assert price.source.note or "no page" in price.source.where, path


def test_latest_is_the_youngest() -> None:
    assert load_prices("latest").name == price_list_names()[-1] == "gcp_2026"


def test_the_two_lists_agree_where_prices_did_not_change() -> None:
    """By the hour or the month, by 1,000 or 10,000: the same price."""
    old, new = load_prices("gcp_2021"), load_prices("gcp_2026")
    for before, after in zip(old.storage, new.storage, strict=True):
        month = GIB * HOURS_PER_MONTH
        assert after.at_rest.cost_usd(month) == pytest.approx(
            before.at_rest.cost_usd(month), rel=1e-3
        )
        assert after.write.cost_usd(1e4) == pytest.approx(before.write.cost_usd(1e4))
        assert after.minimum_days == before.minimum_days
    assert new.machine.usd_per_hour == pytest.approx(old.machine.usd_per_hour, rel=1e-3)


def test_gigabytes_of_both_kinds() -> None:
    assert (GB, GIB) == (1_000_000_000, 1_073_741_824)
    assert UNITS["GiB-month"].amount / UNITS["GB-month"].amount == GIB / GB
    assert UNITS["GiB-month"].amount == 730 * UNITS["GiB-hour"].amount
    with pytest.raises(ConfigError, match=r"GB is 10\^9 bytes, GiB is 2\^30"):
        find_unit("gigabyte-month", "byte hours")


@pytest.fixture
def service(prices: PriceList) -> Messaging:
    return prices.messaging_service("iot_core")


def test_tiers_are_paid_one_after_the_other(service: Messaging) -> None:
    # 250 MiB free, then 0.0045 up to 250 GiB, then 0.0020 a MiB
    mib = 2**20
    assert service.cost_usd_per_month(250 * mib) == 0
    assert service.cost_usd_per_month(350 * mib) == pytest.approx(100 * 0.0045)
    full = (250 * 1024 - 250) * 0.0045
    assert service.cost_usd_per_month(250 * 1024 * mib) == pytest.approx(full)
    more = service.cost_usd_per_month((250 * 1024 + 1000) * mib)
    assert more == pytest.approx(full + 1000 * 0.0020)


def test_messages_have_a_least_size(prices: PriceList, service: Messaging) -> None:
    assert service.billed_bytes(25) == 1024
    assert service.billed_bytes(4000) == 4000
    pubsub = prices.messaging_service("pubsub")
    assert pubsub.billed_bytes(10) == 2 * 1000
    assert pubsub.billed_bytes(1960) == 2 * 2000
    assert math.isinf(pubsub.tiers[-1].up_to_bytes)


BROKEN = {
    "no unit": (
        'unit = "GiB-month", source = "storage_page" }',
        'source = "storage_page" }',
    ),
    "wrong unit": ("GiB-month", "operations"),
    "unknown source": ('source = "storage_page"', 'source = "hearsay"'),
    "no date": ("date = 2021-01-19\n", ""),
    "quoted date": ("date = 2021-01-19", 'date = "2021-01-19"'),
    "status": ('status = "copy"', 'status = "sure"'),
    "negative": ("usd = 0.020", "usd = -0.020"),
    "not a number": ("usd = 0.020", 'usd = "0.020"'),
    "infinite": ("usd = 0.020", "usd = inf"),
    "unknown key": ('currency = "USD"', 'currency = "USD"\ncolour = "red"'),
    "currency": ('currency = "USD"', 'currency = "EUR"'),
    "memory in GB": ("GiB-hour", "GB-hour"),
    "tiers fall": ("up_to = 5\n", "up_to = 5e-9\n"),
    "days": ("minimum_days = 30", "minimum_days = 30.5"),
    "first class": ("[storage.standard]", "[storage.warm]"),
    "not TOML": ("[storage.standard]", "[storage.standard"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_in_order_is_refused(tmp_path: Path, name: str) -> None:
    right, wrong = BROKEN[name]
    assert right in TEXT
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace(right, wrong), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.toml") as caught:
        read_price_file(path)
    assert "must" in str(caught.value)


def test_own_prices_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace("usd = 0.020", "usd = 0.040"), encoding="utf-8")
    mine = load_prices(str(path))
    assert mine.name == "mine"
    assert mine.storage[0].at_rest.usd == 0.040


def test_a_missing_list_is_named() -> None:
    with pytest.raises(ConfigError, match="prices must be one of gcp_2021, gcp_2026"):
        load_prices("aws_2021")
    with pytest.raises(ConfigError, match="must be a readable TOML file"):
        load_prices("/nowhere/prices.toml")
