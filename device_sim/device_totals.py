# SPDX-License-Identifier: Apache-2.0
"""What a device came to: counts, bytes, energy."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import Any

from device_sim.device_session import CodedFrame
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import RecordingInfo

# Fields that are the greatest of something; of several devices the greatest counts.
_MOST = frozenset({"ring_high_water", "outbox_high_water_bytes", "wait_most_s"})


@dataclasses.dataclass(kw_only=True)
class DeviceTotals:
    """Counters of one device, or of all.

    Attributes:
        n_boots: starts.
        n_sessions: sessions begun.
        n_measured: samples of each lead that the sensor gave in this run.
        n_windows: coded windows whose messages were stored, all leads counted.
        n_samples: samples in these windows, all leads counted.
        raw_bytes: bytes of these samples as the device would store them.
        frame_bytes: bytes of their frames.
        n_messages: messages stored.
        message_bytes: bytes of these messages, seals and headers included.
        n_sent: messages that got through the link.
        n_retries: messages that went through the link once more after a loss.
        n_acknowledged: messages that the receiver called durable.
        n_overrun: samples of each lead that were lost in the ring buffer.
        n_full: times that the outbox was full and the encoder waited.
        n_recoded: windows that a restart had encoded before they were stored.
        ring_high_water: most samples of each lead that waited in the ring buffer.
        outbox_high_water_bytes: most bytes that waited for an acknowledgement.
        wait_most_s: the longest from a message's seal to its acknowledgement.
        compute_s: the encoder at work.
        compute_mj: energy of that.
        airtime_s: the radio at work.
        radio_mj: energy of that.
        standby_mj: energy of waiting: sleep, front end, keeping the link alive.
        signal_s: signal in the windows, seconds of one lead.
        on_s: how long the device was on.
        levels: level -> windows.
    """

    n_boots: int = 0
    n_sessions: int = 0
    n_measured: int = 0
    n_windows: int = 0
    n_samples: int = 0
    raw_bytes: int = 0
    frame_bytes: int = 0
    n_messages: int = 0
    message_bytes: int = 0
    n_sent: int = 0
    n_retries: int = 0
    n_acknowledged: int = 0
    n_overrun: int = 0
    n_full: int = 0
    n_recoded: int = 0
    ring_high_water: int = 0
    outbox_high_water_bytes: int = 0
    wait_most_s: float = 0.0
    compute_s: float = 0.0
    compute_mj: float = 0.0
    airtime_s: float = 0.0
    radio_mj: float = 0.0
    standby_mj: float = 0.0
    signal_s: float = 0.0
    on_s: float = 0.0
    levels: Counter[str] = dataclasses.field(default_factory=Counter)

    def add_frame(self, frame: CodedFrame, info: RecordingInfo) -> None:
        """Count a frame that is stored."""
        self.n_windows += 1
        self.n_samples += frame.n_samples
        self.raw_bytes += frame.n_samples * info.adc_bits // 8
        self.frame_bytes += frame.n_bytes
        self.levels[frame.level] += 1
        if frame.lead == 0:
            self.signal_s += frame.n_samples / info.fs

    def add_message(self, n_bytes: int) -> None:
        """Count a message that is stored."""
        self.n_messages += 1
        self.message_bytes += n_bytes

    @property
    def energy_mj(self) -> float:
        """Energy in all."""
        return self.compute_mj + self.radio_mj + self.standby_mj

    @property
    def compression_gain(self) -> float:
        """Raw bytes over the bytes of the messages, seals and headers included."""
        return self.raw_bytes / self.message_bytes if self.message_bytes else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        rows = dataclasses.asdict(self)
        rows["levels"] = dict(sorted(self.levels.items()))
        rows |= {
            "energy_mj": self.energy_mj,
            "compression_gain": self.compression_gain,
        }
        return rows


def total_of(parts: Iterable[DeviceTotals]) -> DeviceTotals:
    """Return the sum over devices, of high-water marks the greatest.

    Raises:
        ConfigError: If there is no device.
    """
    parts = list(parts)
    if not parts:
        raise ConfigError("a total needs a device, got none")
    total = DeviceTotals()
    for field in dataclasses.fields(DeviceTotals):
        values = [getattr(part, field.name) for part in parts]
        if field.name in _MOST:
            setattr(total, field.name, max(values))
        elif field.name == "levels":
            setattr(total, field.name, sum(values, Counter()))
        else:
            setattr(total, field.name, sum(values))
    return total
