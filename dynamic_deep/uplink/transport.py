# SPDX-License-Identifier: Apache-2.0
"""Names on the broker: its address, the topics of a device.

Specification: docs/uplink.md, section "Transport". Nothing here speaks MQTT.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.message import check_device_id, is_device_id

RECEIVER_TOPIC = "ddc/1/+/up"
_UP = re.compile(r"ddc/1/([^/]+)/up")
_PORTS = {"mqtt": 1883, "mqtts": 8883}


def up_topic(device: str) -> str:
    """Return the topic to which a device publishes its messages.

    Example:
        >>> up_topic("bed-17")
        'ddc/1/bed-17/up'
    """
    return f"ddc/1/{check_device_id(device)}/up"


def ack_topic(device: str) -> str:
    """Return the topic at which a device hears of what is durable."""
    return f"ddc/1/{check_device_id(device)}/ack"


def device_of_topic(topic: str) -> str | None:
    """Return the device whose `up` topic this is, or None if it is no such topic.

    Example:
        >>> device_of_topic("ddc/1/bed-17/up"), device_of_topic("ddc/1/a/b/up")
        ('bed-17', None)
    """
    match = _UP.fullmatch(topic)
    return match[1] if match and is_device_id(match[1]) else None


@dataclass(frozen=True, kw_only=True)
class BrokerAddress:
    """Where a broker is.

    Attributes:
        host: name or address.
        port: TCP port.
        is_tls: whether the connection is encrypted and the server's name checked.
        ca_file: PEM file of the authorities to trust; those of the system if None.

    Raises:
        ConfigError: If the port is out of range, or an authority goes without TLS.
    """

    host: str
    port: int
    is_tls: bool = True
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        """Check that the fields go together."""
        if not 0 < self.port < 1 << 16 or not self.host:
            raise ConfigError(
                f"a broker must have a host and a port, got {self.host!r}:{self.port}"
            )
        if self.ca_file is not None and not self.is_tls:
            raise ConfigError("an authority goes with mqtts://, got one with mqtt://")

    @classmethod
    def parse(cls, url: str, ca_file: Path | None = None) -> Self:
        """Return the address that `mqtts://HOST[:PORT]` or `mqtt://...` names.

        Raises:
            ConfigError: If it is no such address.

        Example:
            >>> BrokerAddress.parse("mqtts://broker.example").port
            8883
        """
        try:
            parts = urlsplit(url)
            default = _PORTS[parts.scheme]
            port = default if parts.port is None else parts.port
        except (KeyError, ValueError):
            raise ConfigError(
                f"a broker must be named as mqtts://HOST[:PORT], got {url!r}; mqtt:// "
                "goes without TLS"
            ) from None
        if parts.username or parts.path.strip("/") or parts.query:
            raise ConfigError(
                f"a broker's address must be scheme, host and port only, got {url!r}; "
                "name users and passwords in their own options"
            )
        return cls(
            host=parts.hostname or "",
            port=port,
            is_tls=parts.scheme == "mqtts",
            ca_file=ca_file,
        )

    def __str__(self) -> str:
        """Return the address as `parse` takes it."""
        return f"{'mqtts' if self.is_tls else 'mqtt'}://{self.host}:{self.port}"
