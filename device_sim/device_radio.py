# SPDX-License-Identifier: Apache-2.0
"""The radio of a device in simulated time: store, forward, try again, hear the word.

One message at a time goes through the link, in the order they were stored. One that
is lost is tried again. What went through stays in the outbox until the word of the
receiver that it is durable has come back.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from device_sim.clock import SimClock
from device_sim.device_totals import DeviceTotals
from device_sim.trace import Row, Trace
from dynamic_deep.uplink.message import SessionId

# After a loss a device waits twice this, then twice as long each time, but not longer
# than the second: an outage costs little energy, and its end is noticed soon.
FIRST_WAIT_S = 2.5
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """What became of a message on the link.

    Attributes:
        end_s: when the radio is free again.
        word_s: when the receiver's word is at the device; None if the message is lost.
        airtime_s: the radio at work.
        energy_mj: energy of that.
    """

    end_s: float
    word_s: float | None
    airtime_s: float
    energy_mj: float


class SimLink(Protocol):
    """A link in simulated time."""

    def send(self, n_bytes: int, *, at_s: float) -> Passage:
        """Send a message of so many bytes; the link may be down and make it wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """A message in the outbox, as the simulation knows it.

    Attributes:
        session: of the message.
        number: in its session.
        n_bytes: of the message.
        at_s: when it was stored.
    """

    session: SessionId
    number: int
    n_bytes: int
    at_s: float


class DeviceRadio:
    """Sends what is stored.

    Args:
        name: of the device.
        clock: of the simulation.
        link: the link.
        deliver: called with each message that has gone through, as often as it has.
        totals: of the device.
        trace: of the run.

    Attributes:
        outbox_bytes: of the messages that are not yet acknowledged.
    """

    def __init__(
        self,
        name: str,
        clock: SimClock,
        link: SimLink,
        deliver: Callable[[Sealed], None],
        *,
        totals: DeviceTotals,
        trace: Trace,
    ) -> None:
        """Begin with nothing to send."""
        self.outbox_bytes = 0
        self._name = name
        self._clock = clock
        self._link = link
        self._deliver = deliver
        self._totals = totals
        self._trace = trace
        self._queue: deque[Sealed] = deque()
        self._is_sending = False  # or waits before it tries again
        self._n_tries = 0
        self._n_boots = 0  # what was planned before a restart is off
        self._on_room: list[Callable[[], None]] = []

    @property
    def is_idle(self) -> bool:
        """Whether all that was stored has been acknowledged."""
        return self.outbox_bytes == 0

    def call_when_freed(self, action: Callable[[], None]) -> None:
        """Call back once, when the next acknowledgement makes room."""
        self._on_room.append(action)

    def enqueue(self, message: Sealed) -> None:
        """Take a message that is stored, and send it when its turn comes."""
        self.outbox_bytes += message.n_bytes
        most = max(self._totals.outbox_high_water_bytes, self.outbox_bytes)
        self._totals.outbox_high_water_bytes = most
        self._queue.append(message)
        self._send_next()

    def _send_next(self) -> None:
        if self._is_sending or not self._queue:
            return
        self._is_sending = True
        self._n_tries += 1
        message = self._queue[0]
        passage = self._link.send(message.n_bytes, at_s=self._clock.now_s)
        over = functools.partial(self._on_air_over, message, passage, self._n_boots)
        self._clock.at(passage.end_s, over)

    def restart(self) -> None:
        """Begin anew with what is not yet through, as after a loss of power."""
        self._n_boots += 1
        self._is_sending = False
        self._n_tries = 0
        self._on_room = []
        self._send_next()

    def _on_air_over(self, message: Sealed, passage: Passage, n_boots: int) -> None:
        if n_boots != self._n_boots:
            return
        self._totals.airtime_s += passage.airtime_s
        self._totals.radio_mj += passage.energy_mj
        self._totals.n_retries += self._n_tries > 1
        self._add_row("lost" if passage.word_s is None else "send", message, passage)
        if passage.word_s is not None:
            self._totals.n_sent += 1
            self._is_sending = False
            self._n_tries = 0
            self._queue.popleft()
            self._deliver(message)
            self._clock.at(passage.word_s, functools.partial(self._on_word, message))
            self._send_next()
        else:
            wait_s = min(FIRST_WAIT_S * 2.0 ** min(self._n_tries, 30), LONGEST_WAIT_S)
            again = functools.partial(self._send_again, n_boots)
            self._clock.at(self._clock.now_s + wait_s, again)

    def _send_again(self, n_boots: int) -> None:
        if n_boots == self._n_boots:
            self._is_sending = False
            self._send_next()

    def _on_word(self, message: Sealed) -> None:
        self.outbox_bytes -= message.n_bytes
        self._totals.n_acknowledged += 1
        waited = self._clock.now_s - message.at_s
        self._totals.wait_most_s = max(self._totals.wait_most_s, waited)
        self._add_row("acknowledge", message)
        waiting, self._on_room = self._on_room, []
        for action in waiting:
            action()

    def _add_row(
        self, event: str, message: Sealed, passage: Passage | None = None
    ) -> None:
        self._trace.add(
            Row(
                time_s=self._clock.now_s,
                device=self._name,
                event=event,
                session=str(message.session),
                number=message.number,
                n_bytes=message.n_bytes,
                n_tries=self._n_tries if passage else 0,
                duration_s=passage.airtime_s if passage else 0.0,
                energy_mj=passage.energy_mj if passage else 0.0,
                outbox_bytes=self.outbox_bytes,
            )
        )
