# SPDX-License-Identifier: Apache-2.0
"""The buffer between sensor and encoder: of fixed size, and it counts what it loses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ConfigError

IntArray = npt.NDArray[np.signedinteger]


class RingBuffer:
    """Keeps the newest samples; the sensor never waits, so the oldest give way.

    A sample is known by its position: how many came before it.

    Args:
        capacity: samples of each lead that it holds.
        n_leads: leads.
        dtype: of the samples.

    Attributes:
        first: position of the oldest sample that it holds.
        end: position of the sample that comes next.
        n_overrun: samples of each lead that were overwritten before they were read.
        high_water: the most samples that waited in it at once.

    Example:
        >>> ring = RingBuffer(4, 1, np.int16)
        >>> ring.write(np.arange(6, dtype=np.int16)[:, None])
        >>> ring.first, ring.n_overrun, ring.read(2)[:, 0].tolist()
        (2, 2, [2, 3])
    """

    def __init__(self, capacity: int, n_leads: int, dtype: npt.DTypeLike) -> None:
        """Begin empty, at position 0."""
        if capacity < 1:
            raise ConfigError(
                f"a ring buffer must hold at least 1 sample, got {capacity}; give it "
                "seconds of signal"
            )
        self.capacity = capacity
        self.first = 0
        self.end = 0
        self.n_overrun = 0
        self.high_water = 0
        self._samples: IntArray = np.zeros((capacity, n_leads), dtype)

    def __len__(self) -> int:
        """Return how many samples of each lead wait."""
        return self.end - self.first

    def start_at(self, position: int) -> None:
        """Empty it; the next sample is the one of this position."""
        self.first = self.end = position

    def write(self, block: IntArray) -> None:
        """Take samples in, integer array, (n, n_leads), ADC units."""
        self.end += len(block)
        n_lost = max(0, len(self) - self.capacity)
        self.n_overrun += n_lost
        self.first += n_lost
        self.high_water = max(self.high_water, len(self))
        kept = block[-self.capacity :]
        self._samples[self._places(self.end - len(kept), self.end)] = kept

    def read(self, n: int) -> IntArray:
        """Take the oldest samples out: integer array, (n, n_leads).

        Raises:
            ConfigError: If it holds fewer.
        """
        if not 0 <= n <= len(self):
            raise ConfigError(
                f"a read must be of 0 to {len(self)} samples, which the ring buffer "
                f"holds, got {n}; wait until more have come"
            )
        block = self._samples[self._places(self.first, self.first + n)]
        self.first += n
        return block

    def _places(self, first: int, end: int) -> npt.NDArray[np.intp]:
        return np.arange(first, end, dtype=np.intp) % self.capacity
