# SPDX-License-Identifier: Apache-2.0
"""`uplink/transport.py`: addresses and topics."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.transport import (
    BrokerAddress,
    ack_topic,
    device_of_topic,
    up_topic,
)


def test_topics_name_one_device() -> None:
    assert device_of_topic(up_topic("bed-17")) == "bed-17"
    assert ack_topic("bed-17") == "ddc/1/bed-17/ack"
    for name in ("+", "#", "a/b", ""):
        with pytest.raises(ConfigError):
            up_topic(name)


@pytest.mark.parametrize(
    "topic",
    ["", "ddc/1/a/ack", "ddc/2/a/up", "ddc/1//up", "ddc/1/+/up", "ddc/1/../up", "x"],
)
def test_other_topics_name_none(topic: str) -> None:
    assert device_of_topic(topic) is None


@pytest.mark.parametrize(
    ("url", "host", "port", "is_tls"),
    [
        ("mqtts://broker.example", "broker.example", 8883, True),
        ("mqtt://127.0.0.1:1900", "127.0.0.1", 1900, False),
        ("mqtts://[::1]:9", "::1", 9, True),
    ],
)
def test_addresses(url: str, host: str, port: int, is_tls: bool) -> None:
    address = BrokerAddress.parse(url)
    assert (address.host, address.port, address.is_tls) == (host, port, is_tls)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker.example",
        "http://broker.example",
        "mqtts://",
        "mqtts://a:0",
        "mqtts://a:99999",
        "mqtts://user:word@a",
        "mqtts://a/topic",
    ],
)
def test_wrong_addresses(url: str) -> None:
    with pytest.raises(ConfigError):
        BrokerAddress.parse(url)


def test_an_authority_goes_with_tls() -> None:
    with pytest.raises(ConfigError, match="mqtts"):
        BrokerAddress.parse("mqtt://a", Path("ca.pem"))
