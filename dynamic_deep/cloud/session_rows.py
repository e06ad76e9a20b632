# SPDX-License-Identifier: Apache-2.0
"""The rows of sessions and their messages, inside of a transaction.

What is here, up to where there is no hole, where a session ends: nothing of keys.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from dynamic_deep.errors import CorruptError
from dynamic_deep.header_envelope import OpenedHeader
from dynamic_deep.uplink.body import PreviousSession, unpack_items
from dynamic_deep.uplink.message import Kind, Message, SessionId

DIGEST_LEN = 8
NO_DIGEST = bytes(DIGEST_LEN)


@dataclass(slots=True)
class SessionRow:
    """The row of a session, as it is being worked on.

    Attributes:
        row_id: its id.
        key_id: the key that seals it; None until a message has come.
        table: the table of its messages; None likewise.
        header: bytes of its header; None until they have come.
        n_messages: how many messages it has; None while that is unknown.
        watermark: all messages before this number are here.
        is_published: whether it is done with.
        digests: of the messages that were published.
        has_conflict: whether two messages of one number have come.
    """

    row_id: int
    key_id: int | None
    table: bytes | None
    header: bytes | None
    n_messages: int | None
    watermark: int
    is_published: bool
    digests: bytes | None
    has_conflict: bool


def row_of(
    db: sqlite3.Connection, device: str, session: SessionId
) -> SessionRow | None:
    """Return the row of a session, or None if there is none."""
    row = db.execute(
        "SELECT id, key_id, header_table, header, n_messages, watermark, "
        "is_published, digests, has_conflict FROM sessions "
        "WHERE device = ? AND session = ?",
        (device, session.pack()),
    ).fetchone()
    return SessionRow(*row) if row else None


def touch(db: sqlite3.Connection, message: Message, now: float) -> SessionRow:
    """Return the row of a message's session; make it, or note the time.

    A session that is over so long that its row is gone counts as published.
    """
    db.execute(
        "INSERT INTO sessions(device, session, key_id, header_table, last_time, "
        "is_published) VALUES(?1, ?2, ?3, ?4, ?5, EXISTS(SELECT 1 FROM devices WHERE "
        "device = ?1 AND floor >= ?2)) ON CONFLICT(device, session) DO UPDATE SET "
        "last_time = ?5, key_id = coalesce(key_id, ?3), "
        "header_table = coalesce(header_table, ?4)",
        (
            *(message.device, message.session.pack(), message.key_id),
            *(message.table, now),
        ),
    )
    row = row_of(db, message.device, message.session)
    if row is None:
        raise CorruptError(f"session {message.session} was written and is not there")
    return row


def digest_at(db: sqlite3.Connection, row: SessionRow, number: int) -> bytes | None:
    """Return the digest of a message that is here or was published, or None."""
    if row.digests is not None:
        digest = row.digests[DIGEST_LEN * number :][:DIGEST_LEN]
        if digest and digest != NO_DIGEST:
            return digest
    found = db.execute(
        "SELECT digest FROM messages WHERE session_id = ? AND number = ?",
        (row.row_id, number),
    ).fetchone()
    return bytes(found[0]) if found else None


def fault_of_place(row: SessionRow, message: Message) -> str | None:
    """Return why a message that verifies can't stand in its session, or None."""
    place = f"number {message.number} of session {message.session} of {message.device}"
    if row.is_published:
        return (
            f"{place} came when the session was over; if the device was reset, raise "
            "its min_boot"
        )
    if row.n_messages is not None and message.number >= row.n_messages:
        return f"{place} stands after the last of {row.n_messages}"
    if (row.key_id, row.table) != (message.key_id, message.table):
        return f"{place} has another key or table than those before it"
    if (message.kind == Kind.OPEN) != (message.number == 0):
        return f"{place} must not be of kind {message.kind.name.lower()}"
    return None


def note_conflict(db: sqlite3.Connection, row: SessionRow) -> None:
    """Note that nothing of a session may be acknowledged any more."""
    db.execute("UPDATE sessions SET has_conflict = 1 WHERE id = ?", (row.row_id,))


def add_message(
    db: sqlite3.Connection,
    row: SessionRow,
    message: Message,
    *,
    body: bytes,
    digest: bytes,
) -> None:
    """Insert a message that is not there yet."""
    db.execute(
        "INSERT INTO messages(session_id, number, kind, digest, body) "
        "VALUES(?, ?, ?, ?, ?)",
        (row.row_id, message.number, message.kind, digest, body),
    )


def set_fault(db: sqlite3.Connection, row: SessionRow, number: int, fault: str) -> None:
    """Note why a message can't be used, and let go of its body."""
    db.execute(
        "UPDATE messages SET fault = ?, body = x'' WHERE session_id = ? AND number = ?",
        (fault, row.row_id, number),
    )


def check_items(
    db: sqlite3.Connection,
    row: SessionRow,
    part: tuple[int, int, bytes],
    opened: OpenedHeader,
) -> None:
    """Check number, kind and body of a message against the header and its neighbours.

    Raises:
        FormatError: If something is wrong with it.
    """
    number, kind, body = part
    items = unpack_items(body, opened, is_close=kind == Kind.CLOSE)
    here = (row.row_id, number)
    before = db.execute(
        "SELECT number, next_seq FROM messages WHERE session_id = ? AND number < ? "
        "AND next_seq IS NOT NULL ORDER BY number DESC LIMIT 1",
        here,
    ).fetchone() or (0, 0)
    after = db.execute(
        "SELECT number, seq FROM messages WHERE session_id = ? AND number > ? "
        "AND seq IS NOT NULL ORDER BY number LIMIT 1",
        here,
    ).fetchone() or (number + 2, items.next_seq)
    is_next = before[0] == number - 1, after[0] == number + 1
    if not (
        (before[1] == items.seq if is_next[0] else before[1] <= items.seq)
        and (after[1] == items.next_seq if is_next[1] else after[1] >= items.next_seq)
    ):
        raise CorruptError(
            f"messages of a session must follow each other, and number {number} has "
            f"the frames from {items.seq} to before {items.next_seq}, where "
            f"{before[1]} is due and {after[1]} comes next"
        )
    db.execute(
        "UPDATE messages SET seq = ?, next_seq = ? WHERE session_id = ? AND number = ?",
        (items.seq, items.next_seq, *here),
    )
    if kind == Kind.CLOSE:
        end_at(db, row, number + 1)


def set_header(db: sqlite3.Connection, row: SessionRow, header: bytes) -> None:
    """Note the header of a session."""
    row.header = header
    db.execute("UPDATE sessions SET header = ? WHERE id = ?", (header, row.row_id))


def waiting_items(
    db: sqlite3.Connection, row: SessionRow
) -> list[tuple[int, int, bytes]]:
    """Return number, kind and body of what came before the header."""
    return db.execute(
        "SELECT number, kind, body FROM messages WHERE session_id = ? AND number > 0 "
        "AND fault IS NULL AND seq IS NULL ORDER BY number",
        (row.row_id,),
    ).fetchall()


def end_at(db: sqlite3.Connection, row: SessionRow, n_messages: int) -> None:
    """Note how many messages a session has, if that is not known."""
    db.execute(
        "UPDATE sessions SET n_messages = ? WHERE id = ? AND n_messages IS NULL",
        (n_messages, row.row_id),
    )


def end_previous(
    db: sqlite3.Connection, device: str, previous: PreviousSession, now: float
) -> None:
    """Note what an `open` says of the session before it."""
    session, n_messages = previous
    if n_messages:
        db.execute(
            "INSERT INTO sessions(device, session, n_messages, last_time) "
            "VALUES(?1, ?2, ?3, ?4) ON CONFLICT(device, session) DO UPDATE SET "
            "n_messages = coalesce(n_messages, ?3)",
            (device, session.pack(), n_messages, now),
        )


def advance(db: sqlite3.Connection, row: SessionRow) -> None:
    """Move the watermark over the messages that have come."""
    numbers = db.execute(
        "SELECT number FROM messages WHERE session_id = ? AND number >= ? "
        "ORDER BY number",
        (row.row_id, row.watermark),
    )
    watermark = row.watermark
    for (number,) in numbers:
        if number != watermark:
            break
        watermark += 1
    if watermark != row.watermark:
        row.watermark = watermark
        db.execute(
            "UPDATE sessions SET watermark = ? WHERE id = ?", (watermark, row.row_id)
        )
