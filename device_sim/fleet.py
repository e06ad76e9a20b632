# SPDX-License-Identifier: Apache-2.0
"""A fleet: many simulated devices in one process, and their real way to a broker.

The simulation runs in the calling thread and sets the pace; the uplink sends in a
thread of its own. Nothing simulated depends on how fast that is: only when too much is
on its way does the simulation wait.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from device_sim.clock import SimClock
from device_sim.device import SimDevice
from device_sim.device_feed import DeviceFeed
from device_sim.device_parts import DeviceParts, DevicePlan
from device_sim.device_radio import DeviceRadio, Sealed
from device_sim.device_totals import DeviceTotals
from device_sim.energy import Link
from device_sim.fleet_flow import FleetFlow
from device_sim.fleet_gate import GatedOutbox
from device_sim.fleet_link import FleetLink
from device_sim.fleet_options import FleetOptions
from device_sim.sensor import RecordShelf, Sensor
from device_sim.trace import Trace
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.keys import DeviceKeys

Progress = Callable[[float, float], None]


@dataclass(frozen=True, kw_only=True)
class FleetParts:
    """What a fleet works with.

    Attributes:
        plan: what is the same for all devices.
        link: figures of their processor and radio.
        keys: one for each device, in the order of their names.
        outbox: keeps their messages.
        flow: takes what they seal.
        trace: where to write what happens.
    """

    plan: DevicePlan
    link: Link
    keys: Sequence[DeviceKeys]
    outbox: GatedOutbox
    flow: FleetFlow
    trace: Trace


class Fleet:
    """Many devices.

    Args:
        options: what is asked for.
        shelf: the records that they replay.
        parts: what they work with.

    Attributes:
        devices: the devices.
        clock: of the simulation.
        began_s: where the simulation begins, 0 unless it goes on.
    """

    def __init__(
        self, options: FleetOptions, shelf: RecordShelf, parts: FleetParts
    ) -> None:
        """Put the devices together; `run` switches them on."""
        self.options = options
        self._parts = parts
        self._shelf = shelf
        sensors = [self._sensor(number) for number in range(options.n_devices)]
        names = [keys.device for keys in parts.keys]
        states = [parts.outbox.state(name) for name in names]
        # A run that goes on does so where the device that came farthest had got to.
        went_to = [
            sensor.ready_at(state.mark + state.n_samples)
            for sensor, state in zip(sensors, states, strict=True)
            if state.boot
        ]
        self.began_s = max(went_to, default=0.0)
        self.clock = SimClock(self.began_s)
        self.devices = [
            self._device(number, sensor, keys)
            for number, (sensor, keys) in enumerate(
                zip(sensors, parts.keys, strict=True)
            )
        ]

    def _sensor(self, number: int) -> Sensor:
        options, recording = self.options, self._shelf.record(number)
        seed = np.random.SeedSequence([options.weather.seed, number, 0])
        rng = np.random.default_rng(seed)
        return Sensor(
            recording=recording,
            offset=int(rng.integers(recording.n_samples)),
            is_loop=options.is_loop,
            gap_s=options.gap_s,
            start_s=round(float(rng.uniform(0.0, options.spread_s)), 3),
        )

    def _device(self, number: int, sensor: Sensor, keys: DeviceKeys) -> SimDevice:
        parts, options, totals = self._parts, self.options, DeviceTotals()
        name = keys.device
        radio = DeviceRadio(
            name,
            self.clock,
            FleetLink(parts.link, options.weather, number=number, name=name),
            functools.partial(parts.flow.release, name),
            totals=totals,
            trace=parts.trace,
        )
        plan = parts.plan
        return SimDevice(
            plan,
            DeviceFeed(sensor, ring_s=plan.ring_s, end_s=plan.end_s),
            keys,
            DeviceParts(
                clock=self.clock,
                outbox=parts.outbox,
                radio=radio,
                trace=parts.trace,
                totals=totals,
                store=parts.flow.store,
                rotate=next_key,
            ),
        )

    def run(self, progress: Progress | None = None) -> None:
        """Run until all devices are off and all they sent is acknowledged.

        Args:
            progress: called with simulated seconds done and in all.

        Raises:
            UplinkStalledError: If broker or receiver take nothing any more.
        """
        self._switch_on()
        end_s, began_s, first_s = self.options.end_s, time.monotonic(), self.clock.now_s
        while not math.isinf(self.clock.next_s):
            self._keep_pace(began_s, first_s)
            self.clock.step()
            self._parts.flow.hold_back()
            if progress is not None:
                progress(min(self.clock.now_s, end_s), end_s)
        self._parts.flow.finish()
        for device in self.devices:
            self._settle(device)

    def _switch_on(self) -> None:
        outbox = self._parts.outbox
        outbox.boot([device.name for device in self.devices])
        for device in self.devices:
            for stored in outbox.all_pending(device.name):
                device.radio.enqueue(
                    Sealed(
                        session=stored.session,
                        number=stored.number,
                        n_bytes=len(stored.data),
                        at_s=self.clock.now_s,
                    )
                )
            self.clock.at(device.feed.sensor.start_s, device.boot)
            plans = [(time_s, device.restart) for time_s in self.options.restarts_s]
            plans += [(at, device.rotate_key) for at in self.options.rotations_s]
            for time_s, action in plans:
                if time_s > self.clock.now_s:  # else it was before this run went on
                    self.clock.at(time_s, action)

    def _settle(self, device: SimDevice) -> None:
        totals = device.totals
        on_from_s = max(self.began_s, device.feed.sensor.start_s)
        totals.on_s = max(0.0, self.options.end_s - on_from_s)
        costs = self._parts.plan.costs
        totals.standby_mj = costs.standby_mj(
            totals.on_s, device.feed.sensor.recording.n_leads
        )

    def _keep_pace(self, began_s: float, first_s: float) -> None:
        if math.isinf(self.options.speed):
            return
        due_s = began_s + (self.clock.next_s - first_s) / self.options.speed
        while (left_s := due_s - time.monotonic()) > 0.0:
            self._parts.flow.rest(min(left_s, 0.2))


def next_key(keys: DeviceKeys) -> DeviceKeys:
    """Return keys that seal with the one after the current, which must be there.

    Raises:
        ConfigError: If the current key is the last.
    """
    later = sorted(i for i in keys.keys if i > keys.key_id)
    if not later:
        raise ConfigError(
            f"a device that changes its key must have another, {keys.device} has none "
            f"after {keys.key_id}; make the keys with --per-device 2"
        )
    return DeviceKeys(device=keys.device, keys=keys.keys, current=later[0])
