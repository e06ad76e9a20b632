# SPDX-License-Identifier: Apache-2.0
"""Two pages over HTTP: /metrics for Prometheus and /healthz for whoever restarts it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

DEFAULT_HOST = "127.0.0.1"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_TIMEOUT_S = 10.0


class MetricsServer:
    """Serves until it is closed. Use it as a context manager.

    Args:
        metrics: gives the text of /metrics.
        problems: gives what is wrong, a line each; none: healthy.
        host: address to listen on; others may read the pages if it is not a local one.
        port: TCP port; 0: a free one.

    Attributes:
        port: the port it listens on.

    Raises:
        OSError: If the port is taken.
    """

    def __init__(
        self,
        metrics: Callable[[], str],
        problems: Callable[[], list[str]],
        *,
        host: str = DEFAULT_HOST,
        port: int = 0,
    ) -> None:
        class Handler(_Handler):
            pages = (metrics, problems)

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            args=(0.1,),
            name="metrics",
            daemon=True,
        )

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    pages: tuple[Callable[[], str], Callable[[], list[str]]]
    timeout = _TIMEOUT_S

    def do_GET(self) -> None:
        metrics, problems = self.pages
        if self.path == "/metrics":
            self._answer(200, metrics())
        elif self.path == "/healthz":
            found = problems()
            self._answer(503 if found else 200, "\n".join(found or ["ok"]) + "\n")
        else:
            self._answer(404, "there is /metrics and /healthz\n")

    def _answer(self, status: int, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", _TEXT)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: it is asked every few seconds."""
