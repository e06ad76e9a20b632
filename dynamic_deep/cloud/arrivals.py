# SPDX-License-Identifier: Apache-2.0
"""Messages that have come and are not durable yet: a queue with bounded memory.

Who brings them waits where it is full, and so does the broker behind it.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

MAX_BYTES = 1 << 25
MAX_MESSAGES = 10_000


class ArrivedMessage(NamedTuple):
    """A message as the broker gave it.

    Attributes:
        device: that of its topic.
        payload: its bytes.
        packet_id: by which the broker knows it.
        connection: number of the connection that it came by.
    """

    device: str
    payload: bytes
    packet_id: int
    connection: int


class ArrivalQueue:
    """Hands messages from the thread of the broker to the one that writes.

    Args:
        max_bytes: of payloads that wait; one message may exceed it.
        max_messages: that wait.
    """

    def __init__(
        self, max_bytes: int = MAX_BYTES, max_messages: int = MAX_MESSAGES
    ) -> None:
        self._max_bytes = max_bytes
        self._max_messages = max_messages
        self._items: deque[ArrivedMessage] = deque()
        self._n_bytes = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, message: ArrivedMessage) -> bool:
        """Add a message; wait while there is no room.

        Returns:
            False if the queue has been closed, and the message not added.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._has_room())
            if self._is_closed:
                return False
            self._items.append(message)
            self._n_bytes += len(message.payload)
            self._changed.notify_all()
            return True

    def take(
        self, max_messages: int, max_bytes: int, timeout_s: float
    ) -> list[ArrivedMessage]:
        """Return what has come, at least one message or none after a while.

        Args:
            max_messages: at most so many.
            max_bytes: no further message once there are so many bytes.
            timeout_s: how long to wait for the first.
        """
        taken: list[ArrivedMessage] = []
        n_bytes = 0
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_closed, timeout_s)
            while self._items and len(taken) < max_messages and n_bytes < max_bytes:
                message = self._items.popleft()
                n_bytes += len(message.payload)
                taken.append(message)
            self._n_bytes -= n_bytes
            self._changed.notify_all()
        return taken

    def close(self) -> None:
        """Take no more; what has come can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return self._n_bytes < self._max_bytes and len(self._items) < self._max_messages
