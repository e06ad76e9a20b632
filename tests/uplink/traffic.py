# SPDX-License-Identifier: Apache-2.0
"""Sessions of devices for tests: sealed messages, and the file they stand for."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from dynamic_deep.container import ContainerWriter, FileHeader, Frame
from dynamic_deep.uplink.assembly import Part
from dynamic_deep.uplink.body import PreviousSession
from dynamic_deep.uplink.keys import DeviceKeys
from dynamic_deep.uplink.message import SessionId, unpack
from dynamic_deep.uplink.sealed import SealedMessage, SessionStart
from dynamic_deep.uplink.sealing import open_sealed
from dynamic_deep.uplink.session import MessageSink
from tests.helpers import make_frames, make_header, n_samples_of

KEYS = DeviceKeys(device="bed-17", keys={1: bytes(range(32))})
FIRST = SessionId(1, 0)
NONE_BEFORE = PreviousSession()
OTHER_KEYS = DeviceKeys(device="bed-18", keys={1: bytes(range(1, 33))})


@dataclass
class SentSession:
    """What a device sends for `frames`, and the file that its encoder writes."""

    keys: DeviceKeys
    session: SessionId
    file: bytes
    frames: list[Frame]
    sealed: list[SealedMessage] = field(default_factory=list)

    @property
    def payloads(self) -> list[bytes]:
        return [message.data for message in self.sealed]

    def parts(self) -> list[Part]:
        return [opened(data, self.keys) for data in self.payloads]

    def previous(self) -> PreviousSession:
        return PreviousSession(self.session, len(self.sealed))


def opened(data: bytes, keys: DeviceKeys = KEYS) -> Part:
    message = unpack(data)
    body = open_sealed(message, keys.keys[message.key_id])
    return Part(message.number, message.kind, body)


def write_file(frames: list[Frame], header: FileHeader, n_windows: int) -> bytes:
    """The file that an encoder writes."""
    stream = io.BytesIO()
    writer = ContainerWriter(stream, header)
    for frame in frames:
        writer.write_frame(frame)
    writer.close(n_samples_of(n_windows, header), n_windows)
    return stream.getvalue()


def send_session(
    n_windows: int = 23,
    n_leads: int = 1,
    *,
    keys: DeviceKeys = KEYS,
    session: SessionId = FIRST,
    previous: PreviousSession = NONE_BEFORE,
    is_closed: bool = True,
    seed: int = 0,
    max_len: int = 60,
    n_frames: int = 5,
    max_bytes: int = 1 << 16,
) -> SentSession:
    header = make_header(n_leads)
    frames = make_frames(n_windows, n_leads, seed=seed, max_len=max_len)
    sent = SentSession(keys, session, write_file(frames, header, n_windows), frames)
    start = SessionStart(
        device=keys.device,
        session=session,
        previous=previous,
        key_id=keys.key_id,
        key=keys.key,
    )

    def store(message: SealedMessage) -> bool:
        sent.sealed.append(message)
        return True

    sink = MessageSink(start, store, n_frames=n_frames, max_bytes=max_bytes)
    writer = ContainerWriter(sink.stream, header)
    for frame in frames:
        writer.write_frame(frame)
    if is_closed:
        writer.close(n_samples_of(n_windows, header), n_windows)
    return sent
