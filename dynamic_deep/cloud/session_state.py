# SPDX-License-Identifier: Apache-2.0
"""Which sessions are here, and how much of each."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from dynamic_deep.uplink.message import SessionId


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionState:
    """A session that is not published yet.

    Attributes:
        device: device id.
        session: the session.
        header: bytes of its `.ddc` header; None while they have not come.
        n_messages: messages it has in all; None while that is unknown.
        n_here: messages from the first on that are here, without a hole.
        n_bytes: bytes of all bodies that are here.
        last_time: when the last message came, seconds since 1970.
    """

    device: str
    session: SessionId
    header: bytes | None
    n_messages: int | None
    n_here: int
    n_bytes: int
    last_time: float

    @property
    def is_ready(self) -> bool:
        """Whether all of it is here, and can be assembled."""
        is_all = self.n_messages is not None and self.n_here >= self.n_messages
        return is_all and self.header is not None


def session_states(db: sqlite3.Connection, condition: str) -> list[SessionState]:
    """Return the unpublished sessions for which a condition in SQL holds, in order."""
    found = db.execute(
        "SELECT device, session, header, n_messages, watermark, (SELECT "
        "total(length(body)) FROM messages WHERE session_id = sessions.id), "
        f"last_time FROM sessions WHERE is_published = 0 AND {condition} "
        "ORDER BY device, session"
    )
    return [
        SessionState(
            device=device,
            session=SessionId.unpack(session),
            header=header,
            n_messages=n_messages,
            n_here=n_here,
            n_bytes=int(n_bytes),
            last_time=last_time,
        )
        for device, session, header, n_messages, n_here, n_bytes, last_time in found
    ]
