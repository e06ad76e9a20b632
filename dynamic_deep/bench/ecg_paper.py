# SPDX-License-Identifier: Apache-2.0
"""Draws a window on ECG paper as SVG text: 25 mm a second, 10 mm a mV.

A row holds 10 s: original and reconstruction, the residual below on the same scale,
and a strip that names the level. All lengths are mm, so that a print is to scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bench.level_strip import level_colours, text_colour
from dynamic_deep.bench.plots import INK, ORANGE, SKY
from dynamic_deep.bench.shown import Example

FloatArray = npt.NDArray[np.float64]

MM_PER_S = 25.0
MM_PER_MV = 10.0
ROW_S = 10.0

_MARGIN = 10.0  # left of the signal: the 1 mV pulse
_WIDTH = _MARGIN + ROW_S * MM_PER_S
_MAX_SIGNAL = 60.0  # an electrode that comes off must not push all else away
_MAX_RESIDUAL = 30.0
_STRIP = 5.0
_POINTS_PER_MM = 8  # finer than a printed line

RECONSTRUCTION, RESIDUAL = SKY, ORANGE


@dataclass(frozen=True)
class _Layout:
    """Heights in mm, whole big squares, and the voltage in the middle."""

    signal: float
    residual: float
    middle_mv: float

    @property
    def height(self) -> float:
        return self.signal + self.residual + _STRIP


def ecg_svgs(example: Example, colours: dict[str, str] | None = None) -> list[str]:
    """Return one SVG element for every 10 s of the window.

    Args:
        example: the window.
        colours: of the levels, from `level_colours`.
    """
    colours = colours or level_colours([example.step])
    layout = _plan(example)
    row_len = max(1, round(ROW_S * example.fs))
    starts = range(0, len(example.x), row_len)
    colour = colours[example.step.level]
    return [_row(example, layout, range(at, at + row_len), colour) for at in starts]


def is_clipped(example: Example) -> bool:
    """Return whether the signal leaves the paper."""
    both = np.concatenate([example.x, example.x_hat])
    return bool(np.ptp(both) * MM_PER_MV > _MAX_SIGNAL)


def _plan(example: Example) -> _Layout:
    both = np.concatenate([example.x, example.x_hat])
    low, high = float(both.min()), float(both.max())
    if (high - low) * MM_PER_MV > _MAX_SIGNAL:
        centre = float(np.median(both))
        half = _MAX_SIGNAL / MM_PER_MV / 2
        low, high = max(low, centre - half), min(high, centre + half)
    largest = float(np.abs(example.x_hat - example.x).max())
    return _Layout(
        signal=_big_squares((high - low) * MM_PER_MV + 4, 15.0, _MAX_SIGNAL + 5),
        residual=_big_squares(2 * largest * MM_PER_MV + 1, 10.0, _MAX_RESIDUAL),
        middle_mv=(low + high) / 2,
    )


def _big_squares(height: float, least: float, most: float) -> float:
    return min(max(5.0 * math.ceil(height / 5.0), least), most)


def _row(example: Example, layout: _Layout, part: range, strip_colour: str) -> str:
    start, stop = part.start, part.stop
    x, x_hat = example.x[start:stop], example.x_hat[start:stop]
    zero = layout.signal + layout.residual / 2
    strip_y = layout.signal + layout.residual
    seconds = start / example.fs
    clip = f"{example.title.split()[0].lower()}{start}"
    end_mm = _MARGIN + len(x) / example.fs * MM_PER_S
    overlay = [
        _trace(x_hat, example.fs, layout.middle_mv, layout.signal / 2,
               colour=RECONSTRUCTION, width=0.9),
        _trace(x, example.fs, layout.middle_mv, layout.signal / 2,
               colour=INK, width=0.22),
    ]  # fmt: skip
    residual = _trace(x_hat - x, example.fs, 0.0, zero, colour=RESIDUAL, width=0.25)
    return "\n".join(
        [
            f'<svg class="ecg" width="{_WIDTH:g}mm" height="{layout.height:g}mm" '
            f'viewBox="0 0 {_WIDTH:g} {layout.height:g}" role="img" '
            'xmlns="http://www.w3.org/2000/svg" '
            f'aria-label="ECG from {seconds:g} s of the window">',
            *_paper(layout, clip),
            *_pulse(layout),
            f'<g clip-path="url(#{clip}s)">{"".join(overlay)}</g>',
            _rule(zero, "#b08080", end_mm),
            f'<g clip-path="url(#{clip}r)">{residual}</g>',
            _strip(example, strip_y, end_mm, strip_colour),
            _text(_MARGIN + 1, 3.4, f"{example.start_s + seconds:.1f} s", INK),
            _text(1, layout.signal + 3.4, "residual", RESIDUAL),
            "</svg>",
        ]
    )


def _paper(layout: _Layout, clip: str) -> list[str]:
    """Return the grid and the clip paths of the two panels."""
    height = layout.signal + layout.residual
    small = "".join(f"M{i} 0V{height:g}" for i in range(int(_WIDTH) + 1) if i % 5)
    small += "".join(f"M0 {i}H{_WIDTH:g}" for i in range(int(height) + 1) if i % 5)
    big = "".join(f"M{i} 0V{height:g}" for i in range(0, int(_WIDTH) + 1, 5))
    big += "".join(f"M0 {i}H{_WIDTH:g}" for i in range(0, int(height) + 1, 5))
    panels = (("s", 0.0, layout.signal), ("r", layout.signal, layout.residual))
    return [
        f'<rect width="{_WIDTH:g}" height="{height:g}" fill="#fff8f8"/>',
        f'<path d="{small}" stroke="#f9dcdc" stroke-width="0.1" fill="none"/>',
        f'<path d="{big}" stroke="#efb4b4" stroke-width="0.18" fill="none"/>',
        *(
            f'<clipPath id="{clip}{name}"><rect x="0" y="{top:g}" width="{_WIDTH:g}" '
            f'height="{tall:g}"/></clipPath>'
            for name, top, tall in panels
        ),
    ]


def _pulse(layout: _Layout) -> list[str]:
    """Return the mark of 1 mV that opens a row of an ECG print."""
    foot = layout.signal / 2 + MM_PER_MV / 2
    path = f"M1.5 {foot:g}h1.5v-{MM_PER_MV:g}h4v{MM_PER_MV:g}h1.5"
    return [f'<path d="{path}" stroke="{INK}" stroke-width="0.25" fill="none"/>']


def _trace(
    mv: FloatArray,
    fs: float,
    middle_mv: float,
    middle_y: float,
    *,
    colour: str,
    width: float,
) -> str:
    """Return a signal as a path; each step is written relative to the one before."""
    times, values = _thin(mv, fs)
    x = np.round(100 * (_MARGIN + times * MM_PER_S)).astype(np.int64)
    y = np.round(100 * (middle_y - (values - middle_mv) * MM_PER_MV)).astype(np.int64)
    steps = zip(np.diff(x).tolist(), np.diff(y).tolist(), strict=True)
    path = f"M{x[0]} {y[0]}l" + " ".join(f"{dx} {dy}" for dx, dy in steps)
    return (
        f'<path transform="scale(0.01)" d="{path.rstrip("l")}" fill="none" '
        f'stroke="{colour}" stroke-width="{100 * width:g}" stroke-linejoin="round"/>'
    )


def _thin(mv: FloatArray, fs: float) -> tuple[FloatArray, FloatArray]:
    """Keep lowest and highest of each stretch that a print can't resolve."""
    times = np.arange(len(mv)) / fs
    stretch = int(2 * fs / (MM_PER_S * _POINTS_PER_MM))
    n_whole = len(mv) // stretch * stretch if stretch > 2 else 0
    if not n_whole:
        return times, mv
    folded = mv[:n_whole].reshape(-1, stretch)
    first = np.arange(0, n_whole, stretch)
    ends = np.stack([folded.argmin(axis=1), folded.argmax(axis=1)], axis=1)
    kept: npt.NDArray[Any] = (np.sort(ends, axis=1) + first[:, None]).ravel()
    kept = np.concatenate([kept, np.arange(n_whole, len(mv))])
    return times[kept], mv[kept]


def _rule(y: float, colour: str, end_mm: float) -> str:
    return (
        f'<path d="M{_MARGIN:g} {y:g}H{end_mm:g}" stroke="{colour}" '
        'stroke-width="0.15" fill="none"/>'
    )


def _strip(example: Example, y: float, end_mm: float, colour: str) -> str:
    """Return the bar that names the level that the window was sent at."""
    text = _text(_MARGIN + 1.5, y + 3.6, example.step.level, text_colour(colour))
    return (
        f'<rect x="{_MARGIN:g}" y="{y + 0.6:g}" width="{end_mm - _MARGIN:g}" '
        f'height="{_STRIP - 1:g}" fill="{colour}"/>{text}'
        + _text(1, y + 3.6, "level", INK)
    )


def _text(x: float, y: float, text: str, colour: str) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="2.6" fill="{colour}">'
        f"{escape(text)}</text>"
    )
