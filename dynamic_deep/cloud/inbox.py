# SPDX-License-Identifier: Apache-2.0
"""The durable end of the uplink: messages in, whole sessions out, each once.

Specification: docs/uplink.md. It knows neither a broker nor a store of objects: whoever
calls it acknowledges what `acks` gives, and nothing before `accept_many` has returned.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from dynamic_deep.cloud import session_end, session_rows
from dynamic_deep.cloud.inbox_file import InboxError, InboxFile
from dynamic_deep.cloud.intake import Intake, Outcome, Verdict
from dynamic_deep.cloud.quarantine import (
    DEFAULT_MAX_BYTES,
    Arrival,
    Quarantine,
    Quarantined,
)
from dynamic_deep.cloud.session_state import SessionState, session_states
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.ack import Ack, seal_ack
from dynamic_deep.uplink.assembly import Part
from dynamic_deep.uplink.keys import KeySource
from dynamic_deep.uplink.message import Kind, SessionId

__all__ = [
    "Inbox",
    "InboxError",
    "Outcome",
    "Part",
    "Quarantined",
    "SessionState",
    "Verdict",
]


class Inbox:
    """Takes messages in, and gives sessions out.

    Args:
        path: file of its database; made if it is not there.
        keys: where keys of devices are found.
        clock: gives seconds since 1970.
        max_quarantine_bytes: room for what does not verify.

    Raises:
        InboxError: If the database can't be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        keys: KeySource,
        *,
        clock: Callable[[], float] = time.time,
        max_quarantine_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._quarantine = Quarantine(max_quarantine_bytes)
        self._intake = Intake(keys, self._quarantine)
        self._file = InboxFile(Path(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._file.close()

    def accept(self, topic_device: str, payload: bytes) -> Outcome:
        """Take one message in; see `accept_many`."""
        return self.accept_many([(topic_device, payload)])[0]

    def accept_many(self, arrivals: Iterable[tuple[str, bytes]]) -> list[Outcome]:
        """Take messages in; all are durable when this returns, by one commit.

        Args:
            arrivals: for each the device of its topic, and its bytes.

        Returns:
            What became of each.

        Raises:
            InboxError: If nothing could be written; then nothing was taken in.
        """
        now = self._clock()
        with self._file.transaction() as db:
            return [
                self._intake.take(db, Arrival(topic_device, payload, now))
                for topic_device, payload in arrivals
            ]

    def acks(self, outcomes: Iterable[Outcome]) -> list[tuple[str, bytes]]:
        """Return the acknowledgements that messages call for.

        Args:
            outcomes: what `accept_many` has returned.

        Returns:
            For each device and session: device, and the bytes to publish to it.
        """
        due: dict[tuple[str, SessionId], tuple[int, int]] = {}
        with self._file.reading() as db:
            for outcome in outcomes:
                if not outcome.is_authentic:
                    continue
                name = (outcome.topic_device, outcome.session)
                row = session_rows.row_of(db, *name) if name not in due else None
                if row is not None and row.watermark and not row.has_conflict:
                    due[name] = (outcome.key_id, row.watermark - 1)
        acks = (
            (device, self._ack(device, session, *last))
            for (device, session), last in due.items()
        )
        return [(device, ack) for device, ack in acks if ack is not None]

    def _ack(
        self, device: str, session: SessionId, key_id: int, number: int
    ) -> bytes | None:
        """Return a sealed acknowledgement, or None if the key has gone meanwhile."""
        try:
            key = self._keys.find(device, key_id)
        except ConfigError:
            return None
        ack = Ack(device=device, key_id=key_id, session=session, number=number)
        return seal_ack(ack, key) if key is not None else None

    def sessions(self) -> list[SessionState]:
        """Return all sessions that are not published, by device and in order."""
        return self._states("TRUE")

    def ready_sessions(self) -> list[SessionState]:
        """Return the sessions that are here from the first message to the last."""
        states = self._states("n_messages IS NOT NULL AND watermark >= n_messages")
        return [state for state in states if state.is_ready]

    def session_parts(self, device: str, session: SessionId) -> list[Part]:
        """Return what `assemble` needs of a session, in order.

        Parts whose content was at fault are left out.

        Raises:
            InboxError: If there is no such session, or it is published.
        """
        with self._file.reading() as db:
            row = self._unpublished(db, device, session)
            found = db.execute(
                "SELECT number, kind, body FROM messages WHERE session_id = ? "
                "AND fault IS NULL ORDER BY number",
                (row.row_id,),
            )
            return [Part(number, Kind(kind), body) for number, kind, body in found]

    def mark_published(self, device: str, session: SessionId) -> None:
        """Let go of the bodies of a session that lies safely elsewhere.

        What comes of it from now on is a duplicate; or, where it was published without
        its end, quarantined, acknowledged and never let go of.

        Raises:
            InboxError: If there is no such session, or it is published.
        """
        with self._file.transaction() as db:
            row = self._unpublished(db, device, session)
            session_end.publish(db, row)

    def forget(self, before: float) -> int:
        """Let go of the rows of sessions that were published whole and are old.

        Nothing of them is taken in again: what still comes is quarantined, acknowledged
        and never let go of, since nobody knows any more whether it is a duplicate.

        Args:
            before: seconds since 1970; sessions that had a message since stay.

        Returns:
            How many sessions.
        """
        with self._file.transaction() as db:
            return session_end.forget(db, before)

    def quarantined(self, limit: int = 100) -> list[Quarantined]:
        """Return what was not taken in, newest first."""
        with self._file.reading() as db:
            return self._quarantine.rows(db, limit)

    def counters(self) -> dict[str, int]:
        """Return lasting counts: accepted, duplicate, quarantined and more."""
        with self._file.reading() as db:
            return dict(db.execute("SELECT name, value FROM counters ORDER BY name"))

    def _states(self, condition: str) -> list[SessionState]:
        with self._file.reading() as db:
            return session_states(db, condition)

    @staticmethod
    def _unpublished(
        db: sqlite3.Connection, device: str, session: SessionId
    ) -> session_rows.SessionRow:
        row = session_rows.row_of(db, device, session)
        if row is None or row.is_published:
            state = "published already" if row else "not here"
            raise InboxError(f"session {session} of {device} is {state}")
        return row
