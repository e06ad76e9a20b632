# SPDX-License-Identifier: Apache-2.0
"""Dimensions and minimum charges of a bill."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costmodel.bill import ITEMS, Bill, Scenario, yearly_bill
from costmodel.measured import read_decode_speed, read_gains
from costmodel.models import Model, all_models
from costmodel.price_files import load_prices
from costmodel.prices import PriceList, scaled
from costmodel.retention import Retention, parse_lifecycle
from costmodel.workload import Workload
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.body import pack_items
from dynamic_deep.uplink.message import TAG_LEN, Kind, Message, SessionId

NAMES = [model.name for model in all_models(read_gains()[0], read_decode_speed())]
COLD = Retention(
    years=2.0, steps=parse_lifecycle("nearline:30,coldline:90,archive:365")
)


def changed(scenario: Scenario, **changes: float) -> Scenario:
    return replace(scenario, workload=replace(scenario.workload, **changes))


def assert_scaled(after: Bill, before: Bill, factor: float) -> None:
    for item in ITEMS:
        assert getattr(after, item) == pytest.approx(factor * getattr(before, item)), (
            item
        )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("retention", [Retention(), COLD], ids=["standard", "cold"])
def test_linear_in_beds_and_prices(
    scenario: Scenario, models: dict[str, Model], name: str, retention: Retention
) -> None:
    ward = replace(scenario, retention=retention, key_store="secret_manager")
    before = yearly_bill(models[name], ward)
    assert_scaled(yearly_bill(models[name], changed(ward, beds=600.0)), before, 3.0)
    dearer = replace(ward, prices=scaled(ward.prices, 1.5))
    assert_scaled(yearly_bill(models[name], dearer), before, 1.5)


@pytest.mark.parametrize("name", NAMES)
def test_linear_in_hours_and_leads(
    scenario: Scenario, models: dict[str, Model], name: str
) -> None:
    ward = changed(scenario, n_lists_per_day=0.0)
    before = yearly_bill(models[name], ward)
    half = yearly_bill(models[name], changed(ward, hours_per_day=12.0))
    assert_scaled(half, before, 0.5)
    more = yearly_bill(models[name], changed(ward, leads=3))
    assert more.decode_usd == pytest.approx(3 * before.decode_usd)
    assert more.operations_usd == pytest.approx(before.operations_usd)  # one object


def test_linear_in_fetched_history(
    scenario: Scenario, models: dict[str, Model]
) -> None:
    ward = replace(scenario, retention=COLD, egress_share=0.5)
    bills = [
        yearly_bill(models["ladder"], replace(ward, fetch_share=x))
        for x in (0.0, 0.5, 1.0)
    ]
    for item in ITEMS:
        low, middle, high = (getattr(bill, item) for bill in bills)
        assert middle == pytest.approx((low + high) / 2), item
    assert bills[0].retrieval_usd == 0
    assert bills[0].egress_usd == 0
    assert bills[2].retrieval_usd > 0
    assert bills[2].egress_usd > 0


@given(
    beds=st.floats(0.1, 1e5),
    more=st.floats(0.0, 1e5),
    name=st.sampled_from(NAMES),
    ingest=st.sampled_from(["broker", "none", "pubsub", "iot_core"]),
    years=st.floats(0.01, 20.0),
    lifecycle=st.sampled_from(
        ["", "nearline:30", "nearline:30,coldline:90,archive:365"]
    ),
)
def test_more_devices_never_cost_less(
    beds: float, more: float, name: str, ingest: str, years: float, lifecycle: str
) -> None:
    speed = read_decode_speed()
    models = {m.name: m for m in all_models(read_gains()[0], speed)}
    ward = Scenario(
        workload=Workload(beds=beds),
        prices=load_prices("gcp_2021"),
        retention=Retention(years=years, steps=parse_lifecycle(lifecycle)),
        ingest=ingest,
    )
    before = yearly_bill(models[name], ward)
    after = yearly_bill(models[name], changed(ward, beds=beds + more))
    assert after.total_usd >= before.total_usd * (1 - 1e-12)
    assert all(getattr(before, item.name) >= 0 for item in fields(Bill))


def test_items_add_up(scenario: Scenario, models: dict[str, Model]) -> None:
    bill = yearly_bill(models["ladder"], replace(scenario, ingest="broker"))
    assert bill.total_usd == pytest.approx(sum(getattr(bill, item) for item in ITEMS))
    rest = bill.tasks_usd + bill.ingest_usd + bill.keys_usd
    assert bill.coding_usd == pytest.approx(bill.total_usd - rest)


def test_a_job_is_billed_at_least_a_minute(
    scenario: Scenario, models: dict[str, Model]
) -> None:
    # 365 starts of 60 s at 0.042066 USD an hour, whatever one bed takes
    ward = changed(scenario, beds=1.0, n_jobs_per_day=24.0)
    bill = yearly_bill(models["ladder"], ward)
    least = 24 * 365 * 60 / 3600 * 0.042066
    assert bill.decode_usd + bill.tasks_usd == pytest.approx(least)


def test_small_messages_are_billed_as_a_kilobyte(
    scenario: Scenario, models: dict[str, Model]
) -> None:
    ward = replace(
        changed(scenario, beds=2000.0, windows_per_message=0.01), ingest="pubsub"
    )
    tib_month = ward.workload.messages_per_year * 2 * 1000 / 2**40 / 12
    free = 10 / 1024
    bill = yearly_bill(models["ladder"], ward)
    assert bill.ingest_usd == pytest.approx(12 * 40 * (tib_month - free))
    lossless = yearly_bill(models["lossless"], ward)
    assert lossless.ingest_usd == pytest.approx(bill.ingest_usd)


def test_a_message_is_as_much_longer_than_its_frames_as_counted() -> None:
    frames = bytes(5000)
    message = Message(
        kind=Kind.FRAMES,
        key_id=1,
        device="bed-0017",
        session=SessionId(3, 4),
        number=5,
        table=bytes(8),
        sealed=pack_items(1000, frames) + bytes(TAG_LEN),
    )
    counted = Workload().message_overhead_bytes
    assert len(message.pack()) - len(frames) == counted


def test_sending_raw_too_costs_at_ingest(
    scenario: Scenario, models: dict[str, Model]
) -> None:
    ward = replace(scenario, ingest="pubsub")
    both = yearly_bill(models["ladder_uncompressed"], ward)
    raw = yearly_bill(models["none"], ward)
    assert both.ingest_usd > raw.ingest_usd
    assert both.storage_usd == yearly_bill(models["ladder"], ward).storage_usd


def test_a_slower_worker_costs_in_proportion(
    scenario: Scenario, models: dict[str, Model]
) -> None:
    bills = [
        yearly_bill(models["ladder"], replace(scenario, slowdown=k)) for k in (1.0, 2.0)
    ]
    assert bills[1].decode_usd == pytest.approx(2 * bills[0].decode_usd)
    assert bills[1].storage_usd == bills[0].storage_usd


def test_keys_cost_by_device(scenario: Scenario, models: dict[str, Model]) -> None:
    bill = yearly_bill(models["ladder"], replace(scenario, key_store="secret_manager"))
    assert bill.keys_usd == pytest.approx(200 * 0.06 * 12)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"fetch_share": 1.5}, "fetch_share must be 0 to 1"),
        ({"egress_share": -0.1}, "egress_share must be 0 to 1"),
        ({"slowdown": float("nan")}, "slowdown must be at least 0"),
        ({"ingest": "pigeon"}, "messaging service must be one of"),
        ({"key_store": "drawer"}, "key_store must be one of"),
        (
            {"retention": Retention(steps=parse_lifecycle("freezer:3"))},
            "storage class must be one of",
        ),
    ],
)
def test_what_can_not_be(
    prices: PriceList, changes: dict[str, object], rule: str
) -> None:
    with pytest.raises(ConfigError, match=rule):
        Scenario(workload=Workload(), prices=prices, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"beds": 0.0}, "beds must be above 0"),
        ({"hours_per_day": 25.0}, "hours_per_day must be at most 24"),
        ({"object_s": -1.0}, "object_s must be above 0"),
        ({"n_writes_per_object": -1.0}, "n_writes_per_object must be at least 0"),
    ],
)
def test_what_a_ward_can_not_be(changes: dict[str, float], rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        Workload(**changes)  # type: ignore[arg-type]
