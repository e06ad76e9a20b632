# SPDX-License-Identifier: Apache-2.0
"""What a ward sends in a year, before any coding. No prices here."""

from __future__ import annotations

from dataclasses import dataclass

from costmodel.units import DAYS_PER_YEAR, SECONDS_PER_YEAR
from dynamic_deep.config import MODEL_FS, WINDOW_LEN
from dynamic_deep.errors import ConfigError

# A sealed message of docs/uplink.md beside the frames: 26 bytes of fields, a device
# id, 16 bytes of tag, 2 of sequence number.
MESSAGE_OVERHEAD_BYTES = 44
USUAL_DEVICE_ID_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Beds that record, and how what they send is batched.

    Attributes:
        beds: devices that record at once.
        leads: of each device.
        fs: sampling frequency, Hz.
        bytes_per_sample: of the raw signal; 2 for 16 bits.
        hours_per_day: that each device records.
        window_s: length of a window, s; one decoding and one task run each.
        windows_per_message: windows of each lead that a message carries.
        object_s: signal that an object of the store holds, s, all leads together.
        n_writes_per_object: class A operations that writing an object takes.
        n_reads_per_object: class B operations that reading an object takes.
        n_lists_per_day: class A operations that finding a device's day takes.
        message_overhead_bytes: of a message beside its frames.
        n_jobs_per_day: starts of the decode job; each is billed a minimum.
    """

    beds: float = 200.0
    leads: int = 1
    fs: float = MODEL_FS
    bytes_per_sample: float = 2.0
    hours_per_day: float = 24.0
    window_s: float = WINDOW_LEN / MODEL_FS
    windows_per_message: float = 1.0
    object_s: float = 3600.0
    n_writes_per_object: float = 1.0
    n_reads_per_object: float = 2.0
    n_lists_per_day: float = 4.0
    message_overhead_bytes: float = MESSAGE_OVERHEAD_BYTES + USUAL_DEVICE_ID_BYTES
    n_jobs_per_day: float = 1.0

    def __post_init__(self) -> None:
        """Check every number."""
        above_zero = (
            *("beds", "leads", "fs", "bytes_per_sample", "hours_per_day"),
            *("window_s", "windows_per_message", "object_s"),
        )
        for name in above_zero:
            _require(name, getattr(self, name) > 0, "above 0", getattr(self, name))
        at_least_zero = (
            *("n_writes_per_object", "n_reads_per_object", "n_lists_per_day"),
            *("message_overhead_bytes", "n_jobs_per_day"),
        )
        for name in at_least_zero:
            _require(name, getattr(self, name) >= 0, "at least 0", getattr(self, name))
        hours = self.hours_per_day
        _require("hours_per_day", hours <= 24, "at most 24", hours)

    @property
    def device_seconds_per_year(self) -> float:
        """Seconds of signal of all devices in a year."""
        return self.beds * SECONDS_PER_YEAR * self.hours_per_day / 24

    @property
    def raw_bytes_per_year(self) -> float:
        """Bytes of all samples as measured in a year."""
        per_second = self.leads * self.fs * self.bytes_per_sample
        return self.device_seconds_per_year * per_second

    @property
    def windows_per_year(self) -> float:
        """Windows of one lead in a year."""
        return self.leads * self.device_seconds_per_year / self.window_s

    @property
    def objects_per_year(self) -> float:
        """Objects written in a year; one holds all leads of a device."""
        return self.device_seconds_per_year / self.object_s

    @property
    def messages_per_year(self) -> float:
        """Messages sent in a year; one holds all leads of a device."""
        per_message_s = self.window_s * self.windows_per_message
        return self.device_seconds_per_year / per_message_s

    @property
    def lists_per_year(self) -> float:
        """Class A operations that find every device's recordings, day by day."""
        return self.beds * DAYS_PER_YEAR * self.n_lists_per_day

    @property
    def jobs_per_year(self) -> float:
        """Starts of the decode job in a year."""
        return self.n_jobs_per_day * DAYS_PER_YEAR


def _require(name: str, is_kept: bool, rule: str, value: float) -> None:
    if not is_kept:
        raise ConfigError(f"{name} must be {rule}, got {value:g}; correct it")
