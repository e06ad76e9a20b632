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

from device_sim import outbox_rows
from device_sim.disk_reserve import DiskReserve
from device_sim.outbox_state import Amount, OutboxError, StoredState
from dynamic_deep.uplink.message import SessionId
from dynamic_deep.uplink.sealed import SealedMessage

_RESERVE_LEN = 1 << 18  # bytes
_PORTION = 8  # messages deleted in one go from the reserve
_VACUUM_PAGES = 16
_MAX_BOOT = (1 << 32) - 1


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
        self._reserve = DiskReserve(
            path.with_name(path.name + "-reserve"), _RESERVE_LEN
        )
        try:
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=30.0
            )
            # No write-ahead log: on a full disk it can be neither grown nor emptied.
            self._db.execute("PRAGMA journal_mode = TRUNCATE")
            self._db.execute("PRAGMA synchronous = FULL")
            outbox_rows.prepare(self._db, path)
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
        for may_use_reserve in (True, False):
            try:
                outbox_rows.set_boots(self._connection(), boots)
                return
            except sqlite3.Error as error:
                self._roll_back()
                if not may_use_reserve or not outbox_rows.is_full(error):
                    raise self._error(error) from error
                self._reserve.release()

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
        if messages and not self._reserve.hold():
            self.trouble = f"no room for {_RESERVE_LEN} bytes of reserve"
            return None
        try:
            db.execute("BEGIN IMMEDIATE")
            gone = [
                outbox_rows.delete(db, *name, number) for name, number in acks.items()
            ]
            outbox_rows.insert(db, messages, states)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            self.trouble = str(error)
            if outbox_rows.is_full(error):
                return None
            raise self._error(error) from error
        self.trouble = ""
        return outbox_rows.total(gone)

    def write_from_reserve(self, acks: Mapping[tuple[str, SessionId], int]) -> Amount:
        """Delete what is acknowledged on a full disk, and give its space back.

        Returns:
            What was deleted; less than all if even the reserve did not do.

        Raises:
            OutboxError: If the file fails in another way.
        """
        db = self._connection()
        gone: list[Amount] = []
        self._reserve.release()
        try:
            for name, number in acks.items():
                while (
                    part := outbox_rows.delete(db, *name, number, limit=_PORTION)
                ).n_messages:
                    gone.append(part)
            while db.execute("PRAGMA freelist_count").fetchone()[0]:
                db.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
        except sqlite3.Error as error:
            self._roll_back()
            if not outbox_rows.is_full(error):
                raise self._error(error) from error
        self._reserve.hold()
        return outbox_rows.total(gone)

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
