# SPDX-License-Identifier: Apache-2.0
"""Bring sessions from the inbox to the store: each once, under one name.

Killed at any point, it goes on where it was: an object is put on the condition that it
is what was put last, or not there; what it finds there instead decides what to do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from dynamic_deep.cloud.inbox import Inbox, Part, SessionState
from dynamic_deep.cloud.objects import ObjectName, trusted_start
from dynamic_deep.cloud.publish_book import Plan, PublishBook
from dynamic_deep.cloud.session_bytes import Holding, compare, session_bytes
from dynamic_deep.cloud.store import (
    ABSENT,
    Store,
    StoreConflictError,
    StoreMissingError,
)
from dynamic_deep.uplink.body import open_header
from dynamic_deep.uplink.message import Kind


class Publisher:
    """Puts sessions into a store; several threads may use it, each for a session.

    Args:
        inbox: where they come from.
        store: where they go.
        book: what has been put.
        clock: gives seconds since 1970.

    Attributes:
        n_sessions: sessions done.
        n_puts: objects written, replacements among them.
        n_put_bytes: bytes of these.
        n_unknown_time: sessions done whose device did not know the time.
    """

    def __init__(
        self,
        inbox: Inbox,
        store: Store,
        book: PublishBook,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inbox = inbox
        self._store = store
        self._book = book
        self._clock = clock
        self._lock = threading.Lock()  # of the counts
        self.n_sessions = 0
        self.n_puts = 0
        self.n_put_bytes = 0
        self.n_unknown_time = 0

    def publish_whole(self, state: SessionState) -> str:
        """Put a session that is ready, and let the inbox let go of it.

        Returns:
            The name of its object.

        Raises:
            StoreConflictError: If another session lies there; this one stays in the
                inbox.
            StoreError: If the store does not answer.
            OSError: If the store's disk fails.
            FormatError: If its parts do not make a file.
            InboxError: If the inbox fails.
        """
        parts = self._inbox.session_parts(state.device, state.session)
        plan = self._plan(state, parts)
        data = session_bytes(parts, is_over=True)
        self._put(plan, data)
        self._inbox.mark_published(state.device, state.session)
        self._book.forget(state.device, state.session)
        with self._lock:
            self.n_sessions += 1
            self.n_unknown_time += ObjectName.parse(plan.name).start_time is None
        return plan.name

    def publish_part(self, state: SessionState) -> bool:
        """Put what is here of a session that goes on, if it is more than before.

        Returns:
            Whether anything was put. Raises as `publish_whole`.
        """
        if state.n_here <= self._book.n_here(state.device, state.session):
            return False
        parts = [
            part
            for part in self._inbox.session_parts(state.device, state.session)
            if part.number < state.n_here
        ]
        if not parts or parts[0].kind != Kind.OPEN:
            return False
        plan = self._plan(state, parts)
        generation = self._put(plan, session_bytes(parts, is_over=False))
        self._book.note(
            state.device, state.session, generation=generation, n_here=state.n_here
        )
        return True

    def _plan(self, state: SessionState, parts: list[Part]) -> Plan:
        """Return where a session goes; decided once."""
        header = state.header or b""
        received = datetime.fromtimestamp(self._clock(), UTC)
        start = open_header(header).header.info.start_time
        name = ObjectName(
            device=state.device,
            session=state.session.pack(),
            start_time=trusted_start(start, received),
        )
        return self._book.settle(state.device, state.session, str(name))

    def _put(self, plan: Plan, data: bytes) -> int:
        try:
            return self._write(plan.name, data, plan.generation)
        except StoreConflictError:
            return self._settle(plan, data)

    def _settle(self, plan: Plan, data: bytes) -> int:
        """Decide by what lies there; this receiver may have put it before a crash.

        Returns:
            The generation put. If all of it is there already, the one of before, so
            that the next put looks again, and never replaces more by less.

        Raises:
            StoreConflictError: If it is something else.
        """
        name = plan.name
        try:
            found = self._store.stat(name)
            there = self._store.get(name)
        except StoreMissingError:
            return self._write(name, data, ABSENT)
        holding = compare(there, data)
        if holding is Holding.LESS:
            return self._write(name, data, found.generation)
        if holding is Holding.ENOUGH:
            return plan.generation
        raise StoreConflictError(
            f"{name} must hold this session or nothing, and holds frames that it does "
            "not have; move that object away, the session waits in the inbox"
        )

    def _write(self, name: str, data: bytes, generation: int) -> int:
        new = self._store.put(name, data, if_generation=generation)
        with self._lock:
            self.n_puts += 1
            self.n_put_bytes += len(data)
        return new
