# SPDX-License-Identifier: Apache-2.0
"""Whether all that a fleet sent has arrived, once, and as it was written."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from device_sim.device import SimDevice
from device_sim.fleet_receiver import Reception
from dynamic_deep.cloud.catalog import find_objects
from dynamic_deep.container import ContainerReader
from dynamic_deep.uplink.message import SessionId


@dataclass(kw_only=True)
class Arrivals:
    """What came, against what the devices know.

    Attributes:
        n_sessions: sessions that came whole.
        n_windows: windows in them, all leads counted.
        n_bytes: bytes of their files.
        n_lost: windows that a device had stored and that did not come.
        n_twice: windows that came more often than a device had stored them.
        n_changed: sessions whose file is not the one that the device wrote.
        n_unsent: samples of each lead that a sensor gave, and that are neither in a
            window that was stored nor counted as lost in a ring buffer.
        n_incomplete: sessions of which messages are missing.
        n_duplicates: messages that came again, and were not taken in again.
        n_refused: messages that did not verify.
        n_samples: device -> samples of each lead that came.
    """

    n_sessions: int = 0
    n_windows: int = 0
    n_bytes: int = 0
    n_lost: int = 0
    n_twice: int = 0
    n_changed: int = 0
    n_unsent: int = 0
    n_incomplete: int = 0
    n_duplicates: int = 0
    n_refused: int = 0
    n_samples: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        rows = asdict(self)
        rows["n_samples"] = dict(sorted(self.n_samples.items()))
        return rows

    @property
    def is_exact(self) -> bool:
        """Whether every window came exactly once, unchanged."""
        faults = (
            *(self.n_lost, self.n_twice, self.n_changed, self.n_unsent),
            *(self.n_incomplete, self.n_refused),
        )
        return not any(faults)


def compare(reception: Reception, devices: Sequence[SimDevice]) -> Arrivals:
    """Read every session that came, and compare it with what the devices know.

    Args:
        reception: what the receiver says at its end.
        devices: after their run.

    Raises:
        FormatError: If a file in the store is damaged.
    """
    arrivals = Arrivals(
        n_incomplete=reception.n_incomplete,
        n_duplicates=reception.n_duplicates,
        n_refused=reception.n_refused,
    )
    known = {device.name: device for device in devices}
    come: Counter[tuple[str, SessionId]] = Counter()
    for entry in find_objects(reception.store, known):
        session = SessionId.unpack(entry.session)
        data = reception.store.get(entry.name)
        reader = ContainerReader(data)
        n_frames = sum(1 for _ in reader.frames())
        come[entry.device, session] = n_frames
        arrivals.n_sessions += 1
        arrivals.n_windows += n_frames
        arrivals.n_bytes += len(data)
        arrivals.n_samples[entry.device] += reader.n_samples
        digest = known[entry.device].digests.get(session)
        is_same = digest is None or digest == hashlib.sha256(data).digest()
        arrivals.n_changed += not is_same or bool(reader.damage)
    for device in devices:
        totals, n_leads = device.totals, device.feed.sensor.recording.n_leads
        n_known = totals.n_samples // n_leads + totals.n_overrun
        arrivals.n_unsent += abs(totals.n_measured - n_known)
        for session, n_stored in device.n_stored.items():
            n_more = come[device.name, session] - n_stored
            arrivals.n_twice += max(0, n_more)
            arrivals.n_lost += max(0, -n_more)
    return arrivals
