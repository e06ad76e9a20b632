# SPDX-License-Identifier: Apache-2.0
"""The receiver of a run that brings its own broker: the cloud's, in a thread."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from dynamic_deep.cloud.folder_store import FolderStore
from dynamic_deep.cloud.ingest import Ingest
from dynamic_deep.cloud.ingest_link import Login
from dynamic_deep.errors import DynamicDeepError
from dynamic_deep.uplink.keys import KeySource
from dynamic_deep.uplink.transport import BrokerAddress

_CONNECT_S = 20.0


class ReceiverError(DynamicDeepError):
    """The receiver of a run can't work."""


@dataclass(frozen=True, kw_only=True)
class ReceiverPlace:
    """Where a receiver gets what it needs.

    Attributes:
        address: of the broker.
        password: of the user `ingest` there.
        state: folder for what is not in the store yet.
        store: folder of the sessions.
    """

    address: BrokerAddress
    password: str
    state: Path
    store: Path


@dataclass(frozen=True, kw_only=True)
class Reception:
    """What a receiver says at its end.

    Attributes:
        store: holds the sessions that came whole.
        n_incomplete: sessions of which messages are missing.
        n_duplicates: messages that came again, and were not taken in again.
        n_refused: messages that did not verify.
    """

    store: FolderStore
    n_incomplete: int
    n_duplicates: int
    n_refused: int


class FleetReceiver:
    """Runs `Ingest` while the context lasts.

    Args:
        place: broker and folders.
        keys: of all devices.

    Raises:
        InboxError: If the folder can't be used.
    """

    def __init__(self, place: ReceiverPlace, keys: KeySource) -> None:
        """Open its files."""
        place.store.mkdir(parents=True, exist_ok=True)
        self._store = FolderStore(place.store)
        self._ingest = Ingest(
            place.state,
            keys,
            self._store,
            address=place.address,
            login=Login(password=place.password),
        )
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        """Start, and return when it listens.

        Raises:
            ReceiverError: If the broker does not let it.
        """
        self._thread.start()
        due_s = time.monotonic() + _CONNECT_S
        while not self._ingest.link.is_connected:
            if self._failure is not None or time.monotonic() > due_s:
                self.__exit__(None, None, None)
                raise ReceiverError(
                    f"the receiver must be let in by the broker: {self._failure or '-'}"
                )
            time.sleep(0.02)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, and close its files."""
        self._end()
        self._ingest.__exit__(None, None, None)

    def finish(self) -> Reception:
        """Put what has come whole into the store, and take nothing more.

        Raises:
            ReceiverError: If it had stopped before.
        """
        self._end()
        if self._failure is not None:
            raise ReceiverError(f"the receiver must work to the end: {self._failure}")
        inbox = self._ingest.inbox
        counters = inbox.counters()
        return Reception(
            store=self._store,
            n_incomplete=len(inbox.sessions()),
            n_duplicates=counters.get("duplicate", 0),
            n_refused=counters.get("quarantined", 0),
        )

    def _end(self) -> None:
        self._ingest.stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._ingest.run()
        except BaseException as error:  # told to whoever asks
            self._failure = error
