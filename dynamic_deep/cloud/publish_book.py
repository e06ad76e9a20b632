# SPDX-License-Identifier: Apache-2.0
"""What has been put into the store of sessions that are not done yet.

The name of an object is settled once and kept, and so is the generation that was put
last. Both are only a memory: the store itself tells what is there.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dynamic_deep.cloud.inbox import InboxError
from dynamic_deep.uplink.message import SessionId

_SCHEMA = """
CREATE TABLE IF NOT EXISTS plans(
  device TEXT NOT NULL,
  session BLOB NOT NULL,
  name TEXT NOT NULL,
  generation INTEGER NOT NULL,  -- 0: nothing put yet
  n_here INTEGER NOT NULL,      -- messages that the object holds
  PRIMARY KEY(device, session)
) WITHOUT ROWID
"""
_FIELDS = "name, generation, n_here"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Where a session goes, and what of it is there.

    Attributes:
        name: name of the object.
        generation: of the object put last; 0 if none was.
        n_here: messages that it holds.
    """

    name: str
    generation: int = 0
    n_here: int = 0


class PublishBook:
    """The plans of a receiver, in a file that outlasts it.

    Args:
        path: of its database; made if it is not there.

    Raises:
        InboxError: If the file can't be used.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=30.0
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def settle(self, device: str, session: SessionId, name: str) -> Plan:
        """Return the plan of a session; a new one takes `name`, an old one stays."""
        key = (device, session.pack())
        self._do("INSERT OR IGNORE INTO plans VALUES(?, ?, ?, 0, 0)", (*key, name))
        query = f"SELECT {_FIELDS} FROM plans WHERE device = ? AND session = ?"
        (row,) = self._do(query, key)
        return Plan(name=row[0], generation=row[1], n_here=row[2])

    def n_here(self, device: str, session: SessionId) -> int:
        """Return how many messages of a session are in the store."""
        query = f"SELECT {_FIELDS} FROM plans WHERE device = ? AND session = ?"
        rows = self._do(query, (device, session.pack()))
        return int(rows[0][2]) if rows else 0

    def note(
        self, device: str, session: SessionId, *, generation: int, n_here: int
    ) -> None:
        """Note what has been put."""
        self._do(
            "UPDATE plans SET generation = ?, n_here = ? "
            "WHERE device = ? AND session = ?",
            (generation, n_here, device, session.pack()),
        )

    def forget(self, device: str, session: SessionId) -> None:
        """Let go of the plan of a session that is done."""
        self._do(
            "DELETE FROM plans WHERE device = ? AND session = ?",
            (device, session.pack()),
        )

    def keep_only(self, sessions: Iterable[tuple[str, SessionId]]) -> None:
        """Let go of all plans but those of these sessions."""
        wanted = {(device, session.pack()) for device, session in sessions}
        rows = self._do("SELECT device, session FROM plans", ())
        for device, session in {(row[0], row[1]) for row in rows} - wanted:
            self.forget(device, SessionId.unpack(session))

    def _do(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> InboxError:
        return InboxError(
            f"the receiver's files must be writable, got {error} at {self._path}; make "
            "room or repair the disk"
        )
