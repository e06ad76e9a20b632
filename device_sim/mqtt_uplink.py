# SPDX-License-Identifier: Apache-2.0
"""Bring the messages of one device or a fleet to the broker, from the outbox.

One thread serves the connections of all devices; a few more dial, since a handshake
blocks. Rules: docs/uplink.md, sections "Transport" and "Acknowledgement".
"""

from __future__ import annotations

import functools
import operator
import queue
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from device_sim.link_selector import LinkSelector, read_all
from device_sim.link_settings import LinkCounts, LinkSettings
from device_sim.mqtt_link import MqttLink
from device_sim.outbox import Outbox, OutboxError
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.keys import DeviceKeys
from dynamic_deep.uplink.transport import BrokerAddress
from dynamic_deep.uplink.trust import tls_context

__all__ = ["LinkCounts", "LinkSettings", "Login", "MqttUplink"]

_TICK_S = 0.2  # acknowledged messages are let go of, and overdue ones looked for
_N_DIALLERS = 4


@dataclass(frozen=True, kw_only=True)
class Login:
    """A device, its password at the broker and its keys."""

    keys: DeviceKeys
    password: str


class MqttUplink:
    """Sends what the outbox holds and lets go of what is acknowledged, in a thread.

    Args:
        outbox: holds the messages.
        address: of the broker.
        logins: one for each device; a device with a new key needs a new uplink.
        settings: windows and times, the same for all.

    Raises:
        ConfigError: If paho-mqtt is missing, or an authority can't be read.
    """

    def __init__(
        self,
        outbox: Outbox,
        address: BrokerAddress,
        logins: Iterable[Login],
        *,
        settings: LinkSettings | None = None,
    ) -> None:
        self._outbox = outbox
        context = tls_context(address)
        settings = settings or LinkSettings()
        try:
            links = [
                MqttLink(
                    login.keys,
                    login.password,
                    outbox,
                    address=address,
                    settings=settings,
                    context=context,
                )
                for login in logins
            ]
        except ImportError as error:
            raise ConfigError(
                "the uplink needs the package paho-mqtt, which is missing; install "
                "dynamic-deep[device]"
            ) from error
        self._links = {link.device: link for link in links}
        self._selector = LinkSelector()
        self._dialled: queue.SimpleQueue[tuple[MqttLink, str]] = queue.SimpleQueue()
        self._fresh: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._progress = threading.Condition()
        self._diallers: ThreadPoolExecutor | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def counts(self) -> LinkCounts:
        """What happened, all devices together."""
        parts = (link.counts for link in self._links.values())
        return functools.reduce(operator.add, parts, LinkCounts())

    @property
    def n_online(self) -> int:
        """Devices that are connected."""
        return sum(link.is_online for link in self._links.values())

    def trouble(self, device: str) -> str:
        """Return why a device has no connection; an empty text if it has one."""
        return self._links[device].trouble

    def start(self) -> None:
        """Connect all devices, and go on until `close`."""
        self._outbox.listen(self._on_stored)
        self._diallers = ThreadPoolExecutor(_N_DIALLERS, "uplink-dial")
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close all connections; what is not acknowledged stays in the outbox."""
        if self._thread is None or self._diallers is None:
            return
        self._stopping.set()
        self._selector.wake()
        self._thread.join()
        self._diallers.shutdown(wait=True, cancel_futures=True)
        for link in self._links.values():
            self._selector.unwatch(link)
            link.client.disconnect()
        self._selector.close()
        self._thread = None

    def wait_empty(self, timeout_s: float) -> bool:
        """Wait until everything is acknowledged; return whether it is.

        Raises:
            OutboxError: If the outbox has failed.
        """
        return self.wait_below(1, timeout_s)

    def wait_below(self, n_messages: int, timeout_s: float) -> bool:
        """Wait until fewer messages wait in the outbox; return whether it is so.

        Raises:
            OutboxError: If the outbox has failed.
        """
        with self._progress:
            self._progress.wait_for(
                lambda: self._failure or self._outbox.n_messages < n_messages, timeout_s
            )
        if self._failure is not None:
            raise OutboxError(f"the uplink has stopped: {self._failure}")
        return self._outbox.n_messages < n_messages

    def _on_stored(self, devices: set[str]) -> None:
        with self._lock:
            self._fresh |= devices
        self._selector.wake()

    def _run(self) -> None:
        try:
            next_tick_s = 0.0
            while not self._stopping.is_set():
                now_s = time.monotonic()
                if now_s >= next_tick_s:
                    self._tick(now_s)
                    next_tick_s = now_s + _TICK_S
                self._turn(max(0.0, next_tick_s - time.monotonic()))
        except BaseException as error:  # told to whoever waits
            self._failure = error
            with self._progress:
                self._progress.notify_all()

    def _tick(self, now_s: float) -> None:
        """Do for all devices what time asks for."""
        for link in self._links.values():
            if self._selector.is_watched(link):
                link.client.loop_misc()
                self._serve(link)
            elif not link.is_dialling and now_s >= link.retry_at_s and self._diallers:
                link.is_dialling = True
                self._diallers.submit(self._dial, link)
        self._outbox.commit()
        with self._progress:
            self._progress.notify_all()

    def _dial(self, link: MqttLink) -> None:
        self._dialled.put((link, link.dial()))
        self._selector.wake()

    def _turn(self, timeout_s: float) -> None:
        """Serve the connections once."""
        for link, may_read, may_write in self._selector.wait(timeout_s):
            if may_read:
                read_all(link)
            if may_write:
                link.client.loop_write()
            self._serve(link)
        self._take_dialled()
        with self._lock:
            fresh, self._fresh = self._fresh, set()
        for device in fresh & self._links.keys():
            self._links[device].note_stored()
            self._serve(self._links[device])

    def _serve(self, link: MqttLink) -> None:
        now_s = time.monotonic()
        link.send(now_s)
        if self._selector.watch(link):
            link.note_failure(link.trouble or "the connection broke", now_s)

    def _take_dialled(self) -> None:
        """Take over the connections that have come about since, or have not."""
        while True:
            try:
                link, trouble = self._dialled.get_nowait()
            except queue.Empty:
                return
            link.is_dialling = False
            if trouble:
                link.counts.n_refused += 1
                link.note_failure(trouble, time.monotonic())
            else:
                self._serve(link)
