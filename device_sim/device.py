# SPDX-License-Identifier: Apache-2.0
"""A simulated device: sensor, ring buffer, encoder, outbox, radio, in simulated time.

One thing at a time: it waits for the samples of a window, takes them out of the ring
buffer, encodes for as long as its processor needs, and stores the sealed messages. Only
then are they sent. What a restart finds is what was stored.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from device_sim.device_costs import Cost
from device_sim.device_feed import DeviceFeed
from device_sim.device_log import DeviceLog
from device_sim.device_parts import DeviceParts, DevicePlan, window_room
from device_sim.device_radio import Sealed
from device_sim.device_session import (
    CodedFrame,
    DeviceSession,
    first_need,
)
from dynamic_deep.recording import RecordingInfo
from dynamic_deep.uplink.keys import DeviceKeys
from dynamic_deep.uplink.message import SessionId
from dynamic_deep.uplink.sealed import SealedMessage


class SimDevice:
    """One device.

    Args:
        plan: what it has in common with others.
        feed: its sensor and ring buffer.
        keys: its keys.
        parts: what it is put together with.

    Attributes:
        name: device id.
        feed: as given.
        radio: what sends.
        totals: what it came to.
        digests: session -> SHA-256 of its file, of each that it completed.
        n_stored: session -> windows whose messages were stored, all leads counted.
        is_off: whether it has nothing more to encode.

    Raises:
        ConfigError: If its outbox is too small.
    """

    def __init__(
        self, plan: DevicePlan, feed: DeviceFeed, keys: DeviceKeys, parts: DeviceParts
    ) -> None:
        """Be switched off; `boot` switches it on."""
        self.name = keys.device
        self.feed = feed
        self.radio = parts.radio
        self.totals = parts.totals
        self.digests: dict[SessionId, bytes] = {}
        self.n_stored: Counter[SessionId] = Counter()
        self.is_off = True
        self._plan = plan
        self._keys = keys
        self._parts = parts
        self._clock = parts.clock
        self._log = DeviceLog(self.name, parts.clock, parts.radio, parts.trace)
        recording = feed.sensor.recording
        self._info: RecordingInfo = dataclasses.replace(recording.info, name=self.name)
        self._worst = window_room(self._info, plan.outbox_limit)
        self._session: DeviceSession | None = None
        self._sealed: list[SealedMessage] = []  # while the encoder is at work
        self._unstored: list[CodedFrame] = []

    def boot(self) -> None:
        """Start, for the first time or again, after the last window that is stored.

        The samples of windows that were not stored are measured already; they are taken
        to be kept beside the ring buffer, and are encoded again. The outbox must have
        raised the boot counter before.
        """
        state = self._parts.outbox.state(self.name)
        self.is_off = False
        self.totals.n_boots += 1
        self.totals.n_recoded += len(self._unstored)
        self._session, self._sealed, self._unstored = None, [], []
        self.feed.go_back(state.mark + state.n_samples, self._clock.now_s)
        if self.totals.n_boots == 1:
            self.totals.n_measured = self.feed.limit - self.feed.position
        self._log.add("boot", self._session, n_samples=self.feed.position)
        self.radio.restart()
        self._wait_for_window()

    def restart(self) -> None:
        """Lose power and start again, unless it has stopped for good."""
        if not self.is_off:
            self._parts.outbox.boot([self.name])
            self.boot()

    def rotate_key(self) -> None:
        """Seal with a new key after the next window, in a session of its own."""
        if self.is_off:
            return
        self._keys = self._parts.rotate(self._keys)
        self._log.add("key", self._session)
        if self._session is not None:
            self._session.end_early()

    def _later(self, time_s: float, action: Callable[[], None]) -> None:
        """Plan an action that a restart calls off."""
        n_boots = self.totals.n_boots

        def unless_restarted() -> None:
            if n_boots == self.totals.n_boots:
                action()

        self._clock.at(time_s, unless_restarted)

    def _target(self) -> int:
        """Return the position up to which samples are needed next."""
        if self._session is not None:
            return min(self._session.next_need, self._stop_of(self._session))
        first = self.feed.position
        return min(first_need(first, self._info.fs), self.feed.stop_after(first))

    def _stop_of(self, session: DeviceSession) -> int:
        return min(session.end, self.feed.stop_after(session.base))

    def _wait_for_window(self) -> None:
        if self._session is None and self.feed.is_over:
            self.is_off = True
            self._log.add("stop", self._session)
            return
        ready_s = self.feed.sensor.ready_at(self._target())
        self._later(ready_s, self._take_window)

    def _take_window(self) -> None:
        if not self._has_room():
            self._wait_for_room()
            return
        n_lost = self.feed.fill(self._clock.now_s, self._target())
        self.totals.ring_high_water = self.feed.high_water
        if n_lost:
            self.totals.n_overrun += n_lost
            self._log.add("overrun", self._session, n_samples=n_lost)
            if self._session is not None:
                self._encode(self._session, self._session.finish())
                return
        if self.feed.end < self._target():
            self._wait_for_window()
            return
        session = self._session or self._open_session()
        target = self._target()
        frames = session.push(self.feed.take_to(target))
        if target == self._stop_of(session):
            frames += session.finish()
        self._encode(session, frames)

    def _has_room(self) -> bool:
        """Tell whether another window fits into the outbox, however badly it codes."""
        waiting = sum(frame.n_bytes for frame in self._unstored)
        taken = self.radio.outbox_bytes + waiting
        return taken + self._worst <= self._plan.outbox_limit

    def _wait_for_room(self) -> None:
        self.totals.n_full += 1
        self._log.add("full", self._session)
        if self.radio.is_idle and self._session is not None:
            self._session.cut()  # else nothing would be sent that could make room
            self._store_sealed()
        again = functools.partial(self._later, 0.0, self._take_window)
        self.radio.call_when_freed(again)

    def _open_session(self) -> DeviceSession:
        base = self.feed.position
        at = self._plan.start_time + timedelta(seconds=self.feed.sensor.time_of(base))
        self._session = session = DeviceSession(
            self._plan.encoder,
            self._parts.outbox.begin(self._keys, mark=base),
            dataclasses.replace(self._info, start_time=at),
            base=base,
            store=self._keep,
        )
        self.totals.n_sessions += 1
        self._log.add("open", self._session, n_samples=base)
        return session

    def _keep(self, sealed: SealedMessage) -> bool:
        self._sealed.append(sealed)
        return True

    def _encode(self, session: DeviceSession, frames: list[CodedFrame]) -> None:
        """Let the time pass that the processor needs."""
        costs = [self._plan.costs.frame(frame, self._info) for frame in frames]
        done_s = self._clock.now_s + sum(cost.duration_s for cost in costs)
        self._unstored += frames
        done = functools.partial(self._on_encoded, session, frames, costs)
        self._later(done_s, done)

    def _on_encoded(
        self, session: DeviceSession, frames: list[CodedFrame], costs: list[Cost]
    ) -> None:
        for frame, cost in zip(frames, costs, strict=True):
            self.totals.compute_s += cost.duration_s
            self.totals.compute_mj += cost.energy_mj
            self._log.add_frame(frame, cost, session)
        self._store_sealed()
        if session.is_over:
            self.digests[session.start.session] = session.digest()
            self._log.add("close", session, n_samples=session.pushed - session.base)
            self._session = None
        self._wait_for_window()

    def _store_sealed(self) -> None:
        # A header goes with the first windows: alone it would be a file of nothing.
        if any(sealed.message.number for sealed in self._sealed):
            sealed, self._sealed = self._sealed, []
            for message in sealed:
                self._store(message)

    def _store(self, sealed: SealedMessage) -> None:
        self._parts.store(sealed)
        message, n_bytes = sealed.message, len(sealed.data)
        n_stored = sealed.next_seq // self._info.n_leads
        while self._unstored and self._unstored[0].window_idx < n_stored:
            self.totals.add_frame(self._unstored.pop(0), self._info)
            self.n_stored[message.session] += 1
        self.totals.add_message(n_bytes)
        self._log.add("store", self._session, number=message.number, n_bytes=n_bytes)
        self.radio.enqueue(
            Sealed(
                session=message.session,
                number=message.number,
                n_bytes=n_bytes,
                at_s=self._clock.now_s,
            )
        )
