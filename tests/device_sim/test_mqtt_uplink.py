# SPDX-License-Identifier: Apache-2.0
"""`device_sim/mqtt_uplink.py` and the brokers: in, across, out, and who may not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from paho.mqtt.client import Client

from device_sim.brokers import (
    BrokerError,
    EmbeddedBroker,
    LocalBroker,
    Mosquitto,
    find_mosquitto,
)
from device_sim.certificates import make_certificates
from device_sim.mqtt_uplink import LinkSettings, Login, MqttUplink
from dynamic_deep.cloud.inbox import Verdict
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.ack import Ack, seal_ack
from dynamic_deep.uplink.keys import new_key
from dynamic_deep.uplink.message import SessionId
from dynamic_deep.uplink.transport import BrokerAddress, ack_topic, up_topic
from tests.device_sim.fleet import FAST, Fleet
from tests.device_sim.receiver import connect, files, wait_for

needs_mosquitto = pytest.mark.skipif(
    find_mosquitto() is None, reason="needs mosquitto; .ci/run installs it"
)
Make = Callable[[Path, dict[str, str]], LocalBroker]
BROKERS = [pytest.param(Mosquitto, marks=needs_mosquitto), EmbeddedBroker]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


@pytest.mark.parametrize("make", BROKERS)
def test_everything_arrives_once_and_leaves_the_outbox(
    fleet: Fleet, tmp_path: Path, make: Make
) -> None:
    with (
        make(tmp_path / "broker", fleet.users) as broker,
        fleet.inbox() as inbox,
        fleet.receiver(broker, inbox) as receiver,
        fleet.outbox(group=50) as outbox,
        fleet.uplink(outbox, broker.address) as uplink,
    ):
        for round_ in range(3):
            fleet.record_all(outbox, seed=round_)
        assert uplink.wait_empty(90.0)
        for own in fleet.keys:
            assert files(inbox, own.device) == fleet.expected[own.device]
        assert receiver.verdicts[Verdict.QUARANTINED] == 0
        n_messages = receiver.verdicts[Verdict.ACCEPTED]
        assert inbox.counters()["accepted"] == n_messages
        assert uplink.counts.n_sent == n_messages
        assert uplink.counts.n_false_acks == 0
        wait_for(lambda: uplink.n_online == fleet.n_devices)
        assert uplink.trouble("bed-0") == ""


@pytest.mark.parametrize("make", BROKERS)
def test_a_wrong_password_is_refused_and_nothing_is_lost(
    fleet: Fleet, tmp_path: Path, make: Make
) -> None:
    with (
        make(tmp_path / "broker", fleet.users) as broker,
        fleet.inbox() as inbox,
        fleet.receiver(broker, inbox),
        fleet.outbox() as outbox,
    ):
        fleet.record_all(outbox)
        n_messages = outbox.n_messages
        logins = [Login(keys=own, password="wrong") for own in fleet.keys]
        with MqttUplink(outbox, broker.address, logins, settings=FAST) as uplink:
            wait_for(lambda: uplink.counts.n_refused >= 2 * fleet.n_devices)
            assert uplink.n_online == 0
            assert "Not authorized" in uplink.trouble("bed-0")
        assert outbox.n_messages == n_messages
        assert not inbox.sessions()
        with fleet.uplink(outbox, broker.address) as uplink:
            assert uplink.wait_empty(90.0)
        assert files(inbox, "bed-0") == fleet.expected["bed-0"]


@pytest.mark.parametrize("make", BROKERS)
def test_a_broker_of_another_authority_hears_nothing(
    fleet: Fleet, tmp_path: Path, make: Make
) -> None:
    (tmp_path / "other").mkdir()
    other = make_certificates(tmp_path / "other")
    with make(tmp_path / "broker", fleet.users) as broker, fleet.outbox() as outbox:
        fleet.record_all(outbox)
        n_messages = outbox.n_messages
        address = dataclasses.replace(broker.address, ca_file=other.ca_file)
        with fleet.uplink(outbox, address) as uplink:
            wait_for(lambda: uplink.counts.n_refused >= fleet.n_devices)
            wait_for(lambda: "certificate" in uplink.trouble("bed-0"))
            assert uplink.counts.n_connects == 0
        assert outbox.n_messages == n_messages


@pytest.mark.parametrize("make", BROKERS)
def test_a_device_can_not_write_or_read_for_another(
    fleet: Fleet, tmp_path: Path, make: Make
) -> None:
    heard: list[str] = []
    with (
        make(tmp_path / "broker", fleet.users) as broker,
        fleet.inbox() as inbox,
        fleet.receiver(broker, inbox) as receiver,
        fleet.outbox() as outbox,
    ):
        fleet.record(outbox, fleet.keys[1])
        stolen = outbox.pending("bed-1")[0].data
        thief = connect(broker.address, "bed-0", fleet.users["bed-0"])
        thief.on_message = lambda _client, _data, message: heard.append(message.topic)
        thief.loop_start()
        wait_for(thief.is_connected)
        for topic in ("#", "ddc/1/bed-1/ack", "ddc/1/+/ack", up_topic("bed-1")):
            thief.subscribe(topic, 1)
        forged_ack = seal_ack(
            Ack(device="bed-1", key_id=1, session=SessionId(1, 0), number=99), new_key()
        )
        publish_all(
            thief,
            [
                (up_topic("bed-1"), stolen),
                (ack_topic("bed-1"), forged_ack),
                (up_topic("bed-0"), stolen),
            ],
        )
        # Only the last may come through; it does not fit its topic.
        wait_for(lambda: receiver.verdicts[Verdict.QUARANTINED] == 1)
        assert receiver.verdicts[Verdict.ACCEPTED] == 0
        thief.disconnect()
        thief.loop_stop()
        with fleet.uplink(outbox, broker.address) as uplink:
            assert uplink.wait_empty(90.0)
            assert uplink.counts.n_false_acks == 0
        assert heard == []
        assert files(inbox, "bed-1") == fleet.expected["bed-1"]


def publish_all(client: Client, messages: list[tuple[str, bytes]]) -> None:
    for topic, data in messages:
        client.publish(topic, data, qos=1)


@needs_mosquitto
@pytest.mark.parametrize(
    ("window", "window_bytes", "n_on_way"), [(3, 1 << 18, 3), (16, 400, 2), (16, 1, 1)]
)
def test_no_more_is_on_its_way_than_the_window_holds(
    fleet: Fleet, tmp_path: Path, window: int, window_bytes: int, n_on_way: int
) -> None:
    settings = dataclasses.replace(FAST, window=window, window_bytes=window_bytes)
    with (
        Mosquitto(tmp_path / "broker", fleet.users) as broker,
        fleet.inbox() as inbox,
        fleet.outbox() as outbox,
        fleet.uplink(outbox, broker.address, settings=settings) as uplink,
    ):
        fleet.record(outbox, fleet.keys[0])
        sizes = [len(stored.data) for stored in outbox.pending("bed-0")]
        assert sum(sizes[:2]) < 400 < sum(sizes[:3])
        wait_for(lambda: uplink.counts.n_resent >= 2)
        assert uplink.counts.n_sent == n_on_way
        with fleet.receiver(broker, inbox):
            assert uplink.wait_empty(90.0)
        assert files(inbox, "bed-0") == fleet.expected["bed-0"]


@needs_mosquitto
def test_a_forged_acknowledgement_deletes_nothing(fleet: Fleet, tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "broker", fleet.users) as broker,
        fleet.outbox() as outbox,
        fleet.uplink(outbox, broker.address) as uplink,
    ):
        fleet.record_all(outbox)
        n_messages = outbox.n_messages
        wait_for(lambda: uplink.n_online == fleet.n_devices)
        enemy = connect(broker.address, "ingest", fleet.users["ingest"])
        enemy.loop_start()
        wait_for(enemy.is_connected)
        ack = Ack(device="bed-0", key_id=1, session=SessionId(1, 0), number=99)
        good = seal_ack(ack, fleet.keys[0].key)
        false = [
            seal_ack(ack, new_key()),
            seal_ack(dataclasses.replace(ack, device="bed-1"), fleet.keys[1].key),
            good[:-1],
            good[:-1] + bytes([good[-1] ^ 1]),
            b"",
        ]
        publish_all(enemy, [(ack_topic("bed-0"), data) for data in false])
        wait_for(lambda: uplink.counts.n_false_acks == len(false))
        outbox.commit()
        assert outbox.n_messages == n_messages
        enemy.disconnect()
        enemy.loop_stop()


@needs_mosquitto
def test_a_broker_keeps_its_port_and_tells_why_it_does_not_start(
    fleet: Fleet, tmp_path: Path
) -> None:
    with Mosquitto(tmp_path / "broker", fleet.users) as broker:
        port = broker.address.port
        broker.kill()
        broker.start()
        assert broker.address.port == port
        twin = Mosquitto(tmp_path / "twin", fleet.users)
        settings = tmp_path / "twin" / "mosquitto.conf"
        settings.write_text("nonsense true\n")
        with pytest.raises(BrokerError, match="nonsense"):
            twin.start()


def test_settings_and_authorities_are_checked(fleet: Fleet, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="positive"):
        LinkSettings(window=0)
    (tmp_path / "ca.pem").write_text("no certificate")
    with fleet.outbox() as outbox:
        for ca_file in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
            address = BrokerAddress(host="127.0.0.1", port=1, ca_file=ca_file)
            with pytest.raises(ConfigError, match="PEM"):
                MqttUplink(outbox, address, [])
