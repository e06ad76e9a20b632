# SPDX-License-Identifier: Apache-2.0
"""MQTT brokers on this machine: Debian's mosquitto, and amqtt inside of this process.

Both listen on 127.0.0.1 only, with TLS, passwords and the rules of docs/uplink.md.
"""

from device_sim.embedded_broker import EmbeddedBroker
from device_sim.local_broker import RECEIVER, BrokerError, LocalBroker
from device_sim.mosquitto import Mosquitto, find_mosquitto

__all__ = [
    "RECEIVER",
    "BrokerError",
    "EmbeddedBroker",
    "LocalBroker",
    "Mosquitto",
    "find_mosquitto",
]
