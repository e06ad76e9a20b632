# SPDX-License-Identifier: Apache-2.0
"""What a run came to: numbers for machines, a table for a person.

What was simulated stands under `simulated` and is the same for the same records and
seed; what the real run took stands under `real`.
"""

from __future__ import annotations

import dataclasses
import functools
from datetime import UTC, datetime
from typing import Any

from device_sim.device_costs import DeviceCosts
from device_sim.device_totals import DeviceTotals, total_of
from device_sim.fleet import Fleet
from device_sim.fleet_check import Arrivals
from device_sim.mqtt_uplink import LinkCounts
from dynamic_deep.cli import text

Line = tuple[str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RealCosts:
    """What a run took of the real world.

    Attributes:
        took_s: seconds.
        cpu_s: processor time, all threads of the process.
        waited_s: seconds that the simulation waited for the uplink.
        memory_mb: the most memory that the process had.
        connections: what happened on the connections.
        n_waiting: messages that are not acknowledged.
    """

    took_s: float
    cpu_s: float
    waited_s: float
    memory_mb: float
    connections: LinkCounts
    n_waiting: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSummary:
    """A run.

    Attributes:
        request: what was asked for, beside the fleet's options.
        fleet: after its run.
        costs: of its devices.
        real: what it took.
        arrivals: what the run's own receiver got; None if the receiver is elsewhere.
    """

    request: dict[str, Any]
    fleet: Fleet
    costs: DeviceCosts
    real: RealCosts
    arrivals: Arrivals | None

    @functools.cached_property
    def total(self) -> DeviceTotals:
        """All devices together."""
        return total_of(device.totals for device in self.fleet.devices)

    @property
    def is_exact(self) -> bool:
        """Whether all that was stored has arrived, as far as can be known here."""
        is_exact = self.arrivals is None or self.arrivals.is_exact
        return is_exact and self.real.n_waiting == 0

    @property
    def speed(self) -> float:
        """Simulated seconds in a real one, all devices at the same time."""
        began_s = self.fleet.began_s
        return (self.fleet.options.end_s - began_s) / max(self.real.took_s, 1e-9)

    @property
    def mj_per_device_hour(self) -> float:
        """Mean energy of a device in an hour."""
        return self.total.energy_mj / max(self.total.on_s, 1e-9) * 3600.0

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        options = self.fleet.options
        return {
            "asked": self.request
            | {
                "n_devices": options.n_devices,
                "hours": options.hours,
                "n_records": len(options.records),
                "leads": list(options.leads),
                "seed": options.weather.seed,
                "drop": options.weather.drop,
                "outages_s": [
                    [outage.start_s, outage.stop_s]
                    for outage in options.weather.outages
                ],
                "start_time": options.start_time.isoformat(),
            },
            "simulated": {
                "total": self.total.as_dict(),
                "mj_per_device_hour": self.mj_per_device_hour,
                "battery_days": self.costs.battery_days(self.mj_per_device_hour),
                "devices": [
                    {
                        "name": device.name,
                        "record": device.feed.sensor.recording.name,
                        "offset": device.feed.sensor.offset,
                        "start_s": device.feed.sensor.start_s,
                        "totals": device.totals.as_dict(),
                    }
                    for device in self.fleet.devices
                ],
            },
            "real": dataclasses.asdict(self.real)
            | {
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
                "times_real_time": self.speed,
                "received": self.arrivals.as_dict() if self.arrivals else None,
                "is_exact": self.is_exact,
            },
        }

    def lines(self) -> list[Line]:
        """Return the table that a person reads: what, and how much."""
        total, options = self.total, self.fleet.options
        rows = [
            ("devices", f"{options.n_devices:,} for {text.duration(options.end_s)}"),
            ("windows", f"{total.n_windows:,} in {total.n_sessions:,} sessions"),
            ("bytes", self._bytes()),
            ("levels", _levels(total)),
            ("energy of a device", self._energy()),
            ("battery", self._battery()),
            ("messages", self._messages()),
            ("outbox, at most", f"{total.outbox_high_water_bytes / 1024:.1f} KiB"),
            ("longest wait", text.duration(total.wait_most_s)),
            ("samples lost in the ring buffer", f"{total.n_overrun:,}"),
            ("arrived", self._arrived()),
            ("speed", self._speed()),
            ("memory, at most", f"{self.real.memory_mb:,.0f} MB"),
        ]
        if total.n_recoded:
            encoded_again = f"{total.n_recoded:,} windows after restarts"
            rows.insert(7, ("encoded again", encoded_again))
        return rows

    def _bytes(self) -> str:
        total = self.total
        return (
            f"{total.raw_bytes:,} raw, {total.message_bytes:,} in messages, gain "
            f"{text.gain(total.compression_gain)}"
        )

    def _energy(self) -> str:
        total, n_days = self.total, max(self.total.on_s, 1e-9) / 86400.0
        parts = (
            f"{name} {value / n_days / 1e3:.3g}"
            for name, value in (
                ("computing", total.compute_mj),
                ("radio", total.radio_mj),
                ("standby", total.standby_mj),
            )
        )
        return f"{total.energy_mj / n_days / 1e3:.3g} J a day: {', '.join(parts)}"

    def _battery(self) -> str:
        days = self.costs.battery_days(self.mj_per_device_hour)
        return ", ".join(f"{name} {value:.3g} days" for name, value in days.items())

    def _messages(self) -> str:
        total = self.total
        return (
            f"{total.n_messages:,} stored, {total.n_acknowledged:,} acknowledged, "
            f"{total.n_retries:,} tries more"
        )

    def _arrived(self) -> str:
        n_waiting = self.real.n_waiting
        if n_waiting:
            return f"NOT ALL: {text.plural(n_waiting, 'message')} not acknowledged"
        if self.arrivals is None:
            return "all acknowledged by the receiver, lost 0"
        here = self.arrivals
        if here.is_exact:
            return (
                f"{here.n_windows:,} windows, each once, in {here.n_sessions:,} "
                "sessions as they were written; lost 0"
            )
        return (
            f"NOT EXACT: lost {here.n_lost:,}, twice {here.n_twice:,} windows; "
            f"{here.n_unsent:,} samples unsent; "
            f"{here.n_changed:,} sessions changed, {here.n_incomplete:,} incomplete; "
            f"{here.n_refused:,} messages refused"
        )

    def _speed(self) -> str:
        return (
            f"{self.speed:,.0f} times real time, {text.duration(self.real.took_s)} "
            f"({text.duration(self.real.cpu_s)} of processor time, "
            f"{text.duration(self.real.waited_s)} waiting for the broker)"
        )


def _levels(total: DeviceTotals) -> str:
    n_all = max(1, sum(total.levels.values()))
    shares = (
        f"{name} {text.percent(count / n_all)}"
        for name, count in total.levels.most_common()
    )
    return ", ".join(shares) or "none"


def as_table(lines: list[Line]) -> str:
    """Return lines as text in two columns."""
    width = max(len(what) for what, _ in lines)
    return "\n".join(f"{what:<{width}}  {much}" for what, much in lines)
