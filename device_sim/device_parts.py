# SPDX-License-Identifier: Apache-2.0
"""What a simulated device is put together of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from device_sim.clock import SimClock
from device_sim.device_costs import DeviceCosts
from device_sim.device_radio import DeviceRadio
from device_sim.device_session import EncoderSetup, window_samples
from device_sim.device_totals import DeviceTotals
from device_sim.outbox import Outbox
from device_sim.trace import Trace
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import RecordingInfo
from dynamic_deep.uplink.keys import DeviceKeys
from dynamic_deep.uplink.sealed import SealedMessage

MESSAGE_ROOM = 512  # bytes of a message beside its frames, header of a session included


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


def window_room(info: RecordingInfo, outbox_limit: int) -> int:
    """Return the bytes that a window of all leads may take in the outbox.

    Lossless coding of noise takes no more than the samples themselves.

    Args:
        info: what is measured.
        outbox_limit: bytes that may wait for an acknowledgement.

    Raises:
        ConfigError: If the outbox can't hold two such windows, of which one may wait
            for the other.
    """
    n_samples = window_samples(info.fs) * info.n_leads
    worst = n_samples * info.adc_bits // 8 + MESSAGE_ROOM
    if outbox_limit < 2 * worst:
        raise ConfigError(
            f"an outbox must hold two windows at their worst, {2 * worst / 1024:.1f} "
            f"KiB, got {outbox_limit / 1024:g} KiB; let it be larger"
        )
    return worst
