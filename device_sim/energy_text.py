# SPDX-License-Identifier: Apache-2.0
"""The energy report as a person reads it, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from device_sim.break_even import BreakEven
from device_sim.energy_report import Line, Report
from device_sim.energy_setting import Band
from device_sim.figure import NEEDS_BAND, Figure
from dynamic_deep.cli import text

HEADER = (
    *("way to send", "gain", "kB/h", "compute mJ/h", "radio mJ/h", "total mJ/h"),
    *("/ rice", "/ lossless", "J/day", "battery, days"),
)


def format_report(report: Report, break_even: BreakEven) -> str:
    """Return the table and what follows from it."""
    parts = [
        text.fields(_head(report)),
        text.table(HEADER, [_cells(line) for line in report.lines]),
        "Bands run from every figure at its cheapest to every figure at its dearest; "
        "quotients\nare nominal, their bands over all corners. J/day and battery "
        "include what runs anyway.",
        *report.left_out,
        "\n".join(_verdicts(report)),
        "\n".join(_break_even(break_even)),
        "\n".join(_levels(report)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(report: Report) -> list[tuple[str, str]]:
    setting, measured = report.setting, report.measured
    rates = ", ".join(f"{fs:g}" for fs in measured.fs)
    interval_s = report.windows_per_message * measured.hours * 3600
    interval_s /= len(measured.slot_s)
    return [
        ("device", setting.device.summary),
        ("radio", setting.radio.summary),
        (
            "records",
            f"{text.plural(measured.n_records, 'record')}, "
            f"{text.plural(measured.n_leads, 'lead')} at {rates} Hz, "
            f"{text.duration(measured.hours * 3600)}, "
            f"{text.plural(len(measured.slot_s), 'window')} of each lead",
        ),
        ("a message every", text.duration(interval_s)),
        ("runs anyway", f"{band(report.standby_mj)} mJ/h: sleep, sampling, front end "
         f"({setting.front_end}), keeping the link"),
        ("battery", setting.battery),
    ]  # fmt: skip


def _cells(line: Line) -> tuple[str, ...]:
    return (
        line.name,
        text.gain(line.gain),
        number(line.bytes_per_hour / 1e3),
        band(line.compute_mj),
        band(line.radio_mj),
        band(line.total_mj),
        band(line.against_rice),
        band(line.against_lossless),
        band(line.day_j),
        band(line.battery_days),
    )


def band(value: Band) -> str:
    """Return a number with its band, such as "152 (98-310)"."""
    low, high = number(value.low), number(value.high)
    if low == high:
        return number(value.nominal)
    return f"{number(value.nominal)} ({low}-{high})"


def number(value: float) -> str:
    """Return a number with three digits.

    Example:
        >>> number(0.01234), number(12.34), number(123456.0), number(0.0)
        ('0.0123', '12.3', '123,456', '0')
    """
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _verdicts(report: Report) -> list[str]:
    lines = []
    for line in report.lines:
        if line.kind != "bound":
            continue
        for rival, ratio in (
            ("rice, the lightest way to be lossless,", line.against_rice),
            ("level lossless", line.against_lossless),
        ):
            lines.append(f"{line.name} against {rival} {verdict(ratio)}")
    return lines


def verdict(ratio: Band) -> str:
    """Say what a quotient of energies means, and whether that is sure."""
    if ratio.nominal <= 1:
        what = f"takes {text.percent(1 - ratio.nominal)} less energy"
    else:
        what = f"takes {number(ratio.nominal)} times the energy"
    low, high = number(ratio.low), number(ratio.high)
    if ratio.low > 1:
        return f"{what} ({low} to {high} times): more, wherever the figures lie"
    if ratio.high < 1:
        return f"{what} ({low} to {high} times): less, wherever the figures lie"
    return f"{what} ({low} to {high} times): which, the figures don't settle"


def _break_even(break_even: BreakEven) -> list[str]:
    lines = [
        "Break-even: what an encoder may cost for a segment of 7.47 s, if it saves the "
        f"{number(break_even.bytes_saved)} bytes\na segment that {break_even.saver} "
        "saves against rice, in million multiply-accumulates"
    ]
    rows = [(radio, band(_millions(macs))) for radio, macs in break_even.radios.items()]
    lines.append(text.table(("radio", "million MACs"), rows))
    encoders = ", ".join(
        f"{name} {macs / 1e6:.3g}" for name, macs in break_even.encoders.items()
    )
    lines.append(f"Encoders: {encoders}")
    return lines


def _millions(value: Band) -> Band:
    low, nominal, high = value.low / 1e6, value.nominal / 1e6, value.high / 1e6
    return Band(low=low, nominal=nominal, high=high)


def _levels(report: Report) -> list[str]:
    lines = []
    for line in report.lines:
        if line.kind == "bound":
            shares = ", ".join(
                f"{name} {text.percent(share)}" for name, share in line.levels.items()
            )
            lines.append(f"{line.name} sends windows at {shares}")
            computed = sum(line.parts_mj.values())
            parts = ", ".join(
                f"{name} {text.percent(energy_mj / computed)}"
                for name, energy_mj in line.parts_mj.items()
                if energy_mj > 0.005 * computed
            )
            lines.append(f"{line.name} spends its computing on {parts}")
            lines.append(
                f"{line.name} keeps the processor at work for "
                f"{band(line.window_ms)} ms a window of each lead"
            )
    return lines


def format_figures(report: Report) -> str:
    """Return every figure behind a report, with its source."""
    setting = report.setting
    rows = []
    for profile in (setting.device, setting.radio, setting.software, setting.parts):
        for name, figure in profile.figures().items():
            if name.startswith("m4_cycles."):  # follows from the instructions
                continue
            rows.append(_figure_cells(f"{profile.name} {name}", figure))
    header = ("figure", "value", "confidence", "source, date, note")
    return text.table(header, rows, n_left=4) + "\n"


def _figure_cells(name: str, figure: Figure) -> tuple[str, ...]:
    value = Band(low=figure.low, nominal=figure.value, high=figure.high)
    note = f"; {figure.note}" if figure.note else ""
    source = f"{figure.source.text}, {figure.source.date}{note}"
    return name, band(value), figure.confidence, source


def report_dict(report: Report, break_even: BreakEven) -> dict[str, Any]:
    """Return the report for machines; energies in mJ an hour unless named otherwise."""
    setting, measured = report.setting, report.measured
    profiles = (setting.device, setting.radio, setting.software, setting.parts)
    uncertain = [
        f"{profile.name} {name}"
        for profile in profiles
        for name, figure in profile.figures().items()
        if figure.confidence in NEEDS_BAND
    ]
    return {
        "device": setting.device.name,
        "radio": setting.radio.name,
        "battery": setting.battery,
        "front_end": setting.front_end,
        "n_records": measured.n_records,
        "n_leads": measured.n_leads,
        "fs": list(measured.fs),
        "hours": measured.hours,
        "windows_per_message": report.windows_per_message,
        "standby_mj": asdict(report.standby_mj),
        "ways": [asdict(line) for line in report.lines],
        "left_out": list(report.left_out),
        "break_even": asdict(break_even),
        "uncertain_figures": uncertain,
    }
