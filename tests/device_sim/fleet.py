# SPDX-License-Identifier: Apache-2.0
"""A few devices with an outbox, a broker and a receiver, all real."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from device_sim.brokers import LocalBroker
from device_sim.mqtt_uplink import LinkSettings, Login, MqttUplink
from device_sim.outbox import Outbox
from dynamic_deep.cloud.inbox import Inbox
from dynamic_deep.container import ContainerWriter
from dynamic_deep.uplink.keys import (
    DeviceKeys,
    KeyRing,
    new_device_keys,
    write_key_file,
)
from dynamic_deep.uplink.session import MessageSink
from dynamic_deep.uplink.transport import BrokerAddress
from tests.device_sim.receiver import RECEIVER, Receiver
from tests.helpers import make_frames, make_header, n_samples_of
from tests.uplink.traffic import write_file

FAST = LinkSettings(
    ack_timeout_s=0.4,
    max_ack_timeout_s=2.0,
    first_retry_s=0.05,
    max_retry_s=0.2,
    keepalive_s=1,
    connect_timeout_s=2.0,
)


@dataclass
class Fleet:
    """Names, keys, passwords and files of devices in a folder."""

    folder: Path
    n_devices: int = 3

    def __post_init__(self) -> None:
        self.keys = [new_device_keys(f"bed-{idx}") for idx in range(self.n_devices)]
        self.users = {k.device: f"word of {k.device}" for k in self.keys}
        self.users[RECEIVER] = "word of the receiver"
        self.key_folder = self.folder / "keys"
        self.key_folder.mkdir()
        for own in self.keys:
            write_key_file(self.key_folder, own)
        self.expected: dict[str, list[bytes]] = {k.device: [] for k in self.keys}

    def outbox(self, group: int = 1) -> Outbox:
        outbox = Outbox(self.folder / "outbox.db", group=group)
        outbox.boot([own.device for own in self.keys])
        return outbox

    def inbox(self) -> Inbox:
        return Inbox(self.folder / "inbox.db", KeyRing(self.key_folder))

    def receiver(self, broker: LocalBroker, inbox: Inbox) -> Receiver:
        return Receiver(broker.address, self.users[RECEIVER], inbox)

    def uplink(
        self,
        outbox: Outbox,
        address: BrokerAddress,
        *,
        port: int | None = None,
        settings: LinkSettings = FAST,
    ) -> MqttUplink:
        """The devices' side; by another port where a link lies between."""
        if port is not None:
            address = dataclasses.replace(address, port=port)
        logins = [Login(keys=own, password=self.users[own.device]) for own in self.keys]
        return MqttUplink(outbox, address, logins, settings=settings)

    def record(
        self, outbox: Outbox, own: DeviceKeys, n_windows: int = 13, seed: int = 0
    ) -> None:
        """One session of a device into the outbox; note the file it must become."""
        header = make_header()
        frames = make_frames(n_windows, seed=seed, max_len=150)
        sink = MessageSink(outbox.begin(own), outbox.put, n_frames=2)
        writer = ContainerWriter(sink.stream, header)
        for frame in frames:
            writer.write_frame(frame)
        writer.close(n_samples_of(n_windows, header))
        assert not sink.is_blocked
        self.expected[own.device].append(write_file(frames, header, n_windows))

    def record_all(self, outbox: Outbox, seed: int = 0) -> None:
        for idx, own in enumerate(self.keys):
            self.record(outbox, own, seed=100 * seed + idx)
        outbox.commit()
