# SPDX-License-Identifier: Apache-2.0
"""amqtt as a broker inside of this process, so that nothing need be installed.

For simulations on one machine: amqtt holds all in memory, and lets a connection take
another's place before it has asked for the password.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_sim.local_broker import START_S, BrokerError, LocalBroker
from dynamic_deep.errors import ConfigError

if TYPE_CHECKING:
    from amqtt.broker import Broker


class EmbeddedBroker(LocalBroker):
    """amqtt, in a thread of this process. What it holds ends with it."""

    def __init__(self, folder: Path, users: Mapping[str, str]) -> None:
        super().__init__(folder, users)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._broker: Broker | None = None

    def start(self) -> None:
        """Start the thread, and return when the broker listens."""
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("transitions").setLevel(logging.CRITICAL)
        try:
            with _quiet():
                import amqtt.broker  # noqa: F401
        except ImportError as error:
            raise ConfigError(
                "the embedded broker needs the package amqtt, which is missing; "
                "install dynamic-deep[device], or name another broker"
            ) from error
        self._loop = asyncio.new_event_loop()
        # amqtt loses a message where a client subscribes meanwhile; it is sent again.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="broker", daemon=True
        )
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(START_S)
        except BaseException as error:
            self._end_loop()
            raise BrokerError(f"the embedded broker must start: {error}") from error

    def stop(self) -> None:
        """Close all connections and the thread."""
        if self._loop is None or self._broker is None:
            return
        broker, self._broker = self._broker, None
        with _quiet(), _without_closed_connections():
            closing = asyncio.run_coroutine_threadsafe(broker.shutdown(), self._loop)
            with contextlib.suppress(Exception):  # of a connection that breaks first
                closing.result(START_S)
            self._end_loop()

    async def _begin(self) -> None:
        with _quiet():
            from amqtt.broker import Broker

            self._broker = Broker(self._settings(), loop=self._loop)
            await self._broker.start()

    def _settings(self) -> dict[str, Any]:
        files = self._certificates
        rules = "device_sim.embedded_rules"
        return {
            "listeners": {
                "default": {
                    "type": "tcp",
                    "bind": f"{self.address.host}:{self.address.port}",
                    "ssl": True,
                    "certfile": str(files.cert_file),
                    "keyfile": str(files.key_file),
                }
            },
            "plugins": {
                f"{rules}.PasswordRule": {"users": self._users},
                f"{rules}.TopicRule": {},
            },
        }

    def _end_loop(self) -> None:
        loop, thread = self._loop, self._thread
        self._loop = self._thread = self._broker = None
        if loop is None or thread is None:
            return
        ending = asyncio.run_coroutine_threadsafe(_end_tasks(), loop)
        with contextlib.suppress(Exception):
            ending.result(START_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end_tasks() -> None:
    """End what a broker leaves running."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep amqtt's deprecations to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@contextlib.contextmanager
def _without_closed_connections() -> Iterator[None]:
    """Keep asyncio from telling of every connection that a stop closes."""
    logger = logging.getLogger("asyncio")

    def is_other(record: logging.LogRecord) -> bool:
        return "SSL connection is closed" not in record.getMessage()

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)
