# SPDX-License-Identifier: Apache-2.0
"""The database of a receiver: its tables, and transactions that are durable.

SQLite with a write-ahead log that is synced at every commit: after a commit nothing is
lost, whether the process or the machine fails.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from dynamic_deep.errors import DynamicDeepError

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE devices(
  device TEXT PRIMARY KEY,
  floor BLOB NOT NULL              -- this session and all before it are published whole
) WITHOUT ROWID;
CREATE TABLE sessions(
  id INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  session BLOB NOT NULL,
  key_id INTEGER,                  -- NULL until a message has come
  header_table BLOB,
  header BLOB,                     -- NULL until a sound open has come
  n_messages INTEGER,              -- NULL until close or the next open tells it
  watermark INTEGER NOT NULL DEFAULT 0,  -- all messages before this number are here
  is_published INTEGER NOT NULL DEFAULT 0,
  has_conflict INTEGER NOT NULL DEFAULT 0,  -- two messages of one number have come
  digests BLOB,                    -- of the published messages, 8 bytes each
  last_time REAL NOT NULL,
  UNIQUE(device, session)
);
CREATE INDEX sessions_to_publish ON sessions(id)
  WHERE is_published = 0 AND n_messages IS NOT NULL;
CREATE TABLE messages(
  session_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  digest BLOB NOT NULL,
  body BLOB NOT NULL,
  seq INTEGER,                     -- NULL until checked against the header
  next_seq INTEGER,
  fault TEXT,                      -- why an authentic message can't be used
  PRIMARY KEY(session_id, number)
) WITHOUT ROWID;
CREATE TABLE quarantine(
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  topic_device TEXT NOT NULL,
  reason TEXT NOT NULL,
  is_authentic INTEGER NOT NULL,
  first_time REAL NOT NULL,
  last_time REAL NOT NULL,
  n_times INTEGER NOT NULL,
  n_bytes INTEGER NOT NULL,
  payload BLOB NOT NULL
);
CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


class InboxError(DynamicDeepError):
    """The receiver's database can't be read or written."""


class InboxFile:
    """An open database; made if it is not there.

    Args:
        path: its file; SQLite puts two more beside it.

    Raises:
        InboxError: If it can't be opened, or a newer version wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        try:
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=30.0
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._prepare()
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise self._error(error) from error
            raise

    @property
    def db(self) -> sqlite3.Connection:
        """The connection; to be used inside of `transaction` or `reading`."""
        if self._db is None:
            raise InboxError(f"{self.path} is closed; open it again")
        return self._db

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write; durable when the block has ended, undone if it raises.

        Raises:
            InboxError: If nothing could be written, because the disk is full or fails.
        """
        with self._lock:
            db = self.db
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except BaseException as error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self._error(error) from error
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read, one thread at a time.

        Raises:
            InboxError: If the database can't be read.
        """
        with self._lock:
            try:
                yield self.db
            except sqlite3.Error as error:
                raise self._error(error) from error

    def close(self) -> None:
        """Close the database; a second time does nothing."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _prepare(self) -> None:
        with self.transaction() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise InboxError(
                    f"the inbox must have version {SCHEMA_VERSION} at most, got "
                    f"{version} in {self.path}; install a newer dynamic-deep"
                )
            if version == 0:
                for statement in _SCHEMA.split(";\n"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _error(self, error: sqlite3.Error) -> InboxError:
        return InboxError(
            f"the inbox must be readable and writable, got {error} at {self.path}; "
            "make room or repair the disk: what was not acknowledged comes again"
        )
