# SPDX-License-Identifier: Apache-2.0
"""What a simulated device is put together of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from device_sim.clock import SimClock
from device_sim.device_costs import DeviceCosts
from device_sim.device_radio import DeviceRadio
from device_sim.device_session import EncoderSetup
from device_sim.device_totals import DeviceTotals
from device_sim.outbox import Outbox
from device_sim.trace import Trace
from dynamic_deep.uplink.keys import DeviceKeys
from dynamic_deep.uplink.sealed import SealedMessage


@dataclass(frozen=True, kw_only=True)
class DevicePlan:
    """What is the same for all devices of a fleet.

    Attributes:
        encoder: how to encode.
        costs: what computing and being on cost.
        start_time: the time of day at which the simulation begins.
        end_s: when the devices measure no more, in simulated seconds.
        ring_s: seconds of signal that the ring buffer holds.
        outbox_limit: bytes that may wait for an acknowledgement.
    """

    encoder: EncoderSetup
    costs: DeviceCosts
    start_time: datetime
    end_s: float
    ring_s: float
    outbox_limit: int


@dataclass(frozen=True, kw_only=True)
class DeviceParts:
    """What a device works with.

    Attributes:
        clock: of the simulation.
        outbox: knows how far the device has come, over a restart.
        radio: sends what is stored.
        trace: of the run.
        totals: where to count.
        store: keeps a message durably, or so that it is before it is sent.
        rotate: returns keys with a new one, once the receiver knows it.
    """

    clock: SimClock
    outbox: Outbox
    radio: DeviceRadio
    trace: Trace
    totals: DeviceTotals
    store: Callable[[SealedMessage], None]
    rotate: Callable[[DeviceKeys], DeviceKeys]
