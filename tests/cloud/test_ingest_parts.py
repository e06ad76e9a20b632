# SPDX-License-Identifier: Apache-2.0
"""Parts of ingest alone: the bounded queue, keys from secrets, the page of metrics."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request

import pytest

from dynamic_deep.cloud.arrivals import ArrivalQueue, ArrivedMessage
from dynamic_deep.cloud.ingest_metrics import Metric, as_text, gauge, resident_bytes
from dynamic_deep.cloud.ingest_settings import IngestSettings
from dynamic_deep.cloud.key_source import KEEP_S, SecretKeys, open_keys, secret_id
from dynamic_deep.cloud.metrics_http import MetricsServer
from dynamic_deep.errors import ConfigError


def message(n_bytes: int = 10, packet_id: int = 0) -> ArrivedMessage:
    return ArrivedMessage("bed-7", bytes(n_bytes), packet_id, 1)


def test_a_full_queue_holds_up_who_brings_more() -> None:
    queue = ArrivalQueue(max_bytes=100, max_messages=3)
    for packet_id in range(3):
        assert queue.put(message(10, packet_id))
    brought = threading.Event()
    thread = threading.Thread(target=lambda: (queue.put(message()), brought.set()))
    thread.start()
    assert not brought.wait(0.1)
    taken = queue.take(2, 10**6, 0.0)
    assert [item.packet_id for item in taken] == [0, 1]
    assert brought.wait(5)
    thread.join()
    assert len(queue) == 2


def test_a_batch_is_bounded_in_bytes_and_one_large_message_passes() -> None:
    queue = ArrivalQueue(max_bytes=100)
    queue.put(message(1000))
    assert len(queue.take(10, 50, 0.0)) == 1
    for _ in range(4):
        queue.put(message(20))
    assert len(queue.take(10, 50, 0.0)) == 3
    assert len(queue.take(10, 50, 0.0)) == 1


def test_a_closed_queue_gives_what_it_has_and_takes_no_more() -> None:
    queue = ArrivalQueue(max_messages=1)
    queue.put(message())
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(queue.put(message())))
    thread.start()
    time.sleep(0.05)
    queue.close()
    thread.join()
    assert answers == [False]
    assert len(queue.take(10, 100, 10.0)) == 1
    assert queue.take(10, 100, 10.0) == []  # at once


class Secrets:
    """A service of secrets that counts the questions."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.now_s = 0.0

    def fetch(self, name: str) -> bytes | None:
        self.asked.append(name)
        return self.held.get(name)

    def keys(self) -> SecretKeys:
        return SecretKeys(self.fetch, clock=lambda: self.now_s)


def test_keys_come_from_secrets_and_are_kept_a_while() -> None:
    secrets = Secrets()
    old, new = bytes(32), bytes(range(32))
    secrets.held["ddc-device-bed-7"] = f'[keys]\n1 = "{old.hex()}"\n'.encode()
    keys = secrets.keys()
    assert keys.find("bed-7", 1) == old
    assert keys.find("bed-7", 2) is None
    assert keys.find("bed-8", 1) is None
    assert keys.find("bed-8", 1) is None
    assert secrets.asked == ["ddc-device-bed-7", "ddc-device-bed-8"]
    secrets.held["ddc-device-bed-7"] += f'2 = "{new.hex()}"\n'.encode()
    assert keys.find("bed-7", 2) is None
    secrets.now_s = KEEP_S
    assert keys.find("bed-7", 2) == new


def test_names_of_secrets_are_valid_and_differ() -> None:
    devices = ["a.b", "a_b", "a_pb", "a__b", "a-b", "a._b", "a_.b", "a" * 64]
    names = [secret_id(device) for device in devices]
    assert len(set(names)) == len(devices)
    for name in names:
        assert name.replace("-", "").replace("_", "").isalnum()
    assert Secrets().keys().find("../etc", 1) is None


def test_a_wrong_secret_is_named_and_not_shown() -> None:
    secrets = Secrets()
    secrets.held["ddc-device-bed-7"] = b'[keys]\n1 = "deadbeef-secret"\n'
    with pytest.raises(ConfigError, match="ddc-device-bed-7") as caught:
        secrets.keys().find("bed-7", 1)
    assert "deadbeef" not in str(caught.value)


@pytest.mark.parametrize("url", ["gcp-secrets://", "gcp-secrets://A B", "nowhere"])
def test_a_wrong_source_of_keys_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="keys must"):
        open_keys(url)


def test_metrics_have_the_form_that_prometheus_reads() -> None:
    metric = Metric(
        name="messages_total",
        kind="counter",
        meaning="Messages.",
        values={'verdict="accepted"': 12.0, 'verdict="duplicate"': 0.5},
    )
    lines = as_text([metric, gauge("connected", "Whether.", False)]).splitlines()
    assert lines[:4] == [
        "# HELP dynamic_deep_ingest_messages_total Messages.",
        "# TYPE dynamic_deep_ingest_messages_total counter",
        'dynamic_deep_ingest_messages_total{verdict="accepted"} 12',
        'dynamic_deep_ingest_messages_total{verdict="duplicate"} 0.5',
    ]
    assert lines[-1] == "dynamic_deep_ingest_connected 0"
    assert resident_bytes() > 1_000_000


def test_the_server_tells_what_is_wrong_and_knows_two_pages() -> None:
    problems = ["the disk is full"]
    with MetricsServer(lambda: "a 1\n", lambda: problems) as server:
        address = f"http://127.0.0.1:{server.port}"
        with urllib.request.urlopen(f"{address}/metrics") as answer:
            assert answer.read() == b"a 1\n"
            assert answer.headers["Content-Type"].startswith(
                "text/plain; version=0.0.4"
            )
        with pytest.raises(urllib.error.HTTPError, match="503") as caught:
            urllib.request.urlopen(f"{address}/healthz")
        assert caught.value.read() == b"the disk is full\n"
        caught.value.close()
        problems.clear()
        with urllib.request.urlopen(f"{address}/healthz") as answer:
            assert answer.read() == b"ok\n"
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            urllib.request.urlopen(f"{address}/../etc/passwd")
        caught.value.close()


def test_times_of_ingest_are_positive() -> None:
    with pytest.raises(ConfigError, match="above 0"):
        IngestSettings(early_s=0.0)
