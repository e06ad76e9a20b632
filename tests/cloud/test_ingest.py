# SPDX-License-Identifier: Apache-2.0
"""The receiver at a real broker, over TLS and with passwords: what comes is stored."""

from __future__ import annotations

import gc
import json
import resource
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from device_sim.brokers import Mosquitto, find_mosquitto
from dynamic_deep.cli import main
from dynamic_deep.cloud.catalog import find_objects
from dynamic_deep.cloud.embedded_broker import broker_at
from dynamic_deep.cloud.ingest_status import metrics_text
from dynamic_deep.cloud.metrics_http import MetricsServer
from dynamic_deep.cloud.store import StoreMissingError, open_store
from dynamic_deep.uplink.keys import DeviceKeys, new_key, write_key_file
from dynamic_deep.uplink.transport import BrokerAddress
from tests.cloud.conftest import free_port
from tests.cloud.ward import START, Bed
from tests.cloud.ward_net import (
    Sender,
    ingest_arguments,
    receiving,
    running,
    wait_for,
)

BEDS = ("bed-7", "bed-8")
USERS = {"ingest": "receive", "bed-7": "seven", "bed-8": "eight", "thief": "steal"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if find_mosquitto() is None:
        pytest.skip("needs mosquitto: apt-get install mosquitto")
    with Mosquitto(tmp_path / "broker", USERS) as broker:
        yield broker


@pytest.fixture
def beds(tmp_path: Path) -> list[Bed]:
    return [Bed.known_to(tmp_path / "keys", device) for device in BEDS]


@pytest.fixture
def senders(broker: Mosquitto, beds: list[Bed]) -> Iterator[list[Sender]]:
    made = [Sender(broker.address, bed.keys, USERS[bed.device]) for bed in beds]
    yield made
    for sender in made:
        sender.close()


def stored(url: str) -> list[bytes]:
    store = open_store(url)
    try:
        return [store.get(entry.name) for entry in find_objects(store)]
    except StoreMissingError:  # nothing put yet
        return []


@pytest.mark.parametrize("kind", ["folder", "emulator"])
def test_sessions_of_two_beds_come_through(
    kind: str,
    tmp_path: Path,
    broker: Mosquitto,
    beds: list[Bed],
    senders: list[Sender],
    request: pytest.FixtureRequest,
) -> None:
    is_folder = kind == "folder"
    url = (
        str(tmp_path / "store")
        if is_folder
        else request.getfixturevalue("emulator_url")
    )
    sent = [[bed.session(START + timedelta(hours=h)) for h in range(3)] for bed in beds]
    with receiving(tmp_path, broker.address, url) as ingest:
        for sender, sessions in zip(senders, sent, strict=True):
            for session in sessions:
                sender.deliver(session)
        wait_for(lambda: len(stored(url)) == 6, "objects")
        facts = ingest.stop()
    assert stored(url) == [session.file for sessions in sent for session in sessions]
    n_messages = sum(len(s.payloads) for sessions in sent for s in sessions)
    assert facts["accepted"] == n_messages
    assert facts["quarantined"] == 0
    assert (facts["n_sessions"], facts["n_open"], facts["n_left"]) == (6, 0, 0)
    assert facts["n_puts"] == 6


def test_what_comes_while_it_is_away_is_kept_by_the_broker(
    tmp_path: Path,
    broker: Mosquitto,
    beds: list[Bed],
    senders: list[Sender],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = str(tmp_path / "store")
    with receiving(tmp_path, broker.address, url):
        pass
    session = beds[0].session()
    senders[0].send(session)
    wait_for(lambda: not senders[0].client._out_messages, "the broker")
    arguments = ingest_arguments(tmp_path, broker.address, url)
    assert main(["cloud", "ingest", *arguments, "--until-idle", "1", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["accepted"] == len(session.payloads)
    assert stored(url) == [session.file]
    wait_for(lambda: senders[0].is_done(session), "the acknowledgement")


def test_what_does_not_verify_is_quarantined_and_the_rest_goes_on(
    tmp_path: Path,
    broker: Mosquitto,
    beds: list[Bed],
    senders: list[Sender],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, up = str(tmp_path / "store"), "ddc/1/bed-8/up"
    stranger = Bed("bed-8", DeviceKeys(device="bed-8", keys={1: new_key()}))
    wrong_key, other_id = stranger.session(), beds[0].session()
    good = beds[0].session(START + timedelta(hours=1))
    with receiving(tmp_path, broker.address, url) as ingest:
        for payload in (b"", b"hello", b"\xddu" + bytes(300), *wrong_key.payloads):
            senders[1].client.publish(up, payload, qos=1)
        senders[1].client.publish(up, other_id.payloads[0], qos=1)
        damaged = bytearray(good.payloads[0])
        damaged[-1] ^= 1
        senders[0].client.publish("ddc/1/bed-7/up", bytes(damaged), qos=1)
        senders[0].deliver(good)
        senders[0].deliver(other_id)
        facts = ingest.stop()
    assert facts["quarantined"] == 5 + len(wrong_key.payloads)
    assert senders[1].acked == {}
    assert sorted(stored(url)) == sorted([good.file, other_id.file])
    assert main(["cloud", "quarantine", str(tmp_path / "state")]) == 0
    told = capsys.readouterr().out
    for reason in ("must come by the topic", "must begin with", "'bed-8'", "in all"):
        assert reason in told
    dump = ["--dump", str(tmp_path / "dump"), "--json"]
    assert main(["cloud", "quarantine", str(tmp_path / "state"), *dump]) == 0
    payloads = [path.read_bytes() for path in (tmp_path / "dump").iterdir()]
    assert bytes(damaged) in payloads


def test_a_device_id_with_path_characters_gets_nowhere(
    tmp_path: Path, beds: list[Bed]
) -> None:
    """At a broker that lets anybody write any topic."""
    url, session = str(tmp_path / "store"), beds[0].session()
    length = len("bed-7")
    foreign = session.payloads[0].replace(b"bed-7", b"../b7")
    assert session.payloads[0][5] == len(foreign[6 : 6 + length])
    with (
        broker_at(f"embedded:{free_port()}") as address,
        receiving(tmp_path, address, url) as ingest,
    ):
        sender = Sender(address, beds[0].keys)
        for device in ("..", "ä", "$", "bed-7 ", "." * 300):
            sender.client.publish(f"ddc/1/{device}/up", session.payloads[0], qos=1)
        sender.client.publish("ddc/1/bed-7/up", foreign, qos=1)
        sender.deliver(session)
        wait_for(lambda: stored(url), "the object")
        sender.close()
        facts = ingest.stop()
    assert facts["quarantined"] == 6
    assert "must name a device, got '../b7'" in ingest.log
    assert "by that of '..'" in ingest.log
    assert stored(url) == [session.file]
    assert {path.name for path in (tmp_path / "store").rglob("*.ddc")} == {
        "20261127T090002.250000Z-0000000100000001.ddc"
    }


def test_a_key_that_is_added_meanwhile_is_used(
    tmp_path: Path, broker: Mosquitto, beds: list[Bed], senders: list[Sender]
) -> None:
    url = str(tmp_path / "store")
    (tmp_path / "keys/bed-7.toml").unlink()
    session = beds[0].session()
    with receiving(tmp_path, broker.address, url) as ingest:
        senders[0].send(session)
        ingest.wait_for("must be known with its key")
        write_key_file(tmp_path / "keys", beds[0].keys)
        senders[0].deliver(session)
        ingest.stop()
    assert stored(url) == [session.file]


def test_metrics_and_health_are_served(
    tmp_path: Path, broker: Mosquitto, beds: list[Bed], senders: list[Sender]
) -> None:
    def page(name: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{server.port}/{name}"
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    session = beds[0].session()
    with (
        receiving(tmp_path, broker.address, str(tmp_path / "store")) as receiver,
        MetricsServer(
            lambda: metrics_text(receiver.ingest), receiver.ingest.problems
        ) as server,
    ):
        senders[0].deliver(session)
        assert page("healthz") == (200, "ok\n")
        name = 'dynamic_deep_ingest_messages_total{verdict="accepted"}'
        assert f"{name} {len(session.payloads)}" in page("metrics")[1]
        wait_for(
            lambda: "ingest_sessions_total 1\n" in page("metrics")[1], "publishing"
        )
        broker.stop()
        wait_for(lambda: page("healthz")[0] == 503, "the broken connection")
        assert "no connection to the broker" in page("healthz")[1]
        assert "ingest_connected 0" in page("metrics")[1]
        broker.start()
        wait_for(lambda: page("healthz")[0] == 200, "the connection to come back")


def test_a_full_disk_stops_acknowledging_and_says_so(
    tmp_path: Path, broker: Mosquitto, beds: list[Bed], senders: list[Sender]
) -> None:
    url = str(tmp_path / "store")
    sessions = [beds[0].session(n_windows=60, max_len=3000) for _ in range(2)]
    with running(ingest_arguments(tmp_path, broker.address, url)) as ingest:
        ingest.wait_for("connected")
        limits = (50_000, resource.RLIM_INFINITY)
        resource.prlimit(ingest.process.pid, resource.RLIMIT_FSIZE, limits)
        senders[0].send(sessions[0])
        ingest.wait_for("no longer acknowledged")
        time.sleep(0.5)
        assert not senders[0].is_done(sessions[0])
        free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(ingest.process.pid, resource.RLIMIT_FSIZE, free)
        ingest.wait_for("acknowledged again")
        for session in sessions:
            senders[0].deliver(session)
        ingest.stop()
    assert len(stored(url)) == 2


def test_a_wrong_password_ends_it_with_one_line(
    tmp_path: Path,
    broker: Mosquitto,
    beds: list[Bed],
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ingest_arguments(tmp_path, broker.address, str(tmp_path / "store"))
    (tmp_path / "password").write_text("wrong\n")
    assert main(["cloud", "ingest", *arguments]) == 1
    assert "must let the receiver in" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_is_not_trusted_ends_it_with_one_line(
    tmp_path: Path,
    broker: Mosquitto,
    beds: list[Bed],
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ingest_arguments(tmp_path, broker.address, str(tmp_path / "store"))
    at = arguments.index("--ca")
    del arguments[at : at + 2]
    assert main(["cloud", "ingest", *arguments]) == 1
    assert "certificate that is trusted" in capsys.readouterr().err
    gc.collect()  # paho leaves the socket of a failed handshake to it


def test_one_state_folder_has_one_receiver(
    tmp_path: Path,
    broker: Mosquitto,
    beds: list[Bed],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = str(tmp_path / "store")
    arguments = ingest_arguments(tmp_path, broker.address, url)
    with receiving(tmp_path, broker.address, url):
        assert main(["cloud", "ingest", *arguments]) == 1
    assert "state folder to itself" in capsys.readouterr().err


def test_interrupting_it_loses_nothing(
    tmp_path: Path, broker: Mosquitto, beds: list[Bed], senders: list[Sender]
) -> None:
    url = str(tmp_path / "store")
    arguments = ingest_arguments(tmp_path, broker.address, url)
    session = beds[0].session(n_windows=300)
    with running(arguments) as ingest:
        ingest.wait_for("connected")
        senders[0].send(session)
        ingest.process.send_signal(signal.SIGINT)
        ingest.result()
    with receiving(tmp_path, broker.address, url):
        senders[0].deliver(session)
    assert stored(url) == [session.file]


def test_the_embedded_broker_is_enough_for_a_trial(
    tmp_path: Path, beds: list[Bed]
) -> None:
    port = free_port()
    address = BrokerAddress(host="127.0.0.1", port=port, is_tls=False)
    arguments = ["--broker", f"embedded:{port}", "--store", str(tmp_path / "store")]
    arguments += ["--keys", str(tmp_path / "keys"), "--state", str(tmp_path / "state")]
    session = beds[0].session()
    with running(arguments) as ingest:
        ingest.wait_for("connected")
        sender = Sender(address, beds[0].keys)
        sender.deliver(session)
        sender.close()
        ingest.stop()
    assert stored(str(tmp_path / "store")) == [session.file]
