# SPDX-License-Identifier: Apache-2.0
"""What an outbox says of devices and messages."""

from __future__ import annotations

from typing import NamedTuple

from dynamic_deep.errors import DynamicDeepError
from dynamic_deep.uplink.message import NO_SESSION, SessionId


class OutboxError(DynamicDeepError):
    """The outbox of a device can't be read or written."""


class StoredState(NamedTuple):
    """How far a device has come.

    Attributes:
        boot: its boot counter.
        session: the session of which a message was stored last.
        n_messages: messages of it that were stored.
        next_seq: sequence number of its first frame that is in none of them.
        n_samples: samples of each lead that they hold.
        mark: what the device noted when it began the session.
        is_closed: whether the last message of it was stored.
    """

    boot: int = 0
    session: SessionId = NO_SESSION
    n_messages: int = 0
    next_seq: int = 0
    n_samples: int = 0
    mark: int = 0
    is_closed: bool = False


class Amount(NamedTuple):
    """A number of messages and their bytes."""

    n_messages: int
    n_bytes: int


class Stored(NamedTuple):
    """A message that waits for its acknowledgement.

    Attributes:
        row_id: ascends in the order in which messages were stored.
        session: its session.
        number: its number.
        data: the bytes to send.
    """

    row_id: int
    session: SessionId
    number: int
    data: bytes
