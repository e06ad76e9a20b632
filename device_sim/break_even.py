# SPDX-License-Identifier: Apache-2.0
"""Where computing costs what sending does: multiply-accumulates against bytes saved."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from device_sim.energy import break_even_macs
from device_sim.energy_report import Line, Report
from device_sim.energy_setting import Band, Setting
from device_sim.figure import CASES
from device_sim.profiles import load_radio, radios_of
from device_sim.ways import PAPER_MACS, PAPER_SEGMENT_LEN
from dynamic_deep.config import MODEL_FS, SEGMENT_LEN

SEGMENT_S = SEGMENT_LEN / MODEL_FS
SEGMENTS_PER_HOUR = 3600.0 / SEGMENT_S
PAPER_MACS_PER_SEGMENT = PAPER_MACS * SEGMENT_LEN / PAPER_SEGMENT_LEN


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """The line between computing and sending, for a device and each of its radios.

    Attributes:
        saver: the way whose saving is taken.
        bytes_saved: a segment of one lead, against the light lossless coder.
        macs_per_byte: multiply-accumulates that a byte saved pays for, by radio.
        radios: multiply-accumulates that `bytes_saved` pay for, by radio.
        encoders: what encoders take for a segment, by name.
    """

    saver: str
    bytes_saved: float
    macs_per_byte: Mapping[str, Band]
    radios: Mapping[str, Band]
    encoders: Mapping[str, float]


def macs_per_byte(setting: Setting) -> Band:
    """Return what one byte saved pays for, over all corners of the figures."""
    corners = {
        (cpu, radio): break_even_macs(setting.link(cpu, radio), 1.0)
        for cpu, radio in itertools.product(CASES, CASES)
    }
    return Band(
        low=min(corners.values()),
        nominal=corners["nominal", "nominal"],
        high=max(corners.values()),
    )


def find_break_even(report: Report, encoders: Mapping[str, float]) -> BreakEven:
    """Return the break-even of a report.

    Args:
        report: with the light lossless coder and at least one lossy way.
        encoders: multiply-accumulates of encoders for a segment, by name; the paper's
            is added.
    """
    saver = best_saver(report)
    leads = report.measured.n_leads
    saved = report.line("rice").bytes_per_hour - saver.bytes_per_hour
    bytes_saved = saved / leads / SEGMENTS_PER_HOUR
    per_byte = {
        name: macs_per_byte(replace(report.setting, radio=load_radio(name)))
        for name in radios_of(report.setting.device)
    }
    return BreakEven(
        saver=saver.name,
        bytes_saved=bytes_saved,
        macs_per_byte=per_byte,
        radios={name: _times(band, bytes_saved) for name, band in per_byte.items()},
        encoders={**encoders, "paper": PAPER_MACS_PER_SEGMENT},
    )


def encoders_of(report: Report, bundle: str) -> dict[str, float]:
    """Return what a bundle's encoder takes for a segment, as the ways used it.

    Args:
        report: with ways of the bundle.
        bundle: its name.
    """
    measured = report.measured
    windows_per_hour = len(measured.slot_s) / measured.hours
    found = {}
    for kind, words in (("neural", "one level"), ("bound", "all levels and heads")):
        macs = [line.macs_per_window for line in report.lines if line.kind == kind]
        if macs:
            per_hour = max(macs) * windows_per_hour
            found[f"{bundle}, {words}"] = per_hour / SEGMENTS_PER_HOUR
    return found


def best_saver(report: Report) -> Line:
    """Return the bound if there is one, else a neural or wavelet level."""
    for kind in ("bound", "neural", "wavelet"):
        for line in report.lines:
            if line.kind == kind:
                return line
    return report.line("paper")


def _times(band: Band, factor: float) -> Band:
    low, nominal, high = band.low * factor, band.nominal * factor, band.high * factor
    return Band(low=low, nominal=nominal, high=high)
