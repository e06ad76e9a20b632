# SPDX-License-Identifier: Apache-2.0
"""The paper's ward worked out by hand, to the dollar.

200 beds, one lead, 300 Hz, 2 bytes: 200 * 600 B/s * 31,536,000 s = 3.784e12 B a year,
in segments of 2000 samples 946.08 million. At 0.020 USD per 10^9 bytes and month,
12 months: 3784.32 * 0.24 = 908.24 USD. A worker of 1 vCPU and 2 GiB costs 0.033174 +
2 * 0.004446 = 0.042066 USD an hour.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from costmodel.bill import Bill, Scenario, yearly_bill
from costmodel.models import PAPER_MIX, Model, mixed_gain
from costmodel.prices import PriceList
from costmodel.workload import Workload

SEGMENT_S = 2000 / 300


@pytest.fixture
def ward(prices: PriceList) -> Scenario:
    standard = prices.storage[0]
    decimal = replace(standard, at_rest=replace(standard.at_rest, unit="GB-month"))
    return Scenario(
        workload=Workload(
            window_s=SEGMENT_S,
            n_writes_per_object=0.0,
            n_reads_per_object=0.0,
            n_lists_per_day=0.0,
            n_jobs_per_day=0.0,
        ),
        prices=replace(prices, storage=(decimal, *prices.storage[1:])),
        ingest="none",
        fetch_share=0.0,
    )


def model(gain: float, decode_ms: float = 0.0, *, sends_raw: bool = False) -> Model:
    return Model(
        name="m",
        title="m",
        gain=gain,
        gain_kind="nominal",
        gain_source="test",
        decode_s_per_window=decode_ms / 1000,
        is_coded=gain > 1,
        decodes_all=not sends_raw,
        sends_raw=sends_raw,
    )


def test_raw_amounts(ward: Scenario) -> None:
    assert ward.workload.raw_bytes_per_year == pytest.approx(3.78432e12)
    assert ward.workload.windows_per_year == pytest.approx(946.08e6)
    assert ward.prices.machine.usd_per_hour == pytest.approx(0.042066)


@pytest.mark.parametrize(
    ("gain", "usd"),
    [(1, 908.24), (2.7, 336.38), (32.25, 28.16), (48.31, 18.80)],
)
def test_storage(ward: Scenario, gain: float, usd: float) -> None:
    assert yearly_bill(model(gain), ward).storage_usd == pytest.approx(usd, abs=0.01)


def test_storage_of_the_mix_in_bytes(ward: Scenario) -> None:
    # 1 / (0.75/64 + 0.25/1) = 1 / 0.26171875 = 3.8209; 908.24 / 3.8209 = 237.70
    gain = mixed_gain(PAPER_MIX)
    assert gain == pytest.approx(3.8209, abs=1e-4)
    assert yearly_bill(model(gain), ward).storage_usd == pytest.approx(237.70, abs=0.01)


@pytest.mark.parametrize(
    ("decode_ms", "usd"), [(1, 11.06), (5, 55.27), (10, 110.55), (20, 221.1)]
)
def test_decoding_every_segment(ward: Scenario, decode_ms: float, usd: float) -> None:
    bill = yearly_bill(model(48.31, decode_ms), ward)
    assert bill.decode_usd == pytest.approx(usd, abs=0.01)


def total(ward: Scenario, x: float, *, sends_raw: bool) -> Bill:
    coded = model(48.31, 10, sends_raw=sends_raw)
    return yearly_bill(coded, replace(ward, fetch_share=x))


def test_the_papers_models(ward: Scenario) -> None:
    raw = yearly_bill(model(1), ward).total_usd
    uncompressed = [total(ward, x, sends_raw=True).total_usd for x in (0.0, 1.0)]
    assert uncompressed == [
        pytest.approx(18.80, abs=0.01),
        pytest.approx(129.35, abs=0.01),
    ]
    assert 1 - uncompressed[0] / raw == pytest.approx(0.979, abs=5e-4)
    assert 1 - uncompressed[1] / raw == pytest.approx(0.858, abs=5e-4)
    everything = [total(ward, x, sends_raw=False).total_usd for x in (0.0, 1.0)]
    assert everything == [
        pytest.approx(129.35, abs=0.01),
        pytest.approx(239.9, abs=0.01),
    ]


def test_the_trap_of_one_object_a_segment(ward: Scenario) -> None:
    # 946.08e6 objects / 10,000 * 0.05 USD = 4,730.40 USD; one an hour: 1.752e6, 8.76
    def operations(object_s: float) -> float:
        work = replace(ward.workload, n_writes_per_object=1.0, object_s=object_s)
        bill = yearly_bill(model(48.31), replace(ward, workload=work))
        return bill.operations_usd

    assert operations(SEGMENT_S) == pytest.approx(4730.40, abs=0.01)
    assert operations(3600.0) == pytest.approx(8.76, abs=0.01)


def test_binary_gigabytes_cost_seven_percent_less(
    ward: Scenario, prices: PriceList
) -> None:
    # 3.78432e12 / 2^30 * 0.24 = 845.86
    binary = yearly_bill(model(1), replace(ward, prices=prices))
    decimal = yearly_bill(model(1), ward)
    assert binary.storage_usd == pytest.approx(845.86, abs=0.01)
    assert decimal.storage_usd / binary.storage_usd == pytest.approx(2**30 / 1e9)
