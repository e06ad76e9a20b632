# SPDX-License-Identifier: Apache-2.0
"""The tables of an outbox, and the statements on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from device_sim.outbox_state import Amount, OutboxError, StoredState
from dynamic_deep.uplink.message import NO_SESSION, SessionId
from dynamic_deep.uplink.sealed import SealedMessage

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE devices(
  device TEXT PRIMARY KEY,
  boot INTEGER NOT NULL,
  session BLOB NOT NULL,
  n_messages INTEGER NOT NULL,
  next_seq INTEGER NOT NULL,
  n_samples INTEGER NOT NULL,
  mark INTEGER NOT NULL,
  is_closed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE messages(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device TEXT NOT NULL,
  session BLOB NOT NULL,
  number INTEGER NOT NULL,
  data BLOB NOT NULL
);
CREATE INDEX messages_by_device ON messages(device, session, number);
"""
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Make the tables unless they are there.

    Raises:
        OutboxError: If a newer version made them.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise OutboxError(
            f"the outbox must have version {SCHEMA_VERSION} at most, got {version} "
            f"in {path}; install a newer dynamic-deep"
        )
    if version == 0:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # a full disk gets space back
        db.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")


def set_boots(db: sqlite3.Connection, boots: Mapping[str, int]) -> None:
    """Set boot counters, in a transaction of their own."""
    db.execute("BEGIN IMMEDIATE")
    db.executemany(
        "INSERT INTO devices VALUES(?1, ?2, ?3, 0, 0, 0, 0, 0) "
        "ON CONFLICT(device) DO UPDATE SET boot = ?2",
        [(device, boot, NO_SESSION.pack()) for device, boot in boots.items()],
    )
    db.execute("COMMIT")


def delete(
    db: sqlite3.Connection,
    device: str,
    session: SessionId,
    number: int,
    *,
    limit: int = -1,
) -> Amount:
    """Delete messages of a session up to a number, the oldest first."""
    chosen = (
        "FROM messages WHERE device = ? AND session = ? AND number <= ? "
        "ORDER BY number LIMIT ?"
    )
    values = (device, session.pack(), number, limit)
    n_messages, n_bytes = db.execute(
        f"SELECT count(*), total(n) FROM (SELECT length(data) AS n {chosen})", values
    ).fetchone()
    db.execute(f"DELETE FROM messages WHERE id IN (SELECT id {chosen})", values)
    return Amount(n_messages, int(n_bytes))


def total(parts: Iterable[Amount]) -> Amount:
    """Return the sums."""
    together = list(parts)
    return Amount(sum(p.n_messages for p in together), sum(p.n_bytes for p in together))


def is_full(error: sqlite3.Error) -> bool:
    """Tell whether there was no room to write, or the disk refused."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM


def insert(
    db: sqlite3.Connection,
    messages: Sequence[SealedMessage],
    states: Mapping[str, StoredState],
) -> None:
    """Insert messages, and how far their devices have come with them."""
    db.executemany(
        "INSERT INTO messages(device, session, number, data) VALUES(?, ?, ?, ?)",
        [
            (m.message.device, m.message.session.pack(), m.message.number, m.data)
            for m in messages
        ],
    )
    db.executemany(
        "UPDATE devices SET session = ?2, n_messages = ?3, next_seq = ?4, "
        "n_samples = ?5, mark = ?6, is_closed = ?7 WHERE device = ?1",
        [
            (
                *(device, state.session.pack(), state.n_messages, state.next_seq),
                *(state.n_samples, state.mark, state.is_closed),
            )
            for device, state in states.items()
        ],
    )
