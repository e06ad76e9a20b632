# SPDX-License-Identifier: Apache-2.0
"""One device's connection to the broker: what is on its way, what is acknowledged.

It belongs to the thread of its `MqttUplink`, but for `dial`, which may block.
"""

from __future__ import annotations

import random
import ssl
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from device_sim.link_settings import LinkCounts, LinkSettings
from device_sim.outbox import Outbox, Stored
from dynamic_deep.errors import FormatError
from dynamic_deep.uplink.ack import Ack, read_ack, verifies
from dynamic_deep.uplink.keys import DeviceKeys
from dynamic_deep.uplink.transport import BrokerAddress, ack_topic, up_topic

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage


@dataclass(slots=True)
class _OnItsWay:
    stored: Stored
    sent_s: float
    is_at_broker: bool = False


class MqttLink:
    """Sends a device's messages and hears their acknowledgements.

    Args:
        keys: keys of the device, for acknowledgements.
        password: of the device at the broker.
        outbox: holds the messages.
        address: of the broker.
        settings: windows and times.
        context: for TLS; None: without.

    Attributes:
        counts: what happened.
        trouble: why there is no connection, for a person; empty if there is one.
        is_online: whether the broker has let the device in.
        is_dialling: whether `dial` is at work.
        retry_at_s: when to dial again.
    """

    def __init__(
        self,
        keys: DeviceKeys,
        password: str,
        outbox: Outbox,
        *,
        address: BrokerAddress,
        settings: LinkSettings,
        context: ssl.SSLContext | None,
    ) -> None:
        self.device = keys.device
        self.counts = LinkCounts()
        self.trouble = "not connected yet"
        self.is_online = False
        self.is_dialling = False
        self.retry_at_s = 0.0
        self._keys, self._outbox, self._settings = keys, outbox, settings
        self._retry_s = settings.first_retry_s
        self._random = random.Random(keys.device)
        self._on_its_way: OrderedDict[int, _OnItsWay] = OrderedDict()
        self._by_mid: dict[int, _OnItsWay] = {}
        self._last_row = 0
        self._has_more = True
        self._wait_s = settings.ack_timeout_s
        self._patient_until_s = 0.0
        self.client = self._make_client(password, address, context)

    def _make_client(
        self, password: str, address: BrokerAddress, context: ssl.SSLContext | None
    ) -> Client:
        from paho.mqtt import client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.device,
            clean_session=False,
            protocol=mqtt.MQTTv311,
        )
        client.username_pw_set(self.device, password)
        client.connect_timeout = self._settings.connect_timeout_s
        client.max_inflight_messages_set(self._settings.window)
        if context is not None:
            client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        keepalive_s = self._settings.keepalive_s
        client.connect_async(address.host, address.port, keepalive_s)
        return client

    def dial(self) -> str:
        """Connect, which may take its time; return what went wrong, or nothing."""
        try:
            self.client.reconnect()
        except (OSError, ValueError) as error:
            return str(error) or type(error).__name__
        return ""

    def note_failure(self, trouble: str, now_s: float) -> None:
        """Note that there is no connection, and when to try again."""
        self.is_online = False
        self.trouble = trouble
        half = self._retry_s / 2
        self.retry_at_s = now_s + half + half * self._random.random()
        self._retry_s = min(2 * self._retry_s, self._settings.max_retry_s)

    def send(self, now_s: float) -> None:
        """Send what the window has room for, and again what is overdue."""
        if not self.is_online:
            return
        self._send_again(now_s)
        n_free = self._settings.window - len(self._on_its_way)
        if n_free <= 0 or not self._has_more:
            return
        found = self._outbox.pending(self.device, after=self._last_row, limit=n_free)
        self._has_more = len(found) == n_free
        n_bytes = sum(len(item.stored.data) for item in self._on_its_way.values())
        for stored in found:
            n_bytes += len(stored.data)
            if self._on_its_way and n_bytes > self._settings.window_bytes:
                self._has_more = True
                return
            item = _OnItsWay(stored, now_s)
            self._on_its_way[stored.row_id] = item
            self._last_row = stored.row_id
            self._publish(item)
            self.counts.n_sent += 1

    def _send_again(self, now_s: float) -> None:
        """Send the oldest message again if it is overdue.

        Only the oldest: an acknowledgement tells of all before it, so the others may
        well be there, and more of them would only delay what is slow already.
        """
        item = next(iter(self._on_its_way.values()), None)
        if item is None or now_s < max(
            item.sent_s + self._wait_s, self._patient_until_s
        ):
            return
        if not item.is_at_broker:
            return  # repeating it is the connection's business
        item.sent_s = now_s
        self._wait_s = min(2 * self._wait_s, self._settings.max_ack_timeout_s)
        self._publish(item)
        self.counts.n_resent += 1

    def note_stored(self) -> None:
        """Note that the outbox has new messages."""
        self._has_more = True

    def _publish(self, item: _OnItsWay) -> None:
        item.is_at_broker = False
        info = self.client.publish(up_topic(self.device), item.stored.data, qos=1)
        self._by_mid[info.mid] = item

    def _on_connect(
        self, client: Client, _data: Any, _flags: Any, code: Any, *_: Any
    ) -> None:
        if code.is_failure:
            self.trouble = f"the broker refuses {self.device}: {code}"
            self.counts.n_refused += 1
            return
        self.is_online, self.trouble = True, ""
        self._retry_s = self._settings.first_retry_s
        self._wait_s = self._settings.ack_timeout_s
        self.counts.n_connects += 1
        client.subscribe(ack_topic(self.device), qos=1)

    def _on_disconnect(self, _client: Client, *rest: Any) -> None:
        code = rest[2]
        if self.is_online:
            self.counts.n_lost += 1
            self.trouble = f"the connection broke: {code}"
        self.is_online = False

    def _on_publish(self, _client: Client, _data: Any, mid: int, *_: Any) -> None:
        item = self._by_mid.pop(mid, None)
        if item is not None:
            item.is_at_broker = True

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        ack = self._verified(bytes(message.payload))
        if ack is None:
            self.counts.n_false_acks += 1
            return
        self.counts.n_acks += 1
        self._outbox.acknowledge(ack)
        now_s = time.monotonic()
        for row_id, item in list(self._on_its_way.items()):
            stored = item.stored
            if stored.session == ack.session and stored.number <= ack.number:
                del self._on_its_way[row_id]
                self._wait_s = self._settings.ack_timeout_s
                self._patient_until_s = now_s + 2 * (now_s - item.sent_s)

    def _verified(self, payload: bytes) -> Ack | None:
        try:
            ack = read_ack(payload, self.device)
        except FormatError:
            return None
        key = self._keys.find(self.device, ack.key_id)
        return ack if key is not None and verifies(payload, ack, key) else None
