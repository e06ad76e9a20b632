# SPDX-License-Identifier: Apache-2.0
"""The receiver's connection to the broker: messages in, acknowledgements out.

The session at the broker is persistent, so that it keeps what comes while the receiver
is away. A message is confirmed to the broker only when the receiver says so.
"""

from __future__ import annotations

import logging
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dynamic_deep.cloud.arrivals import ArrivalQueue, ArrivedMessage
from dynamic_deep.errors import ConfigError, DynamicDeepError
from dynamic_deep.uplink.message import is_device_id
from dynamic_deep.uplink.transport import RECEIVER_TOPIC, BrokerAddress, ack_topic

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo

DEFAULT_USER = "ingest"
_KEEPALIVE_S = 60
_MAX_WAIT_S = 60  # between two tries to connect
_MAX_ACKS_ON_WAY = 500
_GRANTED = 2  # a greater code of a subscription is a refusal

log = logging.getLogger("dynamic_deep.ingest")


class BrokerRefusedError(DynamicDeepError):
    """The broker does not let the receiver in, or not read what devices send."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who the receiver is at the broker.

    Attributes:
        user: user name and client id.
        password: None: the broker asks for none.
    """

    user: str = DEFAULT_USER
    password: str | None = field(default=None, repr=False)


class IngestLink:
    """A connection that comes back by itself.

    Args:
        address: of the broker.
        login: of the receiver.
        queue: takes what comes.

    Attributes:
        n_connects: connections that came about.
        n_acks: acknowledgements given to the broker for devices.
        refusal: why the broker does not let the receiver in; None if it does.

    Raises:
        ConfigError: If paho-mqtt is missing, or the authority can't be read.
    """

    def __init__(
        self, address: BrokerAddress, login: Login, queue: ArrivalQueue
    ) -> None:
        self._address = address
        self._queue = queue
        self.n_connects = 0
        self.n_acks = 0
        self.refusal: str | None = None
        self._is_subscribed = threading.Event()
        self._last_sent: MQTTMessageInfo | None = None
        self._client = _make_client(address, login)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    @property
    def is_connected(self) -> bool:
        """Whether messages can come."""
        return self._is_subscribed.is_set()

    def start(self) -> None:
        """Begin to connect, and go on trying.

        Raises:
            BrokerRefusedError: If the broker's certificate is not to be trusted.
        """
        host, port = self._address.host, self._address.port
        try:
            self._client.connect(host, port, _KEEPALIVE_S)
        except ssl.SSLCertVerificationError as exc:
            raise BrokerRefusedError(
                f"the broker {self._address} must have a certificate that is trusted, "
                f"got {exc.verify_message}; name its authority by --ca"
            ) from exc
        except OSError as exc:
            log.warning("no connection to %s yet: %s", self._address, exc)
            self._client.connect_async(host, port, _KEEPALIVE_S)
        self._client.loop_start()

    def check(self) -> None:
        """Raise if the broker has refused the receiver.

        Raises:
            BrokerRefusedError: If it has; to try again would not help.
        """
        if self.refusal is not None:
            raise BrokerRefusedError(
                f"the broker {self._address} must let the receiver in, got "
                f"{self.refusal}; check user, password and its access rules"
            )

    def send_acks(self, acks: list[tuple[str, bytes]]) -> None:
        """Tell devices what is durable; without a connection they will ask again."""
        for device, data in acks:
            if self.is_connected and is_device_id(device):
                self._last_sent = self._client.publish(ack_topic(device), data, qos=1)
                self.n_acks += 1

    def confirm(self, messages: list[ArrivedMessage]) -> None:
        """Let the broker forget messages; those of a lost connection come again."""
        for message in messages:
            if message.connection == self.n_connects:
                self._client.ack(message.packet_id, 1)

    def wait_sent(self, timeout_s: float) -> None:
        """Wait until the broker has what was sent, or for a while."""
        if self.is_connected and self._last_sent is not None:
            self._last_sent.wait_for_publish(timeout_s)

    def stop(self) -> None:
        """End the connection; the broker keeps the session."""
        self._queue.close()
        self._client.disconnect()
        self._client.loop_stop()
        self._is_subscribed.clear()

    def _on_connect(
        self, client: Client, _data: Any, _flags: Any, code: Any, *_: Any
    ) -> None:
        if code.is_failure:
            log.error("the broker refuses the receiver: %s", code)
            if not self.n_connects:  # later it may be the broker's own trouble
                self.refusal = str(code)
            return
        self.n_connects += 1
        client.subscribe(RECEIVER_TOPIC, qos=1)

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, codes: list[Any], *_: Any
    ) -> None:
        if any(code.value > _GRANTED for code in codes):
            self.refusal = f"no right to read {RECEIVER_TOPIC}"
            return
        log.info("connected to %s", self._address)
        self._is_subscribed.set()

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: Any, code: Any, *_: Any
    ) -> None:
        if self._is_subscribed.is_set() and code.is_failure:
            log.warning("the connection to %s broke: %s", self._address, code)
        self._is_subscribed.clear()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        parts = message.topic.split("/")
        device = parts[2] if len(parts) == 4 else message.topic
        self._queue.put(
            ArrivedMessage(device, bytes(message.payload), message.mid, self.n_connects)
        )


def _make_client(address: BrokerAddress, login: Login) -> Client:
    try:
        from paho.mqtt import client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion
    except ImportError as exc:
        raise ConfigError(
            f"ingest needs paho-mqtt, which is not there ({exc}); install "
            "dynamic-deep[cloud]"
        ) from exc
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=login.user,
        clean_session=False,
        protocol=mqtt.MQTTv311,
        manual_ack=True,
    )
    client.max_inflight_messages_set(_MAX_ACKS_ON_WAY)
    client.reconnect_delay_set(1, _MAX_WAIT_S)
    if login.password is not None:
        client.username_pw_set(login.user, login.password)
    if address.is_tls:
        try:
            context = ssl.create_default_context(cafile=address.ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise ConfigError(
                f"an authority must be a PEM file, got {exc} for {address.ca_file}"
            ) from exc
        client.tls_set_context(context)
    return client
