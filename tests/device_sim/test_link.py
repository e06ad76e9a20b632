# SPDX-License-Identifier: Apache-2.0
"""A simulated link repeats itself, agrees with the averages, and respects outages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from device_sim.energy import Link, message
from device_sim.link import PROBES, LinkModel, Outage, link_of
from device_sim.profiles import load_device, load_radio
from dynamic_deep.errors import ConfigError


@pytest.fixture(scope="module")
def ble() -> Link:
    return link_of(load_device("nrf52840"), load_radio("ble_1m"))


def without_loss(link: Link) -> Link:
    return replace(link, protocol=replace(link.protocol, loss=0.0))


def test_the_same_seed_gives_the_same_transfers(ble: Link) -> None:
    one, two = LinkModel(ble, seed=7), LinkModel(ble, seed=7)
    sizes = [1, 244, 245, 5000, 20000]
    assert [one.send(n, 0.0) for n in sizes] == [two.send(n, 0.0) for n in sizes]
    other = LinkModel(ble, seed=8)
    assert [other.send(n, 0.0) for n in sizes] != [two.send(n, 0.0) for n in sizes]


@pytest.mark.parametrize("radio", ["ble_1m", "ble_2m", "lte_m", "nb_iot"])
def test_without_loss_a_transfer_costs_what_the_average_says(radio: str) -> None:
    link = without_loss(link_of(load_device("nrf52840"), load_radio(radio)))
    overhead = int(link.protocol.message_overhead_bytes)
    for n_bytes in (1, 300, 5000):
        sent = LinkModel(link, seed=0).send(n_bytes + overhead, 0.0)
        expected = message(link, n_bytes)
        assert sent.is_delivered
        assert sent.n_retries == 0
        assert sent.n_packets == expected.n_packets
        assert sent.energy_mj == pytest.approx(expected.radio_mj)
        assert sent.airtime_s == pytest.approx(expected.airtime_s)


def test_with_loss_the_mean_is_the_average(ble: Link) -> None:
    link = replace(ble, protocol=replace(ble.protocol, loss=0.2))
    model = LinkModel(link, seed=3)
    sent = [model.send(4453, 0.0) for _ in range(3000)]  # 4400 and the overhead of 53
    expected = message(link, 4400)
    assert np.mean([s.energy_mj for s in sent]) == pytest.approx(
        expected.radio_mj, rel=0.01
    )
    assert np.mean([s.airtime_s for s in sent]) == pytest.approx(
        expected.airtime_s, rel=0.01
    )
    # 19 packets, each sent again 0.25 times on average
    assert np.mean([s.n_retries for s in sent]) == pytest.approx(19 * 0.25, rel=0.05)


def test_latency_has_a_floor_and_a_mean(ble: Link) -> None:
    model = LinkModel(without_loss(ble), seed=5)
    sent = [model.send(100, 0.0) for _ in range(4000)]
    beyond = [s.latency_s - s.airtime_s - ble.protocol.setup_s for s in sent]
    mean_s = 1e-3 * ble.protocol.latency_ms
    assert min(beyond) >= mean_s / 2
    assert np.mean(beyond) == pytest.approx(mean_s, rel=0.03)


def test_packet_edges(ble: Link) -> None:
    model = LinkModel(without_loss(ble), seed=0)
    counts = [model.send(n, 0.0).n_packets for n in (1, 244, 245, 488, 489)]
    assert counts == [1, 1, 2, 2, 3]
    with pytest.raises(ConfigError, match="1 byte or more"):
        model.send(0, 0.0)


def test_nothing_goes_through_an_outage(ble: Link) -> None:
    outages = [Outage(start_s=100, stop_s=700), Outage(start_s=700, stop_s=800)]
    model = LinkModel(ble, seed=1, outages=outages)
    assert model.send(100, 99.0).is_delivered
    for at_s in (100.0, 400.0, 700.0, 799.9):
        lost = model.send(100, at_s)
        assert not lost.is_delivered
        assert lost.energy_mj > 0
        assert lost.n_retries == PROBES - 1
    assert model.send(100, 800.0).is_delivered
    assert model.next_up_s(150.0) == 800.0
    assert model.next_up_s(99.0) == 99.0


def test_an_outage_that_begins_in_between_stops_a_transfer(ble: Link) -> None:
    link = without_loss(ble)
    whole = LinkModel(link, seed=1).send(20_000, 0.0)
    outage = Outage(start_s=whole.airtime_s / 2, stop_s=1000.0)
    cut = LinkModel(link, seed=1, outages=[outage]).send(20_000, 0.0)
    assert not cut.is_delivered
    assert cut.n_packets == whole.n_packets
    assert 0.3 * whole.energy_mj < cut.energy_mj < 0.7 * whole.energy_mj


def test_a_hopeless_link_gives_up(ble: Link) -> None:
    link = replace(ble, protocol=replace(ble.protocol, loss=0.99))
    sent = [LinkModel(link, seed=seed).send(2000, 0.0) for seed in range(20)]
    assert not any(s.is_delivered for s in sent)


@pytest.mark.parametrize(("start_s", "stop_s"), [(5, 5), (6, 5), (-1, 5)])
def test_an_outage_has_an_order(start_s: float, stop_s: float) -> None:
    with pytest.raises(ConfigError, match="start_s < stop_s"):
        Outage(start_s=start_s, stop_s=stop_s)


def test_outages_do_not_overlap(ble: Link) -> None:
    outages = [Outage(start_s=0, stop_s=10), Outage(start_s=9, stop_s=20)]
    with pytest.raises(ConfigError, match="must not overlap"):
        LinkModel(ble, seed=0, outages=outages)
