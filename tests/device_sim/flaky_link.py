# SPDX-License-Identifier: Apache-2.0
"""A TCP link that can be cut: it carries bytes between devices and a broker."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Self


class FlakyLink:
    """Forwards a port of its own to another one, and can be down.

    Attributes:
        port: where to connect instead.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._is_down = False
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self.cut()
        self._listener.close()

    def cut(self) -> None:
        """Break all connections, in the middle of what they carry; let none in."""
        with self._lock:
            self._is_down = True
            for stream in list(self._pairs):
                self._drop(stream)

    def mend(self) -> None:
        with self._lock:
            self._is_down = False

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._lock, selectors.DefaultSelector() as selector:
                for stream in (self._listener, *self._pairs):
                    selector.register(stream, selectors.EVENT_READ)
                ready = [key.fileobj for key, _ in selector.select(0.0)]
                for stream in ready:
                    self._serve(stream)
            if not ready:
                self._stopping.wait(0.002)

    def _serve(self, stream: socket.socket) -> None:
        if stream is self._listener:
            near, _ = stream.accept()
            if self._is_down:
                near.close()
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target_port), 1.0)
            except OSError:
                near.close()
                return
            self._pairs |= {near: far, far: near}
        elif stream in self._pairs:
            try:
                data = stream.recv(1 << 16)
                self._pairs[stream].sendall(data)
            except OSError:
                data = b""
            if not data:
                self._drop(stream)

    def _drop(self, stream: socket.socket) -> None:
        other = self._pairs.pop(stream, None)
        for end in (stream, other):
            if end is not None:
                self._pairs.pop(end, None)
                with contextlib.suppress(OSError):
                    end.close()
