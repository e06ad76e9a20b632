# SPDX-License-Identifier: Apache-2.0
"""Judge one message, and put it into the tables, inside of a transaction.

Three things can be wrong. A message does not verify: it is quarantined and never
acknowledged. It verifies, and its number is taken by other bytes: it is quarantined,
and nothing of its session is acknowledged any more, since that would delete messages
that are not here. It verifies and its content is at fault: it is quarantined, yet takes
its place.
"""

from __future__ import annotations

import enum
import hashlib
import sqlite3
from dataclasses import dataclass

from dynamic_deep.cloud import session_rows
from dynamic_deep.cloud.quarantine import Arrival, Quarantine, count
from dynamic_deep.cloud.session_rows import SessionRow
from dynamic_deep.errors import ConfigError, CorruptError, FormatError
from dynamic_deep.uplink.body import open_header, table_of, unpack_open
from dynamic_deep.uplink.keys import KeySource
from dynamic_deep.uplink.message import NO_SESSION, Kind, Message, SessionId, unpack
from dynamic_deep.uplink.sealing import open_sealed


class Verdict(enum.Enum):
    """What became of a message."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a message.

    Attributes:
        verdict: accepted, a duplicate of what is here, or quarantined.
        topic_device: the device whose topic it came by.
        reason: why it was quarantined, for a person.
        session: its session, if the device has sealed it.
        key_id: the key that sealed it, likewise.
        is_authentic: whether the device has sealed it.
    """

    verdict: Verdict
    topic_device: str
    reason: str = ""
    session: SessionId = NO_SESSION
    key_id: int = 0
    is_authentic: bool = False


class Intake:
    """Judges messages.

    Args:
        keys: where keys of devices are found.
        quarantine: takes what can't be used.
    """

    def __init__(self, keys: KeySource, quarantine: Quarantine) -> None:
        self._keys = keys
        self._quarantine = quarantine

    def take(self, db: sqlite3.Connection, arrival: Arrival) -> Outcome:
        """Return what became of a message."""
        try:
            message, body = self._open(arrival)
        except (FormatError, ConfigError) as error:
            outcome = Outcome(
                verdict=Verdict.QUARANTINED,
                topic_device=arrival.topic_device,
                reason=str(error),
            )
        else:
            outcome = self._place(db, message, body, arrival)
        if outcome.reason:
            self._quarantine.add(
                db, arrival, outcome.reason, is_authentic=outcome.is_authentic
            )
        count(db, outcome.verdict.value)
        return outcome

    def _open(self, arrival: Arrival) -> tuple[Message, bytes]:
        """Return a message that verifies, and its body.

        Raises:
            FormatError: If it does not verify.
            ConfigError: If its key can't be read.
        """
        message = unpack(arrival.payload)
        if message.device != arrival.topic_device:
            raise CorruptError(
                "a message must come by the topic of its device, got one of "
                f"{message.device} by that of {arrival.topic_device[:80]!r}"
            )
        key = self._keys.find(message.device, message.key_id)
        if key is None:
            raise CorruptError(
                f"a device must be known with its key, got {message.device} with key "
                f"{message.key_id}; add the key if the device is yours"
            )
        return message, open_sealed(message, key)

    def _place(
        self, db: sqlite3.Connection, message: Message, body: bytes, arrival: Arrival
    ) -> Outcome:
        """Put an authentic message where it belongs."""
        row = session_rows.touch(db, message, arrival.now)
        digest = hashlib.sha256(arrival.payload).digest()[: session_rows.DIGEST_LEN]
        known = session_rows.digest_at(db, row, message.number)
        if known == digest:
            return _outcome(message, Verdict.DUPLICATE)
        if known is not None:
            session_rows.note_conflict(db, row)
            return _outcome(
                message,
                Verdict.QUARANTINED,
                f"number {message.number} of session {message.session} of "
                f"{message.device} came before with other bytes; the device has used a "
                "nonce twice: raise its min_boot above all it had",
            )
        session_rows.add_message(db, row, message, body=body, digest=digest)
        fault = session_rows.fault_of_place(row, message)
        if fault is None:
            try:
                self._check(db, row, message, body, arrival.now)
            except FormatError as error:
                fault = str(error)
        if fault is not None:
            session_rows.set_fault(db, row, message.number, fault)
        session_rows.advance(db, row)
        verdict = Verdict.ACCEPTED if fault is None else Verdict.QUARANTINED
        return _outcome(message, verdict, fault or "")

    def _check(
        self,
        db: sqlite3.Connection,
        row: SessionRow,
        message: Message,
        body: bytes,
        now: float,
    ) -> None:
        """Check what a message holds, or leave that for when the header comes.

        Raises:
            FormatError: If the device is at fault.
        """
        if message.kind != Kind.OPEN:
            if row.header is not None:
                part = (message.number, int(message.kind), body)
                session_rows.check_items(db, row, part, open_header(row.header))
            return
        content, opened = unpack_open(body)
        if table_of(content.header) != message.table:
            raise CorruptError("the table of a session must be that of its header")
        if content.previous.session >= message.session:
            raise CorruptError("the session before must be one before this one")
        session_rows.set_header(db, row, content.header)
        session_rows.end_previous(db, message.device, content.previous, now)
        for part in session_rows.waiting_items(db, row):
            try:
                session_rows.check_items(db, row, part, opened)
            except FormatError as error:
                session_rows.set_fault(db, row, part[0], str(error))
                reason = f"body of number {part[0]} of {message.session}: {error}"
                body_only = Arrival(message.device, part[2], now)
                self._quarantine.add(db, body_only, reason, is_authentic=True)


def _outcome(message: Message, verdict: Verdict, reason: str = "") -> Outcome:
    return Outcome(
        verdict=verdict,
        topic_device=message.device,
        reason=reason,
        session=message.session,
        key_id=message.key_id,
        is_authentic=True,
    )
