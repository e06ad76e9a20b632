# SPDX-License-Identifier: Apache-2.0
"""What encoding a window, and being on, cost a simulated device in time and energy."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from device_sim.device_session import CodedFrame, EncoderSetup
from device_sim.energy import (
    Link,
    battery_days,
    compute_mj,
    compute_s,
    standby_mj,
)
from device_sim.points import Battery, CodeCost, FrontEnd
from device_sim.profiles import load_parts, load_software
from device_sim.workload import CodecWork, Work, analysis
from dynamic_deep.bound_policy import Calibrated
from dynamic_deep.bundle import Level
from dynamic_deep.errors import ConfigError
from dynamic_deep.policy import Fixed
from dynamic_deep.recording import RecordingInfo
from dynamic_deep.window_codec import WindowPlace

FRONT_END = "max30003"
BATTERIES = ("cr2032", "lipo_150", "lipo_500")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Of a piece of work.

    Attributes:
        duration_s: how long the processor is at it.
        energy_mj: what it takes.
    """

    duration_s: float
    energy_mj: float


class DeviceCosts:
    """Costs of a device by its profile.

    Args:
        setup: what it encodes with.
        link: figures of its processor and its radio.

    Raises:
        ConfigError: If the policy is none that a device can follow.
    """

    def __init__(self, setup: EncoderSetup, link: Link) -> None:
        """Count the work of the bundle's networks."""
        bundle = setup.codec.bundle
        self._link = link
        self._code = load_software().at("m4_cycles", CodeCost, "nominal")
        self._parts = load_parts()
        self._front_end = self._parts.at(FRONT_END, FrontEnd, "nominal")
        self._levels = {level.name: level for level in bundle.levels}
        self._work = CodecWork(bundle)
        self._tried = _tried(setup)
        self._cost = functools.cache(self._cost_of)

    def frame(self, frame: CodedFrame, info: RecordingInfo) -> Cost:
        """Return what taking in, coding and sealing a window of a lead costs."""
        place = WindowPlace(
            n_samples=frame.n_samples,
            fs=info.fs,
            baseline=0,
            adc_bits=info.adc_bits,
        )
        # Frames of a level differ by bytes only, and sealing is a small part of it.
        return self._cost(frame.level, place, -(-frame.n_bytes // 64) * 64)

    def standby_mj(self, on_s: float, n_leads: int) -> float:
        """Return the energy of being on: sleep, front end, keeping the link alive."""
        hours = on_s / 3600.0
        return standby_mj(self._link, self._front_end, hours=hours, n_leads=n_leads)

    def battery_days(self, mj_per_hour: float) -> dict[str, float]:
        """Return how long each battery lasts."""
        return {
            name: battery_days(self._parts.at(name, Battery, "nominal"), mj_per_hour)
            for name in BATTERIES
        }

    def _cost_of(self, name: str, place: WindowPlace, n_bytes: int) -> Cost:
        work = Work(acquired=place.n_samples, sealed_bytes=n_bytes)
        work += self._coding(self._levels[name], place)
        cpu, cycles = self._link.cpu, work.m4_cycles(self._code)
        return Cost(
            duration_s=compute_s(cpu, macs=work.macs, m4_cycles=cycles),
            energy_mj=compute_mj(cpu, macs=work.macs, m4_cycles=cycles),
        )

    def _coding(self, level: Level, place: WindowPlace) -> Work:
        """Return what it takes to choose the level and to code at it."""
        work = Work()
        tried = self._tried or [level]
        lossy = [other for other in tried if other.kind in ("wavelet", "neural")]
        neural = [other.name for other in lossy if other.kind == "neural"]
        if lossy:
            work += analysis(place)
        if neural:
            has_heads = bool(self._tried)
            work += self._work.encoder(place, neural, with_heads=has_heads)
        if len(neural) < len(lossy):
            work += self._work.transform(place)
        for other in lossy:
            work += self._work.coding(place, other)
        if level.kind in ("lossless", "near_lossless"):
            work += Work(lossless=place.n_samples)
        return work


def _tried(setup: EncoderSetup) -> list[Level]:
    """Return the levels that each window is coded at before one is chosen.

    All whose rates the error heads read, since a rate is known by coding only.
    """
    policy, bundle = setup.policy, setup.codec.bundle
    if isinstance(policy, Fixed):
        return []
    if not isinstance(policy, Calibrated):
        raise ConfigError(
            "a device follows a fixed level or a calibrated bound, got "
            f"{type(policy).__name__}, which decodes on the spot; choose one of these"
        )
    names = [str(name) for name in bundle.config["heads"]["levels"]]
    names += [level.name for level in policy.ladder(bundle.levels)]
    levels = [bundle.level(name) for name in dict.fromkeys(names)]
    return [level for level in levels if level.kind in ("wavelet", "neural")]
