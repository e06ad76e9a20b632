# SPDX-License-Identifier: Apache-2.0
"""Devices for the tests of ingest: what they code, seal and send."""

from __future__ import annotations

import dataclasses
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dynamic_deep.cloud.inbox import Inbox, SessionState
from dynamic_deep.cloud.publish_book import PublishBook
from dynamic_deep.cloud.publisher import Publisher
from dynamic_deep.cloud.store import Store, open_store
from dynamic_deep.container import ContainerWriter, FileHeader
from dynamic_deep.uplink.body import PreviousSession
from dynamic_deep.uplink.keys import DeviceKeys, new_key, write_key_file
from dynamic_deep.uplink.message import SessionId
from dynamic_deep.uplink.sealed import SealedMessage, SessionStart
from dynamic_deep.uplink.session import MessageSink
from tests.helpers import make_frames, make_header, n_samples_of

START = datetime(2026, 11, 27, 9, 0, 2, 250_000, tzinfo=UTC)
NOW_S = (START + timedelta(hours=2)).timestamp()


@dataclass
class Bed:
    """A device that seals sessions of made-up frames."""

    device: str
    keys: DeviceKeys
    previous: PreviousSession = field(default_factory=PreviousSession)

    @classmethod
    def known_to(cls, key_folder: Path, device: str) -> Bed:
        """A new device whose key the receiver has."""
        keys = DeviceKeys(device=device, keys={1: new_key()})
        key_folder.mkdir(exist_ok=True)
        write_key_file(key_folder, keys)
        return cls(device, keys)

    def session(
        self,
        start_time: datetime | None = START,
        *,
        n_windows: int = 20,
        n_leads: int = 1,
        is_closed: bool = True,
        max_len: int = 60,
        session: SessionId | None = None,
    ) -> BedSession:
        """Seal the next session."""
        last = self.previous.session
        session = session or SessionId(1, last.counter + 1)
        header = dated(make_header(n_leads), start_time)
        messages: list[SealedMessage] = []

        def store(message: SealedMessage) -> bool:
            messages.append(message)
            return True

        start = SessionStart(
            device=self.device,
            session=session,
            previous=self.previous,
            key_id=self.keys.key_id,
            key=self.keys.key,
        )
        sink = MessageSink(start, store, n_frames=3 * n_leads)
        write(sink.stream, header, n_windows, is_closed=is_closed, max_len=max_len)
        file = io.BytesIO()
        write(file, header, n_windows, is_closed=True, max_len=max_len)
        self.previous = PreviousSession(session, len(messages))
        payloads = [message.data for message in messages]
        return BedSession(self.device, session, payloads, file.getvalue())


@dataclass
class BedSession:
    """A session: its messages, and the file that its device wrote."""

    device: str
    session: SessionId
    payloads: list[bytes]
    file: bytes

    @property
    def arrivals(self) -> list[tuple[str, bytes]]:
        return [(self.device, payload) for payload in self.payloads]


def dated(header: FileHeader, start_time: datetime | None) -> FileHeader:
    info = dataclasses.replace(header.info, start_time=start_time)
    return dataclasses.replace(header, info=info)


def write(
    stream: io.RawIOBase | io.BytesIO,
    header: FileHeader,
    n_windows: int,
    *,
    is_closed: bool,
    max_len: int,
) -> None:
    writer = ContainerWriter(stream, header)  # type: ignore[arg-type]
    n_leads = header.info.n_leads
    for frame in make_frames(n_windows, n_leads, seed=0, max_len=max_len):
        writer.write_frame(frame)
    if is_closed:
        writer.close(n_samples_of(n_windows, header), n_windows)


class Receiver:
    """Inbox, book and publisher on a folder, without a broker."""

    def __init__(self, folder: Path, store_url: Path | str) -> None:
        from dynamic_deep.uplink.keys import KeyRing

        folder.mkdir(exist_ok=True)
        (folder / "keys").mkdir(exist_ok=True)
        self.store: Store = open_store(store_url)
        self.inbox = Inbox(folder / "inbox.sqlite", KeyRing(folder / "keys"))
        self.book = PublishBook(folder / "book.sqlite")
        self.publisher = Publisher(
            self.inbox, self.store, self.book, clock=lambda: NOW_S
        )

    def close(self) -> None:
        self.inbox.close()
        self.book.close()

    def take(self, session: BedSession, stop: int | None = None) -> None:
        for outcome in self.inbox.accept_many(session.arrivals[:stop]):
            assert not outcome.reason

    def state(self, session: BedSession) -> SessionState:
        (state,) = (
            s
            for s in self.inbox.sessions()
            if (s.device, s.session) == (session.device, session.session)
        )
        return state

    def objects(self) -> dict[str, bytes]:
        return {found.name: self.store.get(found.name) for found in self.store.list()}
