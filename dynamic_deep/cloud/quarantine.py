# SPDX-License-Identifier: Apache-2.0
"""What could not be taken in: the raw bytes with the reason, in bounded room.

Forged and damaged messages push out older ones of their kind. What a device has sealed,
and is at fault in, is never pushed out: it was acknowledged.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

MAX_KEPT_LEN = 1 << 16  # bytes of one forged or damaged message
DEFAULT_MAX_BYTES = 1 << 26
_EACH = 512  # bytes a row takes beside its payload


class Arrival(NamedTuple):
    """A message as it came.

    Attributes:
        topic_device: the device whose topic it came by.
        payload: its bytes.
        now: when, seconds since 1970.
    """

    topic_device: str
    payload: bytes
    now: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Quarantined:
    """A message that was not taken in.

    Attributes:
        row_id: names it in the database.
        topic_device: the device whose topic it came by.
        reason: what is wrong, for a person.
        is_authentic: whether the device sealed it.
        first_time: when it first came, seconds since 1970.
        last_time: when it came last.
        n_times: how often it came.
        n_bytes: how long it is.
        payload: its bytes, at most the first `MAX_KEPT_LEN` if it is not authentic.
    """

    row_id: int
    topic_device: str
    reason: str
    is_authentic: bool
    first_time: float
    last_time: float
    n_times: int
    n_bytes: int
    payload: bytes


class Quarantine:
    """The quarantine table, to be used inside of a transaction.

    Args:
        max_bytes: of what is not authentic, in all.
    """

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._max_bytes = max_bytes

    def add(
        self,
        db: sqlite3.Connection,
        arrival: Arrival,
        reason: str,
        *,
        is_authentic: bool,
    ) -> None:
        """Keep a message, or count it once more."""
        topic_device, payload, now = arrival
        digest = hashlib.sha256(
            topic_device.encode("utf-8", "replace") + b"\0" + payload
        ).digest()[:16]
        known = db.execute(
            "UPDATE quarantine SET n_times = n_times + 1, last_time = ?, reason = ? "
            "WHERE digest = ?",
            (now, reason, digest),
        )
        if known.rowcount:
            return
        kept = payload if is_authentic else payload[:MAX_KEPT_LEN]
        db.execute(
            "INSERT INTO quarantine(digest, topic_device, reason, is_authentic, "
            "first_time, last_time, n_times, n_bytes, payload) "
            "VALUES(?, ?, ?, ?, ?, ?, 1, ?, ?)",
            (digest, topic_device, reason, is_authentic, now, now, len(payload), kept),
        )
        if not is_authentic:
            self._make_room(db, len(kept) + _EACH)

    def rows(self, db: sqlite3.Connection, limit: int) -> list[Quarantined]:
        """Return the newest of them, newest first."""
        found = db.execute(
            "SELECT id, topic_device, reason, is_authentic, first_time, last_time, "
            "n_times, n_bytes, payload FROM quarantine ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        names = tuple(Quarantined.__dataclass_fields__)
        return [
            Quarantined(
                **(dict(zip(names, row, strict=True)) | {names[3]: bool(row[3])})
            )
            for row in found
        ]

    def _make_room(self, db: sqlite3.Connection, n_added: int) -> None:
        """Keep count of the bytes, and let go of the oldest."""
        count(db, "quarantine_bytes", n_added)
        n_bytes = counter(db, "quarantine_bytes")
        while n_bytes > self._max_bytes:
            row_id, n_payload = db.execute(
                "SELECT id, length(payload) FROM quarantine WHERE is_authentic = 0 "
                "ORDER BY id LIMIT 1"
            ).fetchone()
            db.execute("DELETE FROM quarantine WHERE id = ?", (row_id,))
            count(db, "quarantine_bytes", -(n_payload + _EACH))
            count(db, "quarantine_let_go", 1)
            n_bytes -= n_payload + _EACH


def count(db: sqlite3.Connection, name: str, step: int = 1) -> None:
    """Add to a lasting counter."""
    db.execute(
        "INSERT INTO counters VALUES(?1, ?2) "
        "ON CONFLICT(name) DO UPDATE SET value = value + ?2",
        (name, step),
    )


def counter(db: sqlite3.Connection, name: str) -> int:
    """Return a lasting counter."""
    row = db.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0
