# SPDX-License-Identifier: Apache-2.0
"""From the sensor into the ring buffer, when the device looks, and out of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from device_sim.device_session import first_need
from device_sim.ring import RingBuffer
from device_sim.sensor import Sensor
from dynamic_deep.errors import ConfigError

IntArray = npt.NDArray[np.signedinteger]


class DeviceFeed:
    """Sensor and ring buffer of a device.

    The sensor fills the buffer all the time. Here it is filled when somebody looks,
    which comes to the same.

    Args:
        sensor: what is measured.
        ring_s: seconds of signal that the ring buffer holds.
        end_s: when it measures no more, in simulated seconds.

    Attributes:
        sensor: as given.
        limit: position of the sample after the last.

    Raises:
        ConfigError: If the ring buffer can't hold a window.
    """

    def __init__(self, sensor: Sensor, *, ring_s: float, end_s: float) -> None:
        """Begin with the first sample."""
        capacity, n_least = int(ring_s * sensor.fs), first_need(0, sensor.fs) + 1
        if capacity < n_least:
            raise ConfigError(
                f"a ring buffer must hold a window and half a segment, "
                f"{n_least / sensor.fs:.1f} s, got {ring_s:g} s; let it be larger"
            )
        info = sensor.recording
        self.sensor = sensor
        self.limit = int(min(sensor.end, sensor.count_at(end_s)))
        self._ring = RingBuffer(capacity, info.n_leads, info.dtype)
        self._kept_to = 0

    @property
    def position(self) -> int:
        """Position of the sample that is taken next."""
        return self._ring.first

    @property
    def end(self) -> int:
        """Position of the sample that the ring buffer gets next."""
        return self._ring.end

    @property
    def high_water(self) -> int:
        """The most samples that waited in the ring buffer."""
        return self._ring.high_water

    @property
    def is_over(self) -> bool:
        """Whether all has been taken."""
        return self.position >= self.limit

    def go_back(self, position: int, now_s: float) -> None:
        """Give the samples from a position on once more, after a restart.

        What was measured until now is taken to be kept beside the ring buffer, so none
        of it is lost.
        """
        self._ring.start_at(position)
        self._kept_to = self.sensor.count_at(now_s)

    def stop_after(self, position: int) -> int:
        """Return where the stretch of a position ends: at a gap, or at the end."""
        return int(min(self.sensor.next_break(position), self.limit))

    def fill(self, now_s: float, target: int) -> int:
        """Bring the ring buffer up to now.

        Args:
            now_s: simulated seconds.
            target: position up to which samples are needed.

        Returns:
            How many samples of each lead it lost, since they were not taken in time.
        """
        ring = self._ring
        count = min(self.sensor.count_at(now_s), self.limit)
        if ring.end < self._kept_to:
            count = min(count, target)
        before = ring.n_overrun
        ring.write(self.sensor.read(ring.end, max(count, ring.end)))
        return ring.n_overrun - before

    def take_to(self, position: int) -> IntArray:
        """Take the samples before a position out: integer array, (n, n_leads)."""
        return self._ring.read(position - self._ring.first)
