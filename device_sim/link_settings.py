# SPDX-License-Identifier: Apache-2.0
"""How a device treats its link, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from dynamic_deep.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class LinkSettings:
    """How a device treats its link.

    Attributes:
        window: messages that may be on their way without acknowledgement.
        window_bytes: bytes that they may have together, unless a single one has more.
        ack_timeout_s: after so long without acknowledgement the oldest message is sent
            again, then after twice as long, and so on up to `max_ack_timeout_s`.
        max_ack_timeout_s: the longest such time.
        first_retry_s: a lost connection is tried again after half to all of this, then
            of twice as long, and so on up to `max_retry_s`.
        max_retry_s: the longest such time.
        keepalive_s: a silent connection is checked after so long.
        connect_timeout_s: time for a connection to come about.

    Raises:
        ConfigError: If one is not positive.
    """

    window: int = 16
    window_bytes: int = 1 << 18
    ack_timeout_s: float = 30.0
    max_ack_timeout_s: float = 600.0
    first_retry_s: float = 0.5
    max_retry_s: float = 60.0
    keepalive_s: int = 60
    connect_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        """Check that all are positive."""
        if min(vars(self).values()) <= 0:
            raise ConfigError(f"settings of a link must be positive, got {self}")


@dataclass(slots=True)
class LinkCounts:
    """What happened on a link, or on several.

    Attributes:
        n_sent: messages handed to the connection, first times only.
        n_resent: messages handed to it again, their acknowledgement being overdue.
        n_connects: connections that came about.
        n_lost: connections that broke.
        n_refused: connections that did not come about.
        n_acks: acknowledgements that verified.
        n_false_acks: acknowledgements that did not.
    """

    n_sent: int = 0
    n_resent: int = 0
    n_connects: int = 0
    n_lost: int = 0
    n_refused: int = 0
    n_acks: int = 0
    n_false_acks: int = 0

    def __add__(self, other: LinkCounts) -> LinkCounts:
        """Return the sums."""
        names = self.__dataclass_fields__
        return LinkCounts(*(getattr(self, n) + getattr(other, n) for n in names))
