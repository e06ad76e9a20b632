# SPDX-License-Identifier: Apache-2.0
"""The same encoded records on every device and over every radio: a line for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from device_sim.break_even import best_saver
from device_sim.energy_report import Report, make_report
from device_sim.energy_text import band, number
from device_sim.profiles import load_device, load_radio, names_of, radios_of
from dynamic_deep.cli import text


def every_report(report: Report) -> Iterator[Report]:
    """Yield the report for each device and radio that are shipped."""
    for device in map(load_device, names_of("devices")):
        for radio in map(load_radio, radios_of(device)):
            setting = replace(report.setting, device=device, radio=radio)
            yield make_report(report.measured, setting)


def format_all(report: Report) -> str:
    """Return the table: what the saver costs against both ways to be lossless."""
    saver = best_saver(report).name
    header = (
        *("device", "radio", "raw mJ/h", "rice mJ/h", "lossless mJ/h"),
        *(f"{saver} mJ/h", "/ rice", "/ lossless", "cheapest way"),
    )
    rows = []
    for other in every_report(report):
        line = next(line for line in other.lines if line.name == saver)
        cheapest = min(other.lines, key=lambda line: line.total_mj.nominal)
        rows.append(
            (
                other.setting.device.name,
                other.setting.radio.name,
                *(
                    number(other.line(kind).total_mj.nominal)
                    for kind in ("raw", "rice", "lossless")
                ),
                band(line.total_mj),
                band(line.against_rice),
                band(line.against_lossless),
                cheapest.name,
            )
        )
    return text.table(header, rows, n_left=2) + "\n"
