# SPDX-License-Identifier: Apache-2.0
"""What an energy report is made for: a device with its radio, code and battery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device_sim.energy import Link
from device_sim.figure import Case
from device_sim.points import CodeCost, Cpu, Protocol
from device_sim.profiles import Profile, transceiver_at


@dataclass(frozen=True, kw_only=True)
class Band:
    """A number with its band."""

    low: float
    nominal: float
    high: float

    @classmethod
    def of(cls, value: Callable[[Case], float]) -> Band:
        """Return it from a function of the case; sorted, whichever end is which."""
        ends = sorted((value("low"), value("high")))
        return cls(low=ends[0], nominal=value("nominal"), high=ends[1])


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a report is made for.

    Attributes:
        device: its profile.
        radio: its profile.
        software: instructions of code.
        parts: batteries and front ends.
        battery: name of the battery.
        front_end: name of the front end.
        send_every_s: how often a message is sent; None: as the radio's profile says.
    """

    device: Profile
    radio: Profile
    software: Profile
    parts: Profile
    battery: str
    front_end: str = "max30003"
    send_every_s: float | None = None

    def __post_init__(self) -> None:
        """Check that the device has the radio."""
        transceiver_at(self.device, self.radio, "nominal")

    def link(self, cpu: Case, radio: Case) -> Link:
        """Return the device's side of the link, processor and radio in a case each."""
        return Link(
            cpu=self.device.at("cpu", Cpu, cpu),
            radio=transceiver_at(self.device, self.radio, radio),
            protocol=self.radio.at("protocol", Protocol, radio),
        )

    def code(self, case: Case) -> CodeCost:
        """Return what code costs."""
        return self.software.at("m4_cycles", CodeCost, case)

    @property
    def interval_s(self) -> float:
        """How often a message is sent."""
        if self.send_every_s is not None:
            return self.send_every_s
        return self.radio.at("protocol", Protocol, "nominal").upload_interval_s
