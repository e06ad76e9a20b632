# SPDX-License-Identifier: Apache-2.0
"""A broker inside of this process, for trials on one machine.

It listens on 127.0.0.1 only and lets anybody in: what devices send is sealed, but who
may read and write which topic is not kept apart. A ward needs mosquitto or its like.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.transport import BrokerAddress

EMBEDDED = "embedded"
DEFAULT_PORT = 1883
_HOST = "127.0.0.1"
_START_S = 10.0


@contextlib.contextmanager
def broker_at(url: str) -> Iterator[BrokerAddress]:
    """Run a broker.

    Args:
        url: embedded or embedded:PORT.

    Yields:
        Its address.

    Raises:
        ConfigError: If the port is taken, or amqtt is missing.
    """
    name, _, port = url.partition(":")
    if name != EMBEDDED or not (port.isdecimal() or not port):
        raise ConfigError(f"a broker of its own is named embedded:PORT, got {url!r}")
    address = BrokerAddress(host=_HOST, port=int(port or DEFAULT_PORT), is_tls=False)
    for logger in ("amqtt", "transitions"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="broker", daemon=True)
    thread.start()
    try:
        broker = _wait(loop, _begin(address, loop))
        yield address
        with contextlib.suppress(Exception):  # of a connection that breaks first
            _wait(loop, broker.shutdown())
    finally:
        with contextlib.suppress(Exception):
            _wait(loop, _end_tasks())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _wait(loop: asyncio.AbstractEventLoop, work: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(work, loop).result(_START_S)


async def _begin(address: BrokerAddress, loop: asyncio.AbstractEventLoop) -> Any:
    settings = {
        "listeners": {
            "default": {"type": "tcp", "bind": f"{address.host}:{address.port}"}
        },
        "plugins": {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {
                "allow_anonymous": True
            }
        },
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            from amqtt.broker import Broker
        except ImportError as exc:
            raise ConfigError(
                f"an embedded broker needs amqtt, which is not there ({exc}); install "
                "dynamic-deep[cloud]"
            ) from exc
        broker = Broker(settings, loop=loop)
    try:
        await broker.start()
    except Exception as exc:  # amqtt's own, of several kinds
        raise ConfigError(
            f"an embedded broker must have its port to itself, got {exc} at "
            f"{address}; choose another as embedded:PORT"
        ) from exc
    return broker


async def _end_tasks() -> None:
    """End what a broker leaves running."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
