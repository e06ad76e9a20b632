# SPDX-License-Identifier: Apache-2.0
"""An outbox whose messages wait for the simulated link before the real one."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable

from device_sim.outbox import Outbox
from device_sim.outbox_state import Stored
from dynamic_deep.uplink.message import NO_SESSION, SessionId
from dynamic_deep.uplink.sealed import SealedMessage

GROUP = 256  # messages of a commit: a sync of the disk for each would take most time
_Place = tuple[SessionId, int]


class GatedOutbox(Outbox):
    """Shows the uplink only what has gone through the simulated link.

    So a simulated outage keeps messages from the real broker, too. All else is as in
    `Outbox`.

    Args:
        path: file of the database; made if it is not there.

    Attributes:
        n_held: messages that wait for the simulated link.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file; what is in it already waits, too."""
        super().__init__(path, group=GROUP)
        self.n_held = self.n_messages
        self._gate = threading.Lock()
        self._released: dict[str, _Place] = {}
        self._unannounced: set[str] = set()
        self._callers: list[Callable[[set[str]], None]] = []

    def put(self, message: SealedMessage) -> bool:
        """Store a message; see `Outbox.put`."""
        is_stored = super().put(message)
        self.n_held += is_stored
        return is_stored

    def release(self, device: str, session: SessionId, number: int) -> None:
        """Let a message and those before it go to the broker, once it is committed.

        Args:
            device: device id.
            session: of the message.
            number: of the message.
        """
        with self._gate:
            before = self._released.get(device, (NO_SESSION, -1))
            if (session, number) > before:
                self._released[device] = (session, number)
                self.n_held -= 1
                self._unannounced.add(device)

    def announce(self) -> None:
        """Tell the uplink what has been let go; a call costs a turn of its thread."""
        with self._gate:
            devices, self._unannounced = self._unannounced, set()
        for caller in self._callers if devices else ():
            caller(devices)

    def pending(self, device: str, *, after: int = 0, limit: int = 16) -> list[Stored]:
        """Return what may be sent; see `Outbox.pending`."""
        with self._gate:
            last = self._released.get(device)
        if last is None:
            return []
        found = super().pending(device, after=after, limit=limit)
        return [stored for stored in found if (stored.session, stored.number) <= last]

    def all_pending(self, device: str) -> list[Stored]:
        """Return all that waits, released or not, oldest first."""
        rows: list[Stored] = []
        read = functools.partial(super().pending, device, limit=GROUP)
        while found := read(after=rows[-1].row_id if rows else 0):
            rows += found
        return rows

    def listen(self, listener: Callable[[set[str]], None]) -> None:
        """Call `listener` with the devices that have something new to send."""
        super().listen(listener)
        self._callers.append(listener)
