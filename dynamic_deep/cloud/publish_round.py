# SPDX-License-Identifier: Apache-2.0
"""Rounds of publishing: which sessions, several at a time, and what if it fails.

One that fails does not hold up the others, unless the store as a whole does not answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from dynamic_deep.cloud.inbox import Inbox, SessionState
from dynamic_deep.cloud.publisher import Publisher
from dynamic_deep.cloud.store import StoreConflictError, StoreError
from dynamic_deep.errors import DynamicDeepError

_N_UPLOADS = 4
_FIRST_PAUSE_S = 1.0
_MAX_PAUSE_S = 60.0

log = logging.getLogger("dynamic_deep.ingest")


@dataclass(slots=True)
class RoundState:
    """How publishing stands.

    Attributes:
        n_store_errors: times that the store did not answer or its disk failed.
        n_stuck: sessions that can't be published as they are, in the last round.
        trouble: why the store can't be written; empty if it can.
        n_waiting: sessions that were ready, or had grown, and were not put.
    """

    n_store_errors: int = 0
    n_stuck: int = 0
    trouble: str = ""
    n_waiting: int = 0


class _Attempt(NamedTuple):
    """What became of one session."""

    state: SessionState
    failure: Exception | None = None
    is_done: bool = False


class PublishRounds:
    """Publishes again and again in a thread of its own.

    Args:
        inbox: where sessions come from.
        publisher: puts one.
        every_s: between two rounds.
        early_s: sessions that go on are put as far as they are, so often; None: never.

    Attributes:
        state: how it stands.
    """

    def __init__(
        self,
        inbox: Inbox,
        publisher: Publisher,
        *,
        every_s: float,
        early_s: float | None = None,
    ) -> None:
        self.state = RoundState()
        self._inbox = inbox
        self._publisher = publisher
        self._every_s = every_s
        self._early_s = early_s
        self._next_early_s = 0.0 if early_s is None else time.monotonic() + early_s
        self._pause_s = 0.0
        self._told: set[str] = set()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="publish", daemon=True)

    def start(self) -> None:
        """Begin with the rounds."""
        self._thread.start()

    def stop(self) -> None:
        """End the rounds; one that runs is finished."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def run_once(self) -> None:
        """Publish what is ready, and if it is time what has grown."""
        with self._lock:
            self._each(self._inbox.ready_sessions(), self._publisher.publish_whole)
            if self._early_s is None or time.monotonic() < self._next_early_s:
                return
            self._next_early_s = time.monotonic() + self._early_s
            open_ones = [s for s in self._inbox.sessions() if s.header is not None]
            self._each(open_ones, self._publisher.publish_part)

    def give_up(self, before: float) -> None:
        """Publish what has come of sessions that have long been silent, and end them.

        To be called by the thread that takes messages in, so that none comes between.

        Args:
            before: seconds since 1970; sessions that had a message since stay open.
        """
        silent = [
            state
            for state in self._inbox.sessions()
            if state.last_time < before and state.header is not None
        ]
        with self._lock:
            for state in silent:
                log.warning(
                    "session %s of %s has been silent too long: put with what is here",
                    *(state.session, state.device),
                )
            self._each(silent, self._publisher.publish_whole)

    def _each(
        self, states: list[SessionState], act: Callable[[SessionState], object]
    ) -> None:
        self.state.n_waiting = len(states)
        self.state.n_stuck = 0
        if not states:
            return
        self.state.trouble = ""
        with ThreadPoolExecutor(_N_UPLOADS, "upload") as pool:
            for attempt in pool.map(lambda s: self._try(s, act), states):
                self.state.n_waiting -= attempt.is_done
                self._judge(attempt)
        if not self.state.trouble:
            self._pause_s = 0.0

    def _try(
        self, state: SessionState, act: Callable[[SessionState], object]
    ) -> _Attempt:
        if self.state.trouble:  # the store is away: not one timeout for each
            return _Attempt(state)
        try:
            act(state)
        except (DynamicDeepError, OSError) as failure:
            if _is_of_store(failure):
                self.state.trouble = str(failure)
            return _Attempt(state, failure)
        return _Attempt(state, is_done=True)

    def _judge(self, attempt: _Attempt) -> None:
        state, failure = attempt.state, attempt.failure
        if failure is None:
            return
        if _is_of_store(failure):
            self.state.n_store_errors += 1
            longer = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _MAX_PAUSE_S)
            self._pause_s = longer
            log.error("the store takes nothing: %s", failure)
            return
        self.state.n_stuck += 1
        text = f"session {state.session} of {state.device} can't be put: {failure}"
        if text not in self._told:
            self._told.add(text)
            log.error("%s", text)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s + self._pause_s):
            try:
                self.run_once()
            except DynamicDeepError as failure:  # of the inbox
                log.error("publishing must wait: %s", failure)


def _is_of_store(failure: Exception) -> bool:
    """Tell whether it is the store that fails, and not one session."""
    if isinstance(failure, StoreConflictError):
        return False
    return isinstance(failure, StoreError | OSError)
