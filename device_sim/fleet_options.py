# SPDX-License-Identifier: Apache-2.0
"""What a run of a fleet is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from device_sim.device_session import SESSION_S
from device_sim.fleet_link import Weather
from device_sim.trace import FORMATS
from dynamic_deep.errors import ConfigError

DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_RING_S = 60.0
DEFAULT_OUTBOX_KB = 512.0


@dataclass(frozen=True, kw_only=True)
class FleetOptions:
    """How many devices, what they replay, how long.

    Attributes:
        records: the records to replay, shared by the devices.
        n_devices: how many.
        hours: simulated hours.
        leads: leads of a record to measure, from 0.
        is_loop: begin a record again at its end; else the device stops there.
        gap_s: nothing is measured for so long before a record begins again.
        spread_s: devices are switched on within so long after the beginning.
        session_s: the longest session, seconds of signal.
        n_frames: a message is cut at so many frames; None: as often as the radio's
            profile says.
        ring_s: seconds of signal that the ring buffer holds.
        outbox_kb: KiB of messages that a device can keep until they are acknowledged.
        restarts_s: when every device loses power, simulated seconds.
        rotations_s: when every device changes its key.
        speed: simulated seconds in a real one; infinite: as fast as can be.
        weather: outages and losses; its seed is the run's.
        start_time: the time of day at which the simulation begins.
        prefix: what the names of devices begin with.
        trace: format of the trace.

    Raises:
        ConfigError: If a number is out of range.
    """

    records: tuple[Path, ...]
    n_devices: int = 50
    hours: float = 24.0
    leads: tuple[int, ...] = (0,)
    is_loop: bool = True
    gap_s: float = 0.0
    spread_s: float = 30.0
    session_s: float = SESSION_S
    n_frames: int | None = None
    ring_s: float = DEFAULT_RING_S
    outbox_kb: float = DEFAULT_OUTBOX_KB
    restarts_s: tuple[float, ...] = ()
    rotations_s: tuple[float, ...] = ()
    speed: float = math.inf
    weather: Weather = field(default_factory=Weather)
    start_time: datetime = DEFAULT_START
    prefix: str = "dev"
    trace: str = "csv"

    def __post_init__(self) -> None:
        """Check the numbers; what belongs to a part is checked there."""
        if not 1 <= self.n_devices <= 100_000:
            raise ConfigError(
                f"a fleet must have 1 to 100,000 devices, got {self.n_devices}"
            )
        if not 0.0 < self.hours <= 24.0 * 366.0:
            raise ConfigError(
                f"a run must last above 0 and at most 8784 hours, got {self.hours:g}"
            )
        if not self.speed > 0.0:
            raise ConfigError(
                f"a speed must be above 0, got {self.speed:g}; 1 is real time, max as "
                "fast as can be"
            )
        if not self.session_s <= SESSION_S:
            raise ConfigError(
                f"a session must not be longer than an hour of signal, got "
                f"{self.session_s:g} s; let it be shorter"
            )
        if self.start_time.tzinfo is None:
            raise ConfigError(
                f"the start must name its zone, got {self.start_time}; append Z for UTC"
            )
        if self.trace not in FORMATS:
            raise ConfigError(
                f"a trace must be one of {', '.join(FORMATS)}, got {self.trace!r}"
            )

    @property
    def end_s(self) -> float:
        """When the devices measure no more, in simulated seconds."""
        return 3600.0 * self.hours

    @property
    def names(self) -> list[str]:
        """Return the devices' ids."""
        return device_names(self.n_devices, self.prefix)


def device_names(n_devices: int, prefix: str = "dev") -> list[str]:
    """Return the ids of a fleet's devices.

    Example:
        >>> device_names(2)
        ['dev-0001', 'dev-0002']
    """
    width = max(4, len(str(n_devices)))
    return [f"{prefix}-{number + 1:0{width}d}" for number in range(n_devices)]
