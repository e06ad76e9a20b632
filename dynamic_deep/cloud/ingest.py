# SPDX-License-Identifier: Apache-2.0
"""The receiver of a fleet: from the broker to durable, from there to the store.

One thread hears the broker, one makes messages durable by commits of many and
acknowledges them, one publishes sessions. What is acknowledged to a device is on the
disk of this receiver, or in the store; the device may forget it.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from dynamic_deep.cloud.arrivals import ArrivalQueue, ArrivedMessage
from dynamic_deep.cloud.inbox import Inbox, InboxError, Outcome
from dynamic_deep.cloud.ingest_link import IngestLink, Login
from dynamic_deep.cloud.ingest_settings import IngestSettings
from dynamic_deep.cloud.publish_book import PublishBook
from dynamic_deep.cloud.publish_round import PublishRounds
from dynamic_deep.cloud.publisher import Publisher
from dynamic_deep.cloud.state_folder import StateFolder
from dynamic_deep.cloud.store import Store
from dynamic_deep.uplink.keys import KeySource
from dynamic_deep.uplink.transport import BrokerAddress

_MAX_BATCH = 250  # messages of a commit; others wait for the inbox meanwhile
_MAX_BATCH_BYTES = 1 << 23
_TICK_S = 0.2
_HOUSEKEEPING_S = 600.0
_FIRST_RETRY_S = 0.5
_MAX_RETRY_S = 10.0
_LAST_ACKS_S = 5.0
_MAX_TOLD = 1000

log = logging.getLogger("dynamic_deep.ingest")


class Ingest:
    """Takes messages in and puts sessions into a store. Use it as a context manager.

    Args:
        state_dir: folder for what is not put yet; one receiver only may use it.
        keys: keys of the devices.
        store: where sessions go.
        address: of the broker.
        login: of the receiver at the broker.
        settings: times.

    Attributes:
        is_writable: whether the last messages could be made durable.
        n_commits: commits of messages.
        commit_s: time spent in them.
        last_message_s: when the last message came, seconds since 1970; 0: none yet.
        receiving_s: from the first message to the last commit, s.

    Raises:
        InboxError: If the folder can't be used.
        ConfigError: If something that it needs is not installed.
    """

    def __init__(
        self,
        state_dir: Path,
        keys: KeySource,
        store: Store,
        *,
        address: BrokerAddress,
        login: Login,
        settings: IngestSettings | None = None,
    ) -> None:
        self.settings = settings or IngestSettings()
        self.is_writable = True
        self.n_commits = 0
        self.commit_s = 0.0
        self.last_message_s = 0.0
        self.receiving_s = 0.0
        self._first_s: float | None = None
        self.queue = ArrivalQueue()
        self.link = IngestLink(address, login, self.queue)
        self._folder = StateFolder(state_dir)
        self.inbox = Inbox(self._folder.inbox, keys)
        self.book = PublishBook(self._folder.book)
        self.publisher = Publisher(self.inbox, store, self.book)
        self.rounds = PublishRounds(
            self.inbox,
            self.publisher,
            every_s=self.settings.round_s,
            early_s=self.settings.early_s,
        )
        self._stopping = threading.Event()
        self._told: set[str] = set()
        self._busy_s = time.monotonic()  # when there was something to do last
        self._next_housekeeping_s = 0.0

    def __enter__(self) -> Self:
        """Return the receiver."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        self.book.close()
        self.inbox.close()
        self._folder.close()

    def stop(self) -> None:
        """Ask `run` to make durable what has come, and to return."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop` is called, or nothing has come for `idle_s`.

        Raises:
            BrokerRefusedError: If the broker does not let the receiver in.
        """
        self.book.keep_only((s.device, s.session) for s in self.inbox.sessions())
        self.link.start()
        self.rounds.start()
        try:
            while not self._stopping.is_set() and not self._is_idle():
                self.link.check()
                self._work(_TICK_S)
                self._keep_house()
            self._drain()
        finally:
            self.link.stop()
            self.rounds.stop()
        self.rounds.run_once()

    def problems(self) -> list[str]:
        """Return what is wrong now, for a person; nothing if all is well."""
        found = []
        if not self.link.is_connected:
            found.append("no connection to the broker")
        if not self.is_writable:
            found.append("the disk takes nothing: messages are not acknowledged")
        if self.rounds.state.trouble:
            found.append(f"the store takes nothing: {self.rounds.state.trouble}")
        return found

    def _work(self, timeout_s: float) -> int:
        """Take what has come, make it durable, acknowledge it; return how many."""
        batch = self.queue.take(_MAX_BATCH, _MAX_BATCH_BYTES, timeout_s)
        if batch:
            self._busy_s = time.monotonic()
            self._first_s = self._first_s or self._busy_s
            self.last_message_s = time.time()
            if self._commit(batch):
                self.link.confirm(batch)
                self.receiving_s = time.monotonic() - self._first_s
        return len(batch)

    def _commit(self, batch: list[ArrivedMessage]) -> bool:
        """Make messages durable, as soon as the disk takes them; False if stopped."""
        retry_s = _FIRST_RETRY_S
        while True:
            started_s = time.monotonic()
            try:
                outcomes = self.inbox.accept_many((m.device, m.payload) for m in batch)
                acks = self.inbox.acks(outcomes)
            except InboxError as failure:
                if self.is_writable:
                    log.error("messages are no longer acknowledged: %s", failure)
                self.is_writable = False
                if self._stopping.wait(retry_s):
                    return False
                self.link.check()
                retry_s = min(2 * retry_s, _MAX_RETRY_S)
                continue
            break
        self.commit_s += time.monotonic() - started_s
        self.n_commits += 1
        if not self.is_writable:
            log.info("messages are acknowledged again")
        self.is_writable = True
        for outcome in outcomes:
            self._tell(outcome)
        self.link.send_acks(acks)
        return True

    def _tell(self, outcome: Outcome) -> None:
        """Log why a message is quarantined, the same reason once."""
        text = f"quarantined, of {outcome.topic_device[:80]!r}: {outcome.reason}"
        if not outcome.reason or text in self._told:
            return
        if len(self._told) >= _MAX_TOLD:
            self._told.clear()  # forged messages must not fill the memory
        self._told.add(text)
        log.warning("%s", text)

    def _drain(self) -> None:
        """Finish what has come already."""
        self.queue.close()
        while self._work(0.0):
            pass
        self.link.wait_sent(_LAST_ACKS_S)

    def _keep_house(self) -> None:
        now_s = time.monotonic()
        if now_s < self._next_housekeeping_s:
            return
        self._next_housekeeping_s = now_s + _HOUSEKEEPING_S
        try:
            self.rounds.give_up(time.time() - self.settings.give_up_s)
            self.inbox.forget(time.time() - self.settings.remember_s)
        except InboxError as failure:
            log.error("housekeeping must wait: %s", failure)

    def _is_idle(self) -> bool:
        idle_s = self.settings.idle_s
        if idle_s is None or not self.link.is_connected:
            return False
        return time.monotonic() - self._busy_s > idle_s and not len(self.queue)
