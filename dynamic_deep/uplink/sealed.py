# SPDX-License-Identifier: Apache-2.0
"""What a device knows at the start of a session, and what it gives to its store."""

from __future__ import annotations

from dataclasses import dataclass, field

from dynamic_deep.uplink.body import PreviousSession
from dynamic_deep.uplink.message import Kind, Message, SessionId


@dataclass(frozen=True, kw_only=True)
class SessionStart:
    """What a device knows when it begins a session.

    Attributes:
        device: device id.
        session: the session; none of its messages may have been sealed before.
        previous: the session before it.
        key_id: id of the device's key.
        key: its 32 bytes.
    """

    device: str
    session: SessionId
    previous: PreviousSession
    key_id: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedMessage:
    """A message as it must be stored before it is sent.

    Attributes:
        message: its fields.
        data: the bytes to send, always these.
        next_seq: sequence number of the first frame of the session that neither this
            message nor one before it holds.
        n_samples: samples of each lead that this message and those before it hold;
            after a restart the next session begins with the sample after them.
    """

    message: Message
    data: bytes
    next_seq: int
    n_samples: int

    @property
    def is_last(self) -> bool:
        """Whether the session ends with it."""
        return self.message.kind == Kind.CLOSE
