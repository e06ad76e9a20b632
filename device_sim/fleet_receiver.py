# SPDX-License-Identifier: Apache-2.0
"""The receiver of a run that brings its own broker: an inbox, and what came into it.

The cloud's own is `dynamic-deep cloud ingest`; this one serves a fleet on one machine.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from device_sim.local_broker import RECEIVER
from dynamic_deep.cloud.inbox import Inbox
from dynamic_deep.errors import ConfigError, DynamicDeepError
from dynamic_deep.uplink.keys import KeySource
from dynamic_deep.uplink.transport import (
    RECEIVER_TOPIC,
    BrokerAddress,
    ack_topic,
    device_of_topic,
)

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

_CONNECT_S = 10.0
_BATCH = 256
_Arrival = tuple[str, bytes]


class ReceiverError(DynamicDeepError):
    """The receiver of a run can't work."""


@dataclass(frozen=True, kw_only=True)
class ReceiverPlace:
    """Where a receiver gets what it needs.

    Attributes:
        address: of the broker.
        password: of the user `ingest` there.
        inbox: file of the inbox.
    """

    address: BrokerAddress
    password: str
    inbox: Path


class FleetReceiver:
    """Takes messages from the broker into an inbox, and acknowledges them.

    Args:
        place: broker and inbox.
        keys: of all devices.

    Attributes:
        inbox: what came.
    """

    def __init__(self, place: ReceiverPlace, keys: KeySource) -> None:
        """Open the inbox."""
        self.inbox = Inbox(place.inbox, keys)
        self._place = place
        self._arrived: queue.Queue[_Arrival | None] = queue.Queue()
        self._is_ready = threading.Event()
        self._client: Client | None = None
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Connect, and listen to all devices.

        Raises:
            ReceiverError: If the broker does not let it.
        """
        self._client = client = self._make_client()
        address = self._place.address
        try:
            client.connect(address.host, address.port)
        except OSError as error:
            raise ReceiverError(
                f"the broker at {address} must answer: {error}"
            ) from None
        client.loop_start()
        if not self._is_ready.wait(_CONNECT_S):
            raise ReceiverError(f"the broker at {address} must let {RECEIVER} listen")
        self._thread.start()

    def close(self) -> None:
        """Finish what has come, and close the inbox."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
        self._arrived.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self.inbox.close()

    def check(self) -> None:
        """Raise what has stopped the receiver.

        Raises:
            ReceiverError: If something has.
        """
        if self._failure is not None:
            raise ReceiverError(f"the receiver has stopped: {self._failure}")

    def _make_client(self) -> Client:
        try:
            from paho.mqtt import client as mqtt
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise ConfigError(
                "the receiver needs the package paho-mqtt, which is missing; install "
                "dynamic-deep[device]"
            ) from error
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=RECEIVER,
            clean_session=False,
            protocol=mqtt.MQTTv311,
        )
        client.username_pw_set(RECEIVER, self._place.password)
        if self._place.address.is_tls:
            client.tls_set(ca_certs=str(self._place.address.ca_file))
        client.max_inflight_messages_set(_BATCH)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: Client, _data: Any, _flags: Any, code: Any, *_: Any
    ) -> None:
        if not code.is_failure:
            client.subscribe(RECEIVER_TOPIC, qos=1)

    def _on_subscribe(self, *_: Any) -> None:
        self._is_ready.set()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        device = device_of_topic(message.topic)
        if device is not None:
            self._arrived.put((device, bytes(message.payload)))

    def _run(self) -> None:
        try:
            while (first := self._arrived.get()) is not None:
                self._take([first, *self._more()])
        except BaseException as error:  # told to whoever asks
            self._failure = error

    def _more(self) -> list[_Arrival]:
        """Return what else has come; a commit for each would wait for the disk."""
        time.sleep(0.005)
        found: list[_Arrival] = []
        while len(found) < _BATCH:
            try:
                arrival = self._arrived.get_nowait()
            except queue.Empty:
                break
            if arrival is None:
                self._arrived.put(None)
                break
            found.append(arrival)
        return found

    def _take(self, arrivals: list[_Arrival]) -> None:
        outcomes = self.inbox.accept_many(arrivals)
        client = self._client
        if client is None:  # it closes; what is not acknowledged comes again
            return
        for device, ack in self.inbox.acks(outcomes):
            client.publish(ack_topic(device), ack, qos=1)
