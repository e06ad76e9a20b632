# SPDX-License-Identifier: Apache-2.0
"""Between simulation and uplink: what is stored, let go, waited for."""

from __future__ import annotations

import time
from collections.abc import Sequence

from device_sim.device_radio import Sealed
from device_sim.fleet_gate import GatedOutbox
from device_sim.mqtt_uplink import MqttUplink
from dynamic_deep.errors import DynamicDeepError
from dynamic_deep.uplink.sealed import SealedMessage

MAX_ON_THE_WAY = 2000  # messages between outbox and acknowledgement, all devices

TURN = 64  # messages that are committed and given to the uplink together


class UplinkStalledError(DynamicDeepError):
    """The broker or the receiver takes nothing any more."""


class FleetFlow:
    """Stores what devices seal, and holds the simulation back when too much waits.

    Args:
        outbox: keeps the messages.
        uplink: brings them to the broker; started.
        names: of the devices.
        patience_s: real seconds without any progress after which it gives up.

    Attributes:
        waited_s: real seconds that the simulation waited for the uplink.
    """

    def __init__(
        self,
        outbox: GatedOutbox,
        uplink: MqttUplink,
        names: Sequence[str],
        *,
        patience_s: float,
    ) -> None:
        """Begin with nothing waited for."""
        self.waited_s = 0.0
        self._n_released = 0
        self._outbox = outbox
        self._uplink = uplink
        self._names = names
        self._patience_s = patience_s

    def store(self, message: SealedMessage) -> None:
        """Keep a message durably, or so that it is before it is sent."""
        while not self._outbox.put(message):
            self._wait_until_below(self._outbox.n_messages)

    def release(self, device: str, message: Sealed) -> None:
        """Let a message go that has gone through the simulated link."""
        self._outbox.release(device, message.session, message.number)
        self._n_released += 1
        if self._n_released % TURN == 0:
            self._push_on()

    def hold_back(self) -> None:
        """Wait until not too much is on the way.

        Raises:
            UplinkStalledError: If nothing gets ahead.
        """
        if self._outbox.n_messages - self._outbox.n_held >= MAX_ON_THE_WAY:
            self._wait_until_below(MAX_ON_THE_WAY + self._outbox.n_held)

    def finish(self) -> None:
        """Wait until all that was let go is acknowledged.

        Raises:
            UplinkStalledError: If nothing gets ahead.
        """
        self._push_on()
        self._wait_until_below(1 + self._outbox.n_held)

    def rest(self, duration_s: float) -> None:
        """Let real time pass."""
        self._push_on()
        time.sleep(duration_s)

    def _push_on(self) -> None:
        self._outbox.commit()
        self._outbox.announce()

    def _wait_until_below(self, limit: int) -> None:
        outbox, wait = self._outbox, self._uplink.wait_below
        began_s = moved_s = time.monotonic()
        least = outbox.n_messages
        while outbox.n_messages >= limit:
            self._push_on()
            wait(least, 1.0)
            now_s = time.monotonic()
            if outbox.n_messages < least:
                least, moved_s = outbox.n_messages, now_s
            if now_s - moved_s > self._patience_s:
                raise UplinkStalledError(self._trouble(now_s - moved_s))
        self.waited_s += time.monotonic() - began_s

    def _trouble(self, waited_s: float) -> str:
        found = (self._uplink.trouble(name) for name in self._names)
        reason = next((text for text in found if text), "") or self._outbox.trouble
        return (
            f"the receiver must acknowledge what is sent, got nothing for "
            f"{waited_s:.0f} s with {self._outbox.n_messages} messages waiting"
            f"{f' ({reason})' if reason else ''}; start broker and receiver, and go on "
            "with --resume"
        )
