# SPDX-License-Identifier: Apache-2.0
"""The links of a fleet: one for each device, by profile, outages and losses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from device_sim.device_radio import Passage
from device_sim.energy import Link
from device_sim.link import LinkModel, Outage
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.message import TAG_LEN, Kind, Message, SessionId

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?")


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as 90, 90s, 10min or 1.5h.

    Raises:
        ConfigError: If it is none.

    Example:
        >>> seconds_of("10min"), seconds_of("1.5h"), seconds_of("90")
        (600.0, 5400.0, 90.0)
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ConfigError(
            f"a duration must be such as 90s, 10min or 1.5h, got {text!r}; write a "
            "number and a unit"
        )
    return float(match[1]) * _UNITS[match[2] or ""]


def outage_of(text: str) -> Outage:
    """Return the outage of START+LENGTH.

    Raises:
        ConfigError: If it is none.

    Example:
        >>> outage_of("1h+10min")
        Outage(start_s=3600.0, stop_s=4200.0)
    """
    start, plus, length = text.partition("+")
    if not plus:
        raise ConfigError(
            f"an outage must be START+LENGTH such as 1h+10min, got {text!r}; say when "
            "it begins and how long it lasts"
        )
    start_s = seconds_of(start)
    return Outage(start_s=start_s, stop_s=start_s + seconds_of(length))


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What the links of a fleet have to bear.

    Attributes:
        outages: times without any link, the same for all devices.
        drop: share of messages that are lost on the way although the radio sent them.
        seed: of all losses and delays.
    """

    outages: tuple[Outage, ...] = ()
    drop: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 0.0 <= self.drop < 1.0:
            raise ConfigError(
                f"a share of lost messages must be 0 or more and below 1, got "
                f"{self.drop:g}; at 1 nothing would ever arrive"
            )
        if self.seed < 0:
            raise ConfigError(f"a seed must be 0 or more, got {self.seed}")


class FleetLink:
    """The link of one device.

    Args:
        link: figures of the device's side.
        weather: what it has to bear.
        number: of the device; each has losses of its own.
        name: of the device, which every message carries.
    """

    def __init__(self, link: Link, weather: Weather, *, number: int, name: str) -> None:
        """Begin with the schedule."""
        seeds = np.random.SeedSequence([weather.seed, number, 1]).spawn(2)
        packets, self._rng = (np.random.default_rng(seed) for seed in seeds)
        self._model = LinkModel(link, seed=packets, outages=weather.outages)
        self._drop = weather.drop
        self._latency_s = 1e-3 * link.protocol.latency_ms
        self._setup_s = link.protocol.setup_s
        # The profile counts all of a message's bytes beside its frames; those of the
        # seal are in the message already.
        around = round(link.protocol.message_overhead_bytes) - sealed_overhead(name)
        self._transport_bytes = max(0, around)

    def send(self, n_bytes: int, *, at_s: float) -> Passage:
        """Send a message of so many bytes.

        Args:
            n_bytes: of the sealed message.
            at_s: simulated seconds.
        """
        transfer = self._model.send(n_bytes + self._transport_bytes, at_s)
        is_dropped = self._drop > 0.0 and bool(self._rng.random() < self._drop)
        word_s = None
        if transfer.is_delivered and not is_dropped:
            word_s = at_s + transfer.latency_s + self._latency_s
        return Passage(
            end_s=at_s + self._setup_s + transfer.airtime_s,
            word_s=word_s,
            airtime_s=transfer.airtime_s,
            energy_mj=transfer.energy_mj,
        )


def sealed_overhead(device: str) -> int:
    """Return the bytes that a sealed message has beside its frames."""
    head = Message(
        kind=Kind.FRAMES,
        key_id=0,
        device=device,
        session=SessionId(1, 0),
        number=0,
        table=bytes(8),
    )
    return len(head.associated_data) + TAG_LEN + 2


def outages_of(texts: Sequence[str]) -> tuple[Outage, ...]:
    """Return the outages of a command line; see `outage_of`."""
    return tuple(outage_of(text) for text in texts)
