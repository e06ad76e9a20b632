# SPDX-License-Identifier: Apache-2.0
"""Energy scales as it must, and agrees with sums that were worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim.energy import (
    Link,
    battery_days,
    battery_mj,
    break_even_macs,
    compute_mj,
    compute_s,
    cycle_nj,
    marginal_mj_per_byte,
    message,
    n_packets,
    packet_mj,
    session_mj,
    standby_mj,
)
from device_sim.figure import CASES
from device_sim.link import link_of
from device_sim.points import Battery, Cpu, FrontEnd, Protocol, Transceiver
from device_sim.profiles import load_device, load_parts, load_radio, names_of, radios_of
from dynamic_deep.errors import ConfigError

CPU = Cpu(
    supply_v=3.0,
    clock_mhz=64.0,
    active_current_ma=3.2,
    macs_per_cycle=0.5,
    cycles_per_m4_cycle=1.0,
    sleep_current_ua=2.0,
)
RADIO = Transceiver(
    supply_v=3.0,
    tx_current_ma=5.0,
    rx_current_ma=4.0,
    wait_current_ma=1.0,
    setup_mj=0.01,
    tail_mj=0.02,
    floor_current_ua=1.0,
)
PROTOCOL = Protocol(
    payload_bytes=244,
    packet_overhead_bytes=21,
    bitrate_kbps=1000,
    packet_rx_us=80,
    packet_wait_us=300,
    stack_cycles_per_packet=10_000,
    loss=0.0,
    latency_ms=50,
    setup_s=0.002,
    message_overhead_bytes=0,
    reply_bytes=0,
    poll_interval_s=2.0,
    poll_rx_us=80,
    poll_tx_us=80,
    upload_interval_s=30,
)
LINK = Link(cpu=CPU, radio=RADIO, protocol=PROTOCOL)
PAIRS = [
    (device, radio)
    for device in names_of("devices")
    for radio in radios_of(load_device(device))
]


def test_units_by_hand() -> None:
    # 3 V * 3.2 mA = 9.6 mW; / 64 MHz = 0.15 nJ a cycle
    assert cycle_nj(CPU) == pytest.approx(0.15)
    # a million MACs at 0.5 a cycle are 2 million cycles: 0.3 mJ, 31.25 ms
    assert compute_mj(CPU, macs=1e6) == pytest.approx(0.3)
    assert compute_s(CPU, macs=1e6) == pytest.approx(0.03125)
    assert compute_mj(CPU, m4_cycles=2e6) == pytest.approx(0.3)
    # 1 mAh at 1 V is 3.6 J
    assert battery_mj(Battery(capacity_mah=1, voltage_v=1)) == pytest.approx(3600)
    assert battery_days(Battery(capacity_mah=24, voltage_v=1), 3600) == pytest.approx(1)


def test_a_packet_by_hand() -> None:
    # 244 + 21 bytes are 2.12 ms at 1 Mbit/s: 5 mA * 2.12 ms + 4 mA * 0.08 ms
    # + 1 mA * 0.3 ms = 11.22 uC, at 3 V 33.66 uJ; the stack: 10,000 * 0.15 nJ = 1.5 uJ
    assert packet_mj(LINK, 2.12e-3) == pytest.approx(33.66e-3 + 1.5e-3)
    sent = message(LINK, 244)
    assert sent.n_packets == 1
    # the reply's packet without payload: 21 bytes, 0.168 ms at 4 mA, 3 V
    reply = 3 * 4 * 0.168e-3
    assert session_mj(LINK) == pytest.approx(0.03 + reply)
    assert sent.radio_mj == pytest.approx(0.03 + reply + 35.16e-3)
    assert sent.airtime_s == pytest.approx(2.12e-3 + 0.38e-3)


def test_the_edges_of_packets() -> None:
    counts = [n_packets(PROTOCOL, n) for n in (0, 1, 243, 244, 245, 488, 489)]
    assert counts == [0, 1, 1, 1, 2, 2, 3]
    step = message(LINK, 245).radio_mj - message(LINK, 244).radio_mj
    per_byte = message(LINK, 244).radio_mj - message(LINK, 243).radio_mj
    # one byte more than a packet holds costs a packet's overhead, not a byte's
    assert step == pytest.approx(packet_mj(LINK, 8e-6 * (21 + 1)))
    assert step > 10 * per_byte
    with pytest.raises(ConfigError, match="0 bytes or more"):
        n_packets(PROTOCOL, -1)


def test_nothing_to_send_costs_nothing() -> None:
    assert message(LINK, 0).radio_mj == 0.0
    assert message(LINK, 0).n_packets == 0


def test_losses_cost_what_they_repeat() -> None:
    lossy = replace(LINK, protocol=replace(PROTOCOL, loss=0.5))
    once, twice = message(LINK, 1000), message(lossy, 1000)
    assert twice.airtime_s == pytest.approx(2 * once.airtime_s)
    packets = once.radio_mj - session_mj(LINK)
    assert twice.radio_mj - session_mj(LINK) == pytest.approx(2 * packets)


@given(st.integers(1, 10**9), st.integers(2, 50))
def test_computing_is_linear_in_macs_and_cycles(amount: int, times: int) -> None:
    for name in ("macs", "m4_cycles"):
        one = compute_mj(CPU, **{name: amount})
        assert compute_mj(CPU, **{name: amount * times}) == pytest.approx(one * times)


@given(st.integers(1, 100_000), st.integers(1, 2000))
def test_more_bytes_never_cost_less(n_bytes: int, more: int) -> None:
    for device, radio in (("nrf52840", "ble_1m"), ("nrf52840", "lte_m")):
        link = link_of(load_device(device), load_radio(radio))
        before, after = message(link, n_bytes), message(link, n_bytes + more)
        assert after.radio_mj > before.radio_mj
        assert after.airtime_s > before.airtime_s
        assert after.n_packets >= before.n_packets


@given(st.integers(1, 200), st.integers(1, 10))
def test_whole_packets_are_linear(count: int, times: int) -> None:
    one = message(LINK, 244 * count).radio_mj - session_mj(LINK)
    many = message(LINK, 244 * count * times).radio_mj - session_mj(LINK)
    assert many == pytest.approx(one * times)
    assert many == pytest.approx(marginal_mj_per_byte(LINK) * 244 * count * times)


@given(st.floats(0.01, 1e4), st.floats(1.5, 20))
def test_waiting_is_linear_in_hours(hours: float, times: float) -> None:
    front_end = FrontEnd(power_uw=85)
    one = standby_mj(LINK, front_end, hours=hours, n_leads=1)
    many = standby_mj(LINK, front_end, hours=hours * times, n_leads=1)
    assert many == pytest.approx(one * times)


def test_waiting_by_hand() -> None:
    # 2 uA + 1 uA at 3 V and a front end of 91 uW are 100 uW: 360 mJ an hour
    silent = replace(LINK, protocol=replace(PROTOCOL, poll_interval_s=0.0))
    front_end = FrontEnd(power_uw=91)
    assert standby_mj(silent, front_end, hours=1, n_leads=1) == pytest.approx(360)
    two = standby_mj(silent, front_end, hours=1, n_leads=2)
    assert two - 360 == pytest.approx(91e-3 * 3600)
    # 1800 events an hour: setup 10 uJ, then 4 mA * 80 us + 5 mA * 80 us + 1 mA * 150 us
    # = 0.87 uC, at 3 V 2.61 uJ
    kept = standby_mj(LINK, front_end, hours=1, n_leads=1)
    assert kept - 360 == pytest.approx(1800 * 12.61e-3)


@pytest.mark.parametrize(("device", "radio"), PAIRS)
def test_break_even_is_where_both_cost_the_same(device: str, radio: str) -> None:
    for case in CASES:
        link = link_of(load_device(device), load_radio(radio), case)
        macs = break_even_macs(link, 1000.0)
        saved = 1000.0 * marginal_mj_per_byte(link)
        assert compute_mj(link.cpu, macs=macs) == pytest.approx(saved)
        assert break_even_macs(link, 2000.0) == pytest.approx(2 * macs)
        assert break_even_macs(link, 0.001, m4_cycles=1e12) == 0.0


@pytest.mark.parametrize(("device", "radio"), PAIRS)
def test_the_cases_are_in_order(device: str, radio: str) -> None:
    links = [link_of(load_device(device), load_radio(radio), case) for case in CASES]
    front_ends = [load_parts().at("max30003", FrontEnd, case) for case in CASES]
    sent = [message(link, 5000).radio_mj for link in links]
    computed = [compute_mj(link.cpu, macs=1e6, m4_cycles=1e6) for link in links]
    waited = [
        standby_mj(link, front_end, hours=1, n_leads=1)
        for link, front_end in zip(links, front_ends, strict=True)
    ]
    for low, nominal, high in (sent, computed, waited):
        assert low < nominal < high


def test_ble_agrees_with_what_is_known_of_it() -> None:
    """18 nJ a bit with the radio alone, 31 with the processor awake over the 1M PHY."""
    cases = [
        marginal_mj_per_byte(link_of(load_device("nrf52840"), load_radio("ble_1m"), c))
        for c in CASES
    ]
    nj_per_bit = [1e6 * mj / 8 for mj in cases]
    assert nj_per_bit[0] < 18 < nj_per_bit[1] * 1.05
    assert nj_per_bit[1] < 31 < nj_per_bit[2]


def test_a_battery_needs_a_load() -> None:
    with pytest.raises(ConfigError, match="must draw energy"):
        battery_days(Battery(capacity_mah=1, voltage_v=3), 0.0)
