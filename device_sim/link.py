# SPDX-License-Identifier: Apache-2.0
"""A link in simulated time: packets, losses, outages, and what each message costs.

The same figures as the energy report's averages (`energy.message`), message by message:
every packet is lost or not by a seeded generator, and sent again until it is through.
Nothing here looks at a clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from device_sim.energy import (
    Link,
    bytes_s,
    n_packets,
    packet_mj,
    packet_s,
    session_mj,
)
from device_sim.figure import Case
from device_sim.points import Cpu, Protocol
from device_sim.profiles import Profile, transceiver_at
from dynamic_deep.errors import ConfigError

# A packet that is lost so often in a row means that the link is down.
MAX_TRIES = 32
# A device that finds its link down gives up after so many packets without answer.
PROBES = 4


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What became of a message.

    Attributes:
        airtime_s: the radio at work, repeated packets included.
        latency_s: from the beginning until the receiver has it, or until the device
            has given up.
        energy_mj: of the radio and of the processor for its stack.
        n_packets: that the message needs.
        n_retries: packets sent once more.
        is_delivered: whether all of it went through.
    """

    airtime_s: float
    latency_s: float
    energy_mj: float
    n_packets: int
    n_retries: int
    is_delivered: bool


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A time without the link.

    Attributes:
        start_s: when it begins, simulated.
        stop_s: when the link is back.
    """

    start_s: float
    stop_s: float

    def __post_init__(self) -> None:
        """Check the order."""
        if not 0 <= self.start_s < self.stop_s:
            raise ConfigError(
                "an outage must have 0 <= start_s < stop_s, got "
                f"{self.start_s:g} and {self.stop_s:g}"
            )


class LinkModel:
    """One device's link.

    Args:
        link: figures of the device's side.
        seed: of the losses and latencies, or a generator.
        outages: times without the link, in any order, not overlapping.

    Raises:
        ConfigError: If outages overlap.

    Example:
        >>> from device_sim.profiles import load_device, load_radio
        >>> link = link_of(load_device("nrf52840"), load_radio("ble_1m"))
        >>> LinkModel(link, seed=1).send(100, at_s=0.0).n_packets
        1
    """

    def __init__(
        self,
        link: Link,
        *,
        seed: int | np.random.Generator,
        outages: Sequence[Outage] = (),
    ) -> None:
        """Begin with the schedule."""
        self._link = link
        self._rng = np.random.default_rng(seed)
        self._outages = sorted(outages, key=lambda outage: outage.start_s)
        self._starts = [outage.start_s for outage in self._outages]
        for before, after in zip(self._outages, self._outages[1:], strict=False):
            if after.start_s < before.stop_s:
                raise ConfigError(
                    f"outages must not overlap, got one until {before.stop_s:g} s and "
                    f"one from {after.start_s:g} s"
                )

    def outage_at(self, at_s: float) -> Outage | None:
        """Return the outage that a time lies in."""
        number = bisect_right(self._starts, at_s) - 1
        if number < 0 or at_s >= self._outages[number].stop_s:
            return None
        return self._outages[number]

    def next_up_s(self, at_s: float) -> float:
        """Return the first time from `at_s` on at which the link is there."""
        while (outage := self.outage_at(at_s)) is not None:
            at_s = outage.stop_s
        return at_s

    def send(self, n_bytes: int, at_s: float) -> Transfer:
        """Send a message of `n_bytes`, all its overhead included, at a time.

        During an outage, or if one begins before the end, it is not delivered, and the
        energy until the device gives up is spent.

        Args:
            n_bytes: of the whole message.
            at_s: simulated time.

        Raises:
            ConfigError: If `n_bytes` is not positive.
        """
        if n_bytes < 1:
            raise ConfigError(f"a message must have 1 byte or more, got {n_bytes}")
        protocol = self._link.protocol
        payload = int(protocol.payload_bytes)
        count = n_packets(protocol, n_bytes)
        sizes = np.full(count, payload)
        sizes[-1] = n_bytes - payload * (count - 1)
        tx_s = bytes_s(protocol, 1.0) * (sizes + protocol.packet_overhead_bytes)
        if self.outage_at(at_s) is not None:
            return self._given_up(count, tx_s[:1], np.array([PROBES]))
        tries = self._rng.geometric(1.0 - protocol.loss, count)
        lost = np.flatnonzero(tries > MAX_TRIES)
        if lost.size:
            tries[lost[0]] = MAX_TRIES
            kept = slice(0, int(lost[0]) + 1)
            return self._given_up(count, tx_s[kept], tries[kept])
        ends_s = at_s + protocol.setup_s + np.cumsum(tries * self._packets_s(tx_s))
        down_s = self._next_outage_s(at_s)
        if ends_s[-1] > down_s:
            n_whole = int(np.searchsorted(ends_s, down_s, side="right"))
            tries[n_whole] += PROBES
            kept = slice(0, n_whole + 1)
            return self._given_up(count, tx_s[kept], tries[kept])
        airtime_s, energy_mj = self._spent(tx_s, tries)
        mean_s = 1e-3 * protocol.latency_ms
        # Half of it is certain, the rest has the long tail that networks have.
        latency_s = mean_s * (0.5 + 0.5 * float(self._rng.exponential()))
        return Transfer(
            airtime_s=airtime_s,
            latency_s=protocol.setup_s + airtime_s + latency_s,
            energy_mj=session_mj(self._link) + energy_mj,
            n_packets=count,
            n_retries=int(tries.sum()) - count,
            is_delivered=True,
        )

    def _packets_s(self, tx_s: np.ndarray) -> np.ndarray:
        return tx_s + packet_s(self._link.protocol, 0.0)

    def _spent(self, tx_s: np.ndarray, tries: np.ndarray) -> tuple[float, float]:
        """Return air time and energy of packets; both are linear in a packet's time."""
        n_sent, sent_s = int(tries.sum()), float((tries * tx_s).sum())
        airtime_s = sent_s + n_sent * packet_s(self._link.protocol, 0.0)
        return airtime_s, n_sent * packet_mj(self._link, sent_s / n_sent)

    def _next_outage_s(self, at_s: float) -> float:
        number = bisect_right(self._starts, at_s)
        return self._starts[number] if number < len(self._starts) else np.inf

    def _given_up(self, count: int, tx_s: np.ndarray, tries: np.ndarray) -> Transfer:
        airtime_s, energy_mj = self._spent(tx_s, tries)
        radio = self._link.radio
        return Transfer(
            airtime_s=airtime_s,
            latency_s=self._link.protocol.setup_s + airtime_s,
            energy_mj=radio.setup_mj + energy_mj,
            n_packets=count,
            n_retries=int(tries.sum()) - len(tries),
            is_delivered=False,
        )


def link_of(device: Profile, radio: Profile, case: Case = "nominal") -> Link:
    """Return a device's side of a link, of its profiles.

    Raises:
        ConfigError: If the device has no such radio.
    """
    return Link(
        cpu=device.at("cpu", Cpu, case),
        radio=transceiver_at(device, radio, case),
        protocol=radio.at("protocol", Protocol, case),
    )
