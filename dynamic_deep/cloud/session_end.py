# SPDX-License-Identifier: Apache-2.0
"""What stays of a session after it is published, inside of a transaction.

First a digest of each message; at last only that the device was past it.
"""

from __future__ import annotations

import sqlite3

from dynamic_deep.cloud.session_rows import SessionRow


def publish(db: sqlite3.Connection, row: SessionRow) -> None:
    """Mark a session as done, and keep of its messages the digests."""
    digests = bytearray()
    for (digest,) in db.execute(
        "SELECT digest FROM messages WHERE session_id = ? AND number < ? "
        "ORDER BY number",
        (row.row_id, row.watermark),
    ):
        digests += digest
    db.execute(
        "UPDATE sessions SET is_published = 1, digests = ?, header = NULL WHERE id = ?",
        (bytes(digests), row.row_id),
    )
    db.execute(
        "DELETE FROM messages WHERE session_id = ? AND number < ?",
        (row.row_id, row.watermark),
    )
    # What came after a hole was published too, and its place is still to be known.
    db.execute("UPDATE messages SET body = x'' WHERE session_id = ?", (row.row_id,))


def forget(db: sqlite3.Connection, before: float) -> int:
    """Delete whole published sessions, and move the floors of their devices."""
    n_forgotten, blocked = 0, ""
    rows = db.execute(
        "SELECT id, device, session, is_published AND watermark >= n_messages AND "
        "last_time < ? AND NOT has_conflict FROM sessions WHERE session > coalesce("
        "(SELECT floor FROM devices WHERE devices.device = sessions.device), x'') "
        "ORDER BY device, session",
        (before,),
    ).fetchall()
    for row_id, device, session, may_go in rows:
        if not may_go:
            blocked = device
        if device == blocked:
            continue
        db.execute("DELETE FROM messages WHERE session_id = ?", (row_id,))
        db.execute("DELETE FROM sessions WHERE id = ?", (row_id,))
        db.execute(
            "INSERT INTO devices VALUES(?1, ?2) "
            "ON CONFLICT(device) DO UPDATE SET floor = ?2",
            (device, session),
        )
        n_forgotten += 1
    return n_forgotten
