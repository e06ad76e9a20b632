# SPDX-License-Identifier: Apache-2.0
"""The tables of an outbox, and the transactions that change them.

A message and how far its device has come are written together: after a crash both are
there, or neither is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

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
_MAX_BOOT = (1 << 32) - 1
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


class OutboxFile:
    """An open database; made if it is not there.

    Args:
        path: its file; SQLite puts two more beside it.

    Attributes:
        trouble: why the last write failed, or an empty text.

    Raises:
        OutboxError: If it can't be opened, or a newer version wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self.trouble = ""
        try:
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=30.0
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._prepare(self._db)
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise self._error(error) from error
            raise

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed."""
        return self._db is not None

    def close(self) -> None:
        """Close the database; a second time does nothing."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def states(self) -> dict[str, StoredState]:
        """Return how far each device has come."""
        rows = self._read(
            "SELECT device, boot, session, n_messages, next_seq, n_samples, mark, "
            "is_closed FROM devices"
        )
        return {
            row[0]: StoredState(
                boot=row[1],
                session=SessionId.unpack(row[2]),
                n_messages=row[3],
                next_seq=row[4],
                n_samples=row[5],
                mark=row[6],
                is_closed=bool(row[7]),
            )
            for row in rows
        }

    def totals(self) -> Amount:
        """Return what waits."""
        rows = self._read("SELECT count(*), total(length(data)) FROM messages")
        return Amount(int(rows[0][0]), int(rows[0][1]))

    def devices_pending(self) -> set[str]:
        """Return the devices of which messages wait."""
        return {row[0] for row in self._read("SELECT DISTINCT device FROM messages")}

    def pending(
        self, device: str, after: int, limit: int
    ) -> list[tuple[int, bytes, int, bytes]]:
        """Return id, session, number and bytes of messages, oldest first."""
        return self._read(
            "SELECT id, session, number, data FROM messages WHERE device = ? AND "
            "id > ? ORDER BY session, number LIMIT ?",
            (device, after, limit),
        )

    def write_boots(self, boots: Mapping[str, int]) -> None:
        """Write boot counters.

        Raises:
            OutboxError: If they can't be written, or a counter has come to its end.
        """
        if any(boot > _MAX_BOOT for boot in boots.values()):
            raise OutboxError("a boot counter must stay below 2^32; give a new key")
        db = self._connection()
        try:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(
                "INSERT INTO devices VALUES(?1, ?2, ?3, 0, 0, 0, 0, 0) "
                "ON CONFLICT(device) DO UPDATE SET boot = ?2",
                [(device, boot, NO_SESSION.pack()) for device, boot in boots.items()],
            )
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._error(error) from error

    def write(
        self,
        acks: Mapping[tuple[str, SessionId], int],
        messages: Sequence[SealedMessage],
        states: Mapping[str, StoredState],
    ) -> Amount | None:
        """Delete what is acknowledged and insert what is new, all or nothing.

        Returns:
            What was deleted; None if there was no room to write.

        Raises:
            OutboxError: If the file fails in another way.
        """
        db = self._connection()
        try:
            db.execute("BEGIN IMMEDIATE")
            gone = [_delete(db, *name, number) for name, number in acks.items()]
            _insert(db, messages, states)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            self.trouble = str(error)
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM:
                return None
            raise self._error(error) from error
        self.trouble = ""
        return Amount(sum(part[0] for part in gone), sum(part[1] for part in gone))

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise OutboxError(
                f"the outbox must have version {SCHEMA_VERSION} at most, got {version} "
                f"in {self._path}; install a newer dynamic-deep"
            )
        if version == 0:
            for statement in _SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")

    def _read(self, query: str, values: Iterable[object] = ()) -> list[Any]:
        try:
            return self._connection().execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise OutboxError(f"{self._path} is closed; open it again")
        return self._db

    def _roll_back(self) -> None:
        if self._db is not None and self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _error(self, error: sqlite3.Error) -> OutboxError:
        return OutboxError(
            f"the outbox must be readable and writable, got {error} at {self._path}; "
            "make room or repair the disk"
        )


def _delete(
    db: sqlite3.Connection, device: str, session: SessionId, number: int
) -> Amount:
    """Delete the messages of a session up to a number."""
    where = "FROM messages WHERE device = ? AND session = ? AND number <= ?"
    values = (device, session.pack(), number)
    n_messages, n_bytes = db.execute(
        f"SELECT count(*), total(length(data)) {where}", values
    ).fetchone()
    db.execute(f"DELETE {where}", values)
    return Amount(n_messages, int(n_bytes))


def _insert(
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
