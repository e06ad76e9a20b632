# SPDX-License-Identifier: Apache-2.0
"""What the page draws: single windows, and the levels along a whole recording."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LadderStep:
    """What one coder makes of one window; `level` is the one that it was sent at."""

    name: str
    group: str
    level: str
    gain: float
    prdn: float
    n_bytes: int


@dataclass(frozen=True, kw_only=True)
class Example:
    """One window to look at; `x` and `x_hat` float64, (n_samples,), mV."""

    title: str
    row: str
    record: str
    lead_name: str
    window_idx: int
    start_s: float
    fs: float
    x: FloatArray = field(repr=False)
    x_hat: FloatArray = field(repr=False)
    step: LadderStep
    ladder: tuple[LadderStep, ...]


@dataclass(frozen=True, kw_only=True)
class StripWindow:
    """One window of a strip: from when to when, s, and what it was sent as."""

    start_s: float
    stop_s: float
    step: LadderStep


@dataclass(frozen=True, kw_only=True)
class LevelStrip:
    """The levels that one coder gave the windows of one lead.

    Attributes:
        title: why this lead is shown.
        row: the coder's name.
        record: the recording's name.
        lead_name: the lead's.
        duration_s: of the recording.
        low: float64 (n_points,), mV, lowest sample of each of as many equal stretches.
        high: the same, highest sample.
        gain: of these windows, raw bytes over coded bytes.
        windows: those that were measured, in order.
    """

    title: str
    row: str
    record: str
    lead_name: str
    duration_s: float
    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    gain: float
    windows: tuple[StripWindow, ...]
