# SPDX-License-Identifier: Apache-2.0
"""Wait for many connections at once, and for a call from another thread."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
from collections.abc import Iterator
from typing import Any, NamedTuple

from device_sim.mqtt_link import MqttLink


class Ready(NamedTuple):
    """A connection that can be read from, written to, or both."""

    link: MqttLink
    may_read: bool
    may_write: bool


class LinkSelector:
    """Knows which connections are open, and waits for them."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._watched: dict[str, tuple[Any, int, int]] = {}  # stream, fd, events
        self._wake_up, self._woken = socket.socketpair()
        self._wake_up.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)

    def is_watched(self, link: MqttLink) -> bool:
        """Tell whether a connection was open when it was last looked at."""
        return link.device in self._watched

    def watch(self, link: MqttLink) -> bool:
        """Look at a connection as it is now; return whether it has just closed."""
        stream = link.client.socket()
        if stream is None:
            return self.unwatch(link)
        events = selectors.EVENT_READ
        if link.client.want_write():
            events |= selectors.EVENT_WRITE
        entry = (stream, stream.fileno(), events)
        if self._watched.get(link.device) != entry:
            self.unwatch(link)
            self._selector.register(entry[1], events, link)
            self._watched[link.device] = entry
        return False

    def unwatch(self, link: MqttLink) -> bool:
        """Look at a connection no more; return whether it was watched."""
        entry = self._watched.pop(link.device, None)
        if entry is None:
            return False
        key = self._selector.get_map().get(entry[1])
        # Closed, its descriptor may be that of another connection by now.
        if key is not None and key.data is link:
            self._selector.unregister(entry[1])
        return True

    def wake(self) -> None:
        """End `wait`; from any thread."""
        with contextlib.suppress(OSError):  # closed, or awake enough
            self._wake_up.send(b"\0")

    def wait(self, timeout_s: float) -> Iterator[Ready]:
        """Yield connections that are ready, if any are before the time is over."""
        for key, events in self._selector.select(timeout_s):
            if key.data is None:
                self._woken.recv(4096)
            else:
                yield Ready(
                    key.data,
                    bool(events & selectors.EVENT_READ),
                    bool(events & selectors.EVENT_WRITE),
                )

    def close(self) -> None:
        """Let go of all."""
        self._selector.close()
        self._wake_up.close()
        self._woken.close()


def read_all(link: MqttLink) -> None:
    """Read all packets that are there; TLS may hold some that no selector sees."""
    while True:
        link.client.loop_read()
        stream = link.client.socket()
        if not isinstance(stream, ssl.SSLSocket) or not stream.pending():
            return
