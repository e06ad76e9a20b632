# SPDX-License-Identifier: Apache-2.0
"""Where a session stands in a store: its name, made from it and read from it.

    devices/DEVICE/2026/11/27/09/20261127T091502.250000Z-0000000700000003.ddc
    devices/DEVICE/unknown-time/0000000700000003.ddc

The folders and the name state when the session began, in UTC, by the clock of the
device. A session whose header states no time in UTC, or one that can't be true, lies
under `unknown-time`. The same session always has the same name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from dynamic_deep.errors import FormatError
from dynamic_deep.uplink.message import is_device_id

ROOT = "devices/"
UNKNOWN_TIME = "unknown-time"
SUFFIX = ".ddc"
SESSION_LEN = 8  # bytes

# A clock that says less has not been set: no device of this project is older.
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_LATEST = datetime(3000, 1, 1, tzinfo=UTC)
MAX_AHEAD = timedelta(days=1)  # of the receiver's clock

_STAMP = "%Y%m%dT%H%M%S.%fZ"
_HOUR = "%Y/%m/%d/%H/"
_SESSION = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectName:
    """What the name of an object says.

    Attributes:
        device: id of the device.
        session: 8 bytes, boot counter and session counter, big-endian.
        start_time: of the first sample, in UTC; None: not known.

    Raises:
        FormatError: If a field can't stand in a name.
    """

    device: str
    session: bytes
    start_time: datetime | None

    def __post_init__(self) -> None:
        """Check the fields."""
        if not is_device_id(self.device):
            raise FormatError(
                "a device id must have 1 to 64 letters, digits, '.', '_' or '-' and "
                f"not begin with '.', got {self.device[:80]!r}; the sender is no "
                "device of ours"
            )
        if len(self.session) != SESSION_LEN:
            raise FormatError(
                f"a session must have {SESSION_LEN} bytes, got {len(self.session)}; "
                "take it from the message"
            )
        start = self.start_time
        if start and (start.utcoffset() is None or not EARLIEST <= start < _LATEST):
            raise FormatError(
                f"a start time must be in UTC and from {EARLIEST.year} on, got "
                f"{start.isoformat()}; put the session under {UNKNOWN_TIME}"
            )

    @property
    def folder(self) -> str:
        """The device's folder, with a slash at the end."""
        return f"{ROOT}{self.device}/"

    def __str__(self) -> str:
        """Return the name."""
        if self.start_time is None:
            return f"{self.folder}{UNKNOWN_TIME}/{self.session.hex()}{SUFFIX}"
        start = self.start_time.astimezone(UTC)
        name = f"{start.strftime(_STAMP)}-{self.session.hex()}{SUFFIX}"
        return f"{self.folder}{hour_prefix(start)}{name}"

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a name.

        Raises:
            FormatError: If it is none of an object of a session, in its one right form.
        """
        parts = name.removeprefix(ROOT).split("/")
        stem = parts[-1].removesuffix(SUFFIX)
        try:
            stamp, _, session = stem.rpartition("-")
            start = datetime.strptime(stamp, _STAMP) if stamp else None
            if not _SESSION.fullmatch(session):
                raise ValueError(session)
            found = cls(
                device=parts[0],
                session=bytes.fromhex(session),
                start_time=start and start.replace(tzinfo=UTC),
            )
        except ValueError:
            found = None
        if found is None or str(found) != name:
            raise FormatError(
                f"an object must be named {ROOT}DEVICE/YYYY/MM/DD/HH/TIME-SESSION"
                f"{SUFFIX}, got {name[:120]!r}; it was not put here by ingest"
            )
        return found


def hour_prefix(time: datetime) -> str:
    """Return the folders of an hour, below the device's, with a slash at the end."""
    return time.strftime(_HOUR)


def trusted_start(start_time: datetime | None, received: datetime) -> datetime | None:
    """Return the start of a session in UTC, or None if the device can't know it.

    Args:
        start_time: as the header states it; without a zone, it is not known when.
        received: when the session's header came, in UTC.
    """
    if start_time is None or start_time.utcoffset() is None:
        return None
    start = start_time.astimezone(UTC)
    return start if EARLIEST <= start <= received + MAX_AHEAD else None
