# SPDX-License-Identifier: Apache-2.0
"""The energy report: what each way to send costs a device, an hour and a day.

A total is compute and radio of a way; what runs anyway (sleep, front end, keeping the
link alive) is the same for all and stands apart. A band runs from the case in which
every figure is the cheapest it may be to the case in which it is the dearest. Whether
one way is cheaper than another is asked of every corner: processor and code cheap or
dear, radio cheap or dear.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from device_sim.energy import HOURS_PER_DAY, battery_days
from device_sim.energy_cost import WayCost, standby_hour_mj
from device_sim.energy_measure import Measured, Row
from device_sim.energy_setting import Band, Setting
from device_sim.figure import Case
from device_sim.points import Battery
from dynamic_deep.cli.text import plural
from dynamic_deep.errors import ConfigError

LOSSLESS_KINDS = ("rice", "lossless")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One way in the report. Energies are of an hour of signal.

    Attributes:
        name: of the way.
        kind: of the way.
        gain: bytes of the samples at 16 bits over bytes of frames.
        bytes_per_hour: of frames.
        window_ms: the processor at work for a window of each lead.
        macs_per_window: of the encoder, a lead.
        compute_mj: of the processor for coding.
        radio_mj: of the radio, and of the processor for its stack.
        total_mj: both.
        against_rice: total over the light lossless coder's.
        against_lossless: total over that of level `lossless`.
        day_j: joules a day, with what runs anyway.
        battery_days: how long the battery lasts.
        levels: share of windows sent at each level.
        parts_mj: of the computing, by kind of work, nominal.
        largest_bytes: the largest frames of one window of every lead.
    """

    name: str
    kind: str
    gain: float
    bytes_per_hour: float
    window_ms: Band
    macs_per_window: float
    compute_mj: Band
    radio_mj: Band
    total_mj: Band
    against_rice: Band
    against_lossless: Band
    day_j: Band
    battery_days: Band
    levels: Mapping[str, float]
    parts_mj: Mapping[str, float]
    largest_bytes: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """All ways on one device and radio.

    Attributes:
        setting: what it is made for.
        measured: what was encoded.
        lines: the ways; raw ones that don't fit the samples are left out.
        standby_mj: what runs anyway, an hour.
        windows_per_message: of each lead.
        left_out: why ways are missing.
    """

    setting: Setting
    measured: Measured
    lines: tuple[Line, ...]
    standby_mj: Band
    windows_per_message: int
    left_out: tuple[str, ...]

    def line(self, kind: str) -> Line:
        """Return the first way of a kind.

        Raises:
            ConfigError: If there is none.
        """
        for line in self.lines:
            if line.kind == kind:
                return line
        raise ConfigError(f"the report has no way of the kind {kind}")


def make_report(measured: Measured, setting: Setting) -> Report:
    """Return the report of measured ways on a device."""
    hours = measured.hours
    mean_s = hours * 3600.0 / len(measured.slot_s)
    per_message = max(1, round(setting.interval_s / mean_s))
    rows = [row for row in measured.rows if not row.n_unfit]
    costs = {row.name: WayCost(row, measured, setting, per_message) for row in rows}
    standby = Band.of(lambda case: standby_hour_mj(setting, measured, case))
    rice, lossless = (_first(rows, kind) for kind in LOSSLESS_KINDS)
    lines = tuple(
        _line(
            costs[row.name],
            standby=lambda case: standby_hour_mj(setting, measured, case),
            rivals=(costs[rice.name], costs[lossless.name]),
        )
        for row in rows
    )
    left_out = tuple(
        f"{row.name}, is left out: {plural(row.n_unfit, 'window')} would need more bits"
        for row in measured.rows
        if row.n_unfit
    )
    return Report(
        setting=setting,
        measured=measured,
        lines=lines,
        standby_mj=standby,
        windows_per_message=per_message,
        left_out=left_out,
    )


def _first(rows: list[Row], kind: str) -> Row:
    for row in rows:
        if row.kind == kind:
            return row
    raise ConfigError(f"a report compares with {kind}, which was not measured")


def _line(
    cost: WayCost, *, standby: Callable[[Case], float], rivals: tuple[WayCost, WayCost]
) -> Line:
    row, measured, setting = cost.row, cost.measured, cost.setting

    def hour_mj(case: Case) -> float:
        return cost.total_mj(case, case) + standby(case)

    def days(case: Case) -> float:
        battery = setting.parts.at(setting.battery, Battery, _opposite(case))
        return battery_days(battery, hour_mj(case))

    n_windows = cost.n_slots * measured.n_leads
    n_bytes = sum(row.slot_bytes)
    return Line(
        name=row.name,
        kind=row.kind,
        gain=2.0 * sum(measured.slot_samples) / n_bytes,
        bytes_per_hour=n_bytes / measured.hours,
        window_ms=Band.of(cost.window_ms),
        macs_per_window=cost.work.macs / n_windows,
        compute_mj=Band.of(cost.compute_mj),
        radio_mj=Band.of(lambda case: cost.radio_mj(case, case)),
        total_mj=Band.of(lambda case: cost.total_mj(case, case)),
        against_rice=cost.against(rivals[0]),
        against_lossless=cost.against(rivals[1]),
        day_j=Band.of(lambda case: 1e-3 * HOURS_PER_DAY * hour_mj(case)),
        battery_days=Band.of(days),
        levels={name: n / n_windows for name, n in row.levels.most_common()},
        parts_mj=cost.parts_mj(),
        largest_bytes=max(row.slot_bytes),
    )


def _opposite(case: Case) -> Case:
    opposites: dict[Case, Case] = {"low": "high", "nominal": "nominal", "high": "low"}
    return opposites[case]
