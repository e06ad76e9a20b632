# SPDX-License-Identifier: Apache-2.0
"""A receiver as small as can be: broker to inbox, acknowledgements back."""

from __future__ import annotations

import queue
import threading
import time
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from dynamic_deep.cloud.inbox import Inbox, Verdict
from dynamic_deep.container import ContainerReader, Frame
from dynamic_deep.uplink.assembly import assemble
from dynamic_deep.uplink.transport import (
    RECEIVER_TOPIC,
    BrokerAddress,
    ack_topic,
    device_of_topic,
)

RECEIVER = "ingest"


def connect(address: BrokerAddress, user: str, password: str) -> Client:
    """A connection of its own thread, that comes back after a break."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=user,
        clean_session=False,
        manual_ack=True,
    )
    client.username_pw_set(user, password)
    client.tls_set(str(address.ca_file))
    client.reconnect_delay_set(min_delay=0.05, max_delay=0.2)  # type: ignore[arg-type]
    client.connect_async(address.host, address.port, keepalive=5)
    return client


class Receiver:
    """Takes in what comes, and acknowledges what is durable.

    Attributes:
        verdicts: how often each came.
        is_deaf: while True nothing is acknowledged to devices.
    """

    def __init__(self, address: BrokerAddress, password: str, inbox: Inbox) -> None:
        self.inbox = inbox
        self.verdicts = dict.fromkeys(Verdict, 0)
        self.is_deaf = False
        self._arrived: queue.SimpleQueue[MQTTMessage] = queue.SimpleQueue()
        self._client = connect(address, RECEIVER, password)
        self._client.on_connect = lambda client, *_: client.subscribe(RECEIVER_TOPIC, 1)
        self._client.on_message = lambda _client, _data, m: self._arrived.put(m)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            batch: list[MQTTMessage] = []
            while len(batch) < 100:
                try:
                    batch.append(self._arrived.get(timeout=0.0 if batch else 0.02))
                except queue.Empty:
                    break
            if batch:
                self._take(batch)

    def _take(self, batch: list[MQTTMessage]) -> None:
        outcomes = self.inbox.accept_many(
            [(device_of_topic(m.topic) or "", bytes(m.payload)) for m in batch]
        )
        for outcome in outcomes:
            self.verdicts[outcome.verdict] += 1
        if not self.is_deaf:
            for device, data in self.inbox.acks(outcomes):
                self._client.publish(ack_topic(device), data, qos=1)
        for message in batch:
            self._client.ack(message.mid, message.qos)


def files(inbox: Inbox, device: str) -> list[bytes]:
    """The files of a device's whole sessions, in order."""
    return [
        assemble(inbox.session_parts(device, state.session))
        for state in inbox.ready_sessions()
        if state.device == device
    ]


def frames_of(data: bytes) -> list[Frame]:
    reader = ContainerReader(data)
    frames = list(reader.frames())
    assert not reader.damage
    return frames


def wait_for(condition, timeout_s: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    due = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < due, "it did not come true in time"
        time.sleep(0.01)
