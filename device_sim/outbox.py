# SPDX-License-Identifier: Apache-2.0
"""What devices have sealed and not yet delivered, on disk. Nothing is lost silently.

One SQLite file serves one device or a fleet. Messages are committed in groups, one sync
for each; what is not committed is not sent. Rules: docs/uplink.md.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from device_sim.outbox_file import OutboxFile
from device_sim.outbox_state import Amount, OutboxError, Stored, StoredState
from device_sim.session_book import SessionBook
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.ack import Ack
from dynamic_deep.uplink.keys import DeviceKeys
from dynamic_deep.uplink.message import SessionId
from dynamic_deep.uplink.sealed import SealedMessage, SessionStart

__all__ = ["Outbox", "OutboxError", "Stored", "StoredState"]

DEFAULT_MAX_BYTES = 1 << 30
_EACH = 96  # bytes that a message takes beside its own, about


class Outbox:
    """Stores sealed messages until they are acknowledged end to end.

    When there is no room, by `max_bytes` or because the disk is full, `put` returns
    False and takes nothing: the device must stop encoding until an acknowledgement has
    made room. It may be used from several threads.

    Args:
        path: file of the database; made if it is not there.
        max_bytes: bytes of messages that may wait, all devices together.
        group: so many messages make a commit due. With more than 1, call `commit`
            before you wait for something.

    Raises:
        OutboxError: If the file can't be used.
        ConfigError: If a limit is not positive.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        group: int = 1,
    ) -> None:
        if max_bytes < 1 or group < 1:
            raise ConfigError(
                f"limits must be positive, got max_bytes={max_bytes}, group={group}"
            )
        self._max_bytes, self._group_len = max_bytes, group
        self._lock = threading.RLock()
        self._file = OutboxFile(Path(path))
        self._book = SessionBook(self._file.states())
        waiting = self._file.totals()
        self._n_messages = waiting.n_messages
        self._n_bytes = waiting.n_bytes + _EACH * waiting.n_messages
        self._group: list[SealedMessage] = []
        self._acks: dict[tuple[str, SessionId], int] = {}
        self._listeners: list[Callable[[set[str]], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def trouble(self) -> str:
        """Why the last commit could not be written, or an empty text."""
        return self._file.trouble

    @property
    def n_messages(self) -> int:
        """Messages that wait, committed or not."""
        return self._n_messages

    @property
    def n_bytes(self) -> int:
        """Bytes that they take, about."""
        return self._n_bytes

    def has_room(self, n_bytes: int) -> bool:
        """Tell whether `max_bytes` leaves room for a message."""
        return self._n_bytes + n_bytes + _EACH <= self._max_bytes

    def boot(self, devices: Iterable[str]) -> None:
        """Raise the boot counters of devices, durably; before anything is sealed.

        Raises:
            OutboxError: If that can't be written.
        """
        with self._lock:
            self._set_boots({name: self.state(name).boot + 1 for name in devices})

    def _set_boots(self, boots: dict[str, int]) -> None:
        self._file.write_boots(boots)
        for device, boot in boots.items():
            self._book.boot(device, boot)

    def begin(self, keys: DeviceKeys, mark: int = 0) -> SessionStart:
        """Begin the next session of a device; the one before is over.

        Args:
            keys: keys of the device.
            mark: kept with the session; say, the sample that it begins with.

        Raises:
            ConfigError: If the device was not booted.
            OutboxError: If `min_boot` of the keys is above its boot counter, and that
                can't be written.
        """
        with self._lock:
            boot = self.state(keys.device).boot
            if 0 < boot < keys.min_boot:
                self._set_boots({keys.device: keys.min_boot})
            return self._book.begin(keys, mark)

    def state(self, device: str) -> StoredState:
        """Return how far a device has come: its boot and its last stored session."""
        return self._book.state(device)

    def put(self, message: SealedMessage) -> bool:
        """Store a message of the session that its device began last.

        Returns:
            Whether there was room. If not, nothing was taken. Even if so, it is durable
            only after a commit, and sent only then; a device that restarts before goes
            on from the samples that are in durable messages.

        Raises:
            ConfigError: If it is not the next message of that session.
        """
        with self._lock:
            self._book.check(message)
            is_due = len(self._group) >= self._group_len  # only if the disk was full
            if not self.has_room(len(message.data)) or is_due:
                is_committed = self.commit()  # acknowledgements may make room
                if not self.has_room(len(message.data)) or not is_committed:
                    return False
            self._book.take(message)
            self._group.append(message)
            self._n_messages += 1
            self._n_bytes += len(message.data) + _EACH
            if len(self._group) >= self._group_len:
                self.commit()
            return True

    def commit(self) -> bool:
        """Make all that was put durable, and let go of what was acknowledged.

        Returns:
            Whether that succeeded. If the disk is full, what was put stays in memory
            and goes with the next commit.

        Raises:
            OutboxError: If the file fails in another way.
        """
        with self._lock:
            if not self._group and not self._acks:
                return True
            devices = {message.message.device for message in self._group}
            states = {device: self.state(device) for device in devices}
            is_written = self._write(self._group, states)
            if is_written:
                self._group.clear()
            elif self._acks:
                self._let_go(self._file.write_from_reserve(self._acks))
        if is_written:
            for listener in self._listeners:
                listener(devices)
        return is_written

    def _write(
        self, messages: list[SealedMessage], states: dict[str, StoredState]
    ) -> bool:
        gone = self._file.write(self._acks, messages, states)
        if gone is None:
            return False
        self._acks.clear()
        self._let_go(gone)
        return True

    def _let_go(self, gone: Amount) -> None:
        self._n_messages -= gone.n_messages
        self._n_bytes -= gone.n_bytes + _EACH * gone.n_messages

    def pending(self, device: str, *, after: int = 0, limit: int = 16) -> list[Stored]:
        """Return committed messages of a device, oldest first.

        Args:
            device: device id.
            after: only those stored after this `row_id`.
            limit: at most so many.
        """
        with self._lock:
            return [
                Stored(row_id, SessionId.unpack(session), number, data)
                for row_id, session, number, data in self._file.pending(
                    device, after, limit
                )
            ]

    def devices_pending(self) -> set[str]:
        """Return the devices that have committed messages."""
        with self._lock:
            return self._file.devices_pending()

    def acknowledge(self, ack: Ack) -> None:
        """Let go of what an acknowledgement names, with the next commit.

        Whether it is genuine must have been verified.
        """
        with self._lock:
            name = (ack.device, ack.session)
            self._acks[name] = max(ack.number, self._acks.get(name, -1))

    def listen(self, listener: Callable[[set[str]], None]) -> None:
        """Call `listener` after each commit with the devices that have new messages."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Commit what can be, and close the file."""
        with self._lock:
            if self._file.is_open:
                self.commit()
                self._file.close()
