# SPDX-License-Identifier: Apache-2.0
"""A device or a receiver as a process of its own, to be killed; run by the tests.

Usage: lone_process.py device|receiver FOLDER PORT KILL_AT. `KILL_AT` counts steps on
the database, see `crash.py`; -1: not at all.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from device_sim.mqtt_uplink import Login, MqttUplink
from device_sim.outbox import Outbox
from dynamic_deep.cloud.inbox import Inbox
from dynamic_deep.container import ContainerWriter, Frame
from dynamic_deep.uplink.keys import KeyRing
from dynamic_deep.uplink.session import MessageSink
from dynamic_deep.uplink.transport import BrokerAddress
from tests.device_sim.crash import KillSwitch
from tests.device_sim.fleet import FAST
from tests.device_sim.receiver import Receiver
from tests.helpers import make_frames, make_header, n_samples_of

DEVICE = "bed-0"
WINDOW = 8960  # samples of a window at 300 Hz
FRAMES = make_frames(40, max_len=80)
SESSION_LEN = 15  # windows


def run_device(folder: Path, address: BrokerAddress, switch: KillSwitch) -> None:
    keys = KeyRing(folder / "keys").device(DEVICE)
    assert keys is not None
    with Outbox(folder / "outbox.db") as outbox:
        switch.arm(outbox._file._db)
        outbox.boot([DEVICE])
        login = Login(keys=keys, password=f"word of {DEVICE}")
        with MqttUplink(outbox, address, [login], settings=FAST) as uplink:
            state = outbox.state(DEVICE)
            done = state.mark + state.n_samples // WINDOW
            while done < len(FRAMES):
                frames = FRAMES[done : done + SESSION_LEN]
                sink = MessageSink(outbox.begin(keys, done), outbox.put, n_frames=3)
                writer = ContainerWriter(sink.stream, make_header())
                for idx, frame in enumerate(frames):
                    writer.write_frame(Frame(idx, 0, frame.level_id, frame.payload))
                    time.sleep(0.002)
                writer.close(n_samples_of(len(frames), make_header()))
                done += len(frames)
            assert uplink.wait_empty(90.0)


def run_receiver(folder: Path, address: BrokerAddress, switch: KillSwitch) -> None:
    with Inbox(folder / "inbox.db", KeyRing(folder / "keys")) as inbox:
        switch.arm(inbox._file.db)
        with Receiver(address, "word of the receiver", inbox):
            time.sleep(300.0)


def main(role: str, folder: str, port: str, kill_at: str) -> None:
    address = BrokerAddress(
        host="127.0.0.1", port=int(port), ca_file=Path(folder) / "broker" / "ca.pem"
    )
    switch = KillSwitch(int(kill_at) if int(kill_at) >= 0 else None)
    if role == "device":
        run_device(Path(folder), address, switch)
    elif role == "receiver":
        run_receiver(Path(folder), address, switch)
    else:
        raise ValueError(f"a role is device or receiver, got {role}")


if __name__ == "__main__":
    main(*sys.argv[1:])
