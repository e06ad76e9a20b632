# SPDX-License-Identifier: Apache-2.0
"""The link, the broker, the processes fail, with mosquitto: no frame lost or twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from device_sim.brokers import Mosquitto, find_mosquitto
from dynamic_deep.cloud.inbox import Inbox, Verdict
from dynamic_deep.uplink.transport import up_topic
from tests.device_sim.flaky_link import FlakyLink
from tests.device_sim.fleet import Fleet
from tests.device_sim.lone_process import DEVICE, FRAMES
from tests.device_sim.receiver import connect, files, frames_of, wait_for
from tests.helpers import with_byte

pytestmark = pytest.mark.skipif(
    find_mosquitto() is None, reason="needs mosquitto; .ci/run installs it"
)
SPEED = 300.0  # simulated seconds in a second
MESSAGE_S = 60.0  # simulated seconds of signal in a message


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def check(fleet: Fleet, inbox: Inbox) -> None:
    for own in fleet.keys:
        assert files(inbox, own.device) == fleet.expected[own.device]
    assert inbox.counters().get("quarantined", 0) == 0


def test_the_link_is_down_for_ten_minutes(fleet: Fleet, tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "broker", fleet.users) as broker,
        FlakyLink(broker.address.port) as link,
        fleet.inbox() as inbox,
        fleet.receiver(broker, inbox),
        fleet.outbox() as outbox,
        fleet.uplink(outbox, broker.address, port=link.port) as uplink,
    ):
        fleet.record_all(outbox, seed=1)
        assert uplink.wait_empty(90.0)
        link.cut()
        due_s = time.monotonic() + 600.0 / SPEED
        n_waiting, seed = [], 2
        while time.monotonic() < due_s:
            fleet.record_all(outbox, seed=seed)
            n_waiting.append(outbox.n_messages)
            seed += 1
            time.sleep(7 * MESSAGE_S / SPEED)
        assert uplink.n_online == 0
        assert n_waiting == sorted(n_waiting)
        assert outbox.n_messages == n_waiting[-1] > 0, "nothing leaves unacknowledged"
        link.mend()
        assert uplink.wait_empty(90.0)
        assert uplink.counts.n_lost >= fleet.n_devices
        check(fleet, inbox)


def test_the_link_breaks_again_and_again_in_the_middle(
    fleet: Fleet, tmp_path: Path
) -> None:
    rng = random.Random(3)
    with (
        Mosquitto(tmp_path / "broker", fleet.users) as broker,
        FlakyLink(broker.address.port) as link,
        fleet.inbox() as inbox,
        fleet.receiver(broker, inbox),
        fleet.outbox() as outbox,
        fleet.uplink(outbox, broker.address, port=link.port) as uplink,
    ):
        for seed in range(6):
            fleet.record_all(outbox, seed=seed)
            time.sleep(0.1 * rng.random())
            link.cut()
            time.sleep(0.1 * rng.random())
            link.mend()
        assert uplink.wait_empty(90.0)
        check(fleet, inbox)


@pytest.mark.parametrize("is_persistent", [True, False])
def test_the_broker_is_killed_and_comes_back(
    fleet: Fleet, tmp_path: Path, is_persistent: bool
) -> None:
    path = tmp_path / "broker"
    with (
        Mosquitto(path, fleet.users, is_persistent=is_persistent) as broker,
        fleet.inbox() as inbox,
        fleet.outbox() as outbox,
        fleet.uplink(outbox, broker.address) as uplink,
    ):
        # The broker has them, and nobody heard: without persistence they are lost.
        fleet.record_all(outbox, seed=1)
        wait_for(lambda: uplink.counts.n_sent == outbox.n_messages)
        time.sleep(0.2)
        broker.kill()
        fleet.record_all(outbox, seed=2)
        time.sleep(0.3)
        broker.start()
        with fleet.receiver(broker, inbox):
            time.sleep(0.3)
            broker.kill()
            fleet.record_all(outbox, seed=3)
            broker.start()
            assert uplink.wait_empty(90.0)
            check(fleet, inbox)
        assert is_persistent or uplink.counts.n_resent >= fleet.n_devices


def test_the_broker_hangs(fleet: Fleet, tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "broker", fleet.users) as broker,
        fleet.inbox() as inbox,
        fleet.receiver(broker, inbox),
        fleet.outbox() as outbox,
        fleet.uplink(outbox, broker.address) as uplink,
    ):
        wait_for(lambda: uplink.n_online == fleet.n_devices)
        broker.pause()
        fleet.record_all(outbox)
        # Keep-alive finds out: one second of silence, and one without an answer.
        wait_for(lambda: uplink.counts.n_lost == fleet.n_devices)
        broker.go_on()
        assert uplink.wait_empty(90.0)
        check(fleet, inbox)


def test_nobody_acknowledges_for_a_while(fleet: Fleet, tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "broker", fleet.users) as broker,
        fleet.inbox() as inbox,
        fleet.receiver(broker, inbox) as receiver,
        fleet.outbox() as outbox,
        fleet.uplink(outbox, broker.address) as uplink,
    ):
        receiver.is_deaf = True
        fleet.record_all(outbox)
        n_messages = outbox.n_messages
        wait_for(lambda: receiver.verdicts[Verdict.DUPLICATE] >= fleet.n_devices)
        assert outbox.n_messages == n_messages
        receiver.is_deaf = False
        assert uplink.wait_empty(90.0)
        assert receiver.verdicts[Verdict.ACCEPTED] == n_messages
        check(fleet, inbox)


def test_messages_are_repeated_shuffled_and_corrupted_on_the_way(
    fleet: Fleet, tmp_path: Path
) -> None:
    rng = random.Random(5)
    with (
        Mosquitto(tmp_path / "broker", fleet.users) as broker,
        fleet.inbox() as inbox,
        fleet.receiver(broker, inbox) as receiver,
        fleet.outbox() as outbox,
    ):
        fleet.record_all(outbox, seed=1)
        fleet.record_all(outbox, seed=2)
        n_messages, n_bad, clients = outbox.n_messages, 0, []
        for own in fleet.keys:
            good = [s.data for s in outbox.pending(own.device, limit=999)]
            bad = [
                with_byte(data, at, data[at] ^ 1 << rng.randrange(8))
                for data in good
                for at in (rng.randrange(len(data)), rng.randrange(40))
            ]
            bad += [data[: rng.randrange(len(data))] for data in good]
            bad += [data + b"\0" for data in good]
            bad += [rng.randbytes(rng.randrange(300)) for _ in range(10)]
            mixed = good * 3 + bad
            rng.shuffle(mixed)
            client = connect(broker.address, own.device, fleet.users[own.device])
            client.loop_start()
            wait_for(client.is_connected)
            for data in mixed:
                client.publish(up_topic(own.device), data, qos=1)
            n_bad += len(bad)
            clients.append(client)
        n_all = 3 * n_messages + n_bad
        wait_for(lambda: sum(receiver.verdicts.values()) == n_all)
        for client in clients:
            client.disconnect()
            client.loop_stop()
        assert receiver.verdicts == {
            Verdict.ACCEPTED: n_messages,
            Verdict.DUPLICATE: 2 * n_messages,
            Verdict.QUARANTINED: n_bad,
        }
        for own in fleet.keys:
            assert files(inbox, own.device) == fleet.expected[own.device]
        with fleet.uplink(outbox, broker.address) as uplink:
            assert uplink.wait_empty(90.0), "all is acknowledged when it comes again"
        assert receiver.verdicts[Verdict.ACCEPTED] == n_messages


def start(role: str, fleet: Fleet, port: int, kill_at: int) -> subprocess.Popen[bytes]:
    checkout = Path(__file__).resolve().parents[2]
    script = Path(__file__).with_name("lone_process.py")
    return subprocess.Popen(
        [sys.executable, script, role, fleet.folder, str(port), str(kill_at)],
        env=dict(os.environ, PYTHONPATH=str(checkout)),
    )


def check_frames(inbox: Inbox) -> None:
    """All frames of the lone device, each once, in order."""
    assert all(state.is_ready for state in inbox.sessions())
    came = [frame for data in files(inbox, DEVICE) for frame in frames_of(data)]
    assert [(f.level_id, f.payload) for f in came] == [
        (f.level_id, f.payload) for f in FRAMES
    ]


def test_a_device_process_is_killed_while_it_encodes_stores_and_sends(
    tmp_path: Path,
) -> None:
    fleet = Fleet(tmp_path, n_devices=1)
    with (
        Mosquitto(tmp_path / "broker", fleet.users) as broker,
        fleet.inbox() as inbox,
        fleet.receiver(broker, inbox) as receiver,
    ):
        n_killed = 0
        for kill_at in (14, 33, 60, -1):
            process = start("device", fleet, broker.address.port, kill_at)
            n_killed += process.wait(120.0) == -signal.SIGKILL
            assert process.returncode in (0, -signal.SIGKILL)
        assert n_killed >= 2
        assert receiver.verdicts[Verdict.QUARANTINED] == 0
        check_frames(inbox)


def test_a_receiver_process_is_killed_while_it_receives_stores_and_acknowledges(
    tmp_path: Path,
) -> None:
    fleet = Fleet(tmp_path, n_devices=2)
    with (
        Mosquitto(tmp_path / "broker", fleet.users) as broker,
        fleet.outbox() as outbox,
        fleet.uplink(outbox, broker.address) as uplink,
    ):
        fleet.record_all(outbox, seed=1)
        fleet.record_all(outbox, seed=2)
        for kill_at in (20, 71):
            process = start("receiver", fleet, broker.address.port, kill_at)
            assert process.wait(120.0) == -signal.SIGKILL
        process = start("receiver", fleet, broker.address.port, -1)
        assert uplink.wait_empty(90.0)
        process.kill()
        process.wait()
    with fleet.inbox() as inbox:
        check(fleet, inbox)
