# SPDX-License-Identifier: Apache-2.0
"""Draws which level each window of a lead got, under its ECG, as SVG text.

A level has the hue of its kind; the fewer bytes it needs, the lighter. A name stands in
a window that is wide enough, a title on each, and the legend says what there was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from dynamic_deep.bench.groups import LOSSLESS, NEAR_LOSSLESS, NEURAL, WAVELET
from dynamic_deep.bench.shown import LadderStep, LevelStrip, StripWindow
from dynamic_deep.bench.strips import row_length_s
from dynamic_deep.bench.table import number

# Dark and light end of each hue, red, green and blue; told apart by the colour-blind.
HUES = {
    LOSSLESS: ((64, 64, 64), (64, 64, 64)),
    NEAR_LOSSLESS: ((0, 104, 76), (0, 104, 76)),
    WAVELET: ((163, 61, 0), (255, 196, 140)),
    NEURAL: ((0, 68, 122), (150, 208, 245)),
}
OTHER_HUE = ((120, 120, 120), (200, 200, 200))
INK = "#1a1a1a"

_WIDTH, _MARGIN = 260.0, 10.0  # mm, as the ECG paper of a window
_TRACE, _STRIP, _TIMES = 16.0, 5.0, 4.5  # mm, heights of a row's parts
_ROW = _TRACE + _STRIP + _TIMES
_LETTER = 1.55  # mm, width of a letter of 2.6 mm
_USUAL_MV = 0.995  # share of the envelope that must fit; a spike may be cut


def level_colours(steps: Iterable[LadderStep]) -> dict[str, str]:
    """Return the colour of every level that occurs, as "#rrggbb", by falling bytes.

    Args:
        steps: windows as they were sent.
    """
    groups = {step.level: step.group for step in steps}
    colours: dict[str, str] = {}
    for group in (*HUES, None):
        of_group = [
            level
            for level, its_group in groups.items()
            if its_group == group or (group is None and its_group not in HUES)
        ]
        of_group.sort(key=_nominal_gain)
        dark, light = HUES.get(group or "", OTHER_HUE)
        for i, level in enumerate(of_group):
            share = i / max(1, len(of_group) - 1)
            rgb = (round(a + share * (b - a)) for a, b in zip(dark, light, strict=True))
            colours[level] = "#" + "".join(f"{part:02x}" for part in rgb)
    return colours


def _nominal_gain(level: str) -> tuple[float, str]:
    """Sort gain_96 before gain_128."""
    last = level.rpartition("_")[2]
    return (float(last) if last.isdigit() else 0.0, level)


def text_colour(colour: str) -> str:
    """Return what is legible on a colour: ink, or white."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#fff"


def legend_html(steps: Sequence[LadderStep], colours: dict[str, str]) -> str:
    """Return the levels with their colour, share of the windows and bytes."""
    n_bytes = sum(step.n_bytes for step in steps)
    items = []
    for level, colour in colours.items():
        of_level = [step for step in steps if step.level == level]
        if not of_level:
            continue
        share = 100 * len(of_level) / len(steps)
        share_bytes = 100 * sum(step.n_bytes for step in of_level) / n_bytes
        items.append(
            f'<span><i style="background:{colour}"></i>{escape(level)}: '
            f"{number(share)} % of the windows, {number(share_bytes)} % of the bytes"
            "</span>"
        )
    return f'<div class="levels">{"".join(items)}</div>'


def strip_svg(strip: LevelStrip, colours: dict[str, str]) -> str:
    """Return the whole lead as one SVG element, in rows.

    Args:
        strip: the lead.
        colours: from `level_colours`.
    """
    row_s = row_length_s(strip.duration_s)
    n_rows = max(1, int(np.ceil(strip.duration_s / row_s - 1e-9)))
    height = n_rows * _ROW
    parts = [
        f'<svg class="strip" width="{_WIDTH:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {_WIDTH:g} {height:g}" role="img" '
        'xmlns="http://www.w3.org/2000/svg" aria-label="Levels of '
        f'{escape(strip.record, quote=True)}, {escape(strip.lead_name, quote=True)}">'
    ]
    for row in range(n_rows):
        parts += _row(strip, colours, row, row_s)
    return "\n".join([*parts, "</svg>"])


def _row(
    strip: LevelStrip, colours: dict[str, str], row: int, row_s: float
) -> list[str]:
    first_s, top = row * row_s, row * _ROW
    last_s = min(first_s + row_s, strip.duration_s)

    def x(seconds: float) -> float:
        inside = min(max(seconds, first_s), last_s) - first_s
        return _MARGIN + inside / row_s * (_WIDTH - _MARGIN - 1.0)

    windows = [w for w in strip.windows if w.stop_s > first_s and w.start_s < last_s]
    return [
        f'<rect x="{_MARGIN:g}" y="{top + 0.4:g}" width="{x(last_s) - _MARGIN:.2f}" '
        f'height="{_TRACE - 0.8:g}" fill="#fff8f8" stroke="#efb4b4" '
        'stroke-width="0.15"/>',
        _trace(strip, first_s, last_s, (_MARGIN, x(last_s)), top),
        *(_block(w, colours, x(w.start_s), x(w.stop_s), y=top + _TRACE)
          for w in windows),
        *_times(first_s, last_s, row_s, top + _TRACE + _STRIP),
        _text(0.5, top + _TRACE / 2 + 1, "ECG", INK),
        _text(0.5, top + _TRACE + 3.6, "level", INK),
    ]  # fmt: skip


def _trace(
    strip: LevelStrip,
    first_s: float,
    last_s: float,
    sides: tuple[float, float],
    top: float,
) -> str:
    """Return lowest and highest sample of each stretch, joined to one line."""
    per_s = len(strip.low) / strip.duration_s
    part = slice(
        int(first_s * per_s), max(int(first_s * per_s) + 1, int(last_s * per_s))
    )
    low, high = strip.low[part], strip.high[part]
    bottom_mv = float(np.quantile(strip.low, 1 - _USUAL_MV))
    top_mv = float(np.quantile(strip.high, _USUAL_MV))
    scale = (_TRACE - 3.0) / max(top_mv - bottom_mv, 1e-9)
    ends = np.stack([low, high], axis=1)
    ends[1::2] = ends[1::2, ::-1]  # down, up, up, down: no line goes back
    mv = np.clip(ends.ravel(), bottom_mv, top_mv)
    y = np.round(100 * (top + _TRACE - 1.5 - (mv - bottom_mv) * scale)).astype(int)
    at = np.repeat(np.linspace(*sides, len(low), endpoint=False), 2)
    x = np.round(100 * at).astype(int)
    steps = zip(np.diff(x).tolist(), np.diff(y).tolist(), strict=True)
    path = f"M{x[0]} {y[0]}l" + " ".join(f"{dx} {dy}" for dx, dy in steps)
    return (
        f'<path transform="scale(0.01)" d="{path}" fill="none" stroke="{INK}" '
        'stroke-width="12" stroke-linejoin="round"/>'
    )


def _block(
    window: StripWindow, colours: dict[str, str], left: float, right: float, *, y: float
) -> str:
    step = window.step
    colour = colours[step.level]
    title = (
        f"{_clock(window.start_s)} to {_clock(window.stop_s)}: {step.level}, "
        f"{step.n_bytes:,} bytes, gain {number(step.gain)}, PRDN {number(step.prdn)} %"
    )
    block = (
        f'<rect x="{left:.2f}" y="{y:g}" width="{max(right - left, 0.05):.2f}" '
        f'height="{_STRIP - 0.4:g}" fill="{colour}" stroke="#fff" '
        f'stroke-width="{min(0.3, (right - left) / 8):.2f}"/>'
    )
    if right - left > _LETTER * len(step.level) + 1.5:
        block += _text(left + 1, y + 3.3, step.level, text_colour(colour))
    return f"<g><title>{escape(title)}</title>{block}</g>"


def _times(first_s: float, last_s: float, row_s: float, y: float) -> list[str]:
    every = next(s for s in (10, 60, 300, 900, 3600, 1e9) if row_s / s <= 10)
    scale = (_WIDTH - _MARGIN - 1.0) / row_s
    room_s = 8.0 / scale  # for the last one's text
    ticks = np.arange(np.ceil(first_s / every) * every, last_s, every)
    ticks = ticks[ticks <= first_s + row_s - room_s]
    return [
        _text(_MARGIN + (tick - first_s) * scale, y + 2.7, _clock(tick), "#444")
        for tick in ticks
    ]


def _clock(seconds: float) -> str:
    """Return a time as minutes and seconds, from an hour on with hours."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    lead = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{lead}:{whole % 60:02d}"


def _text(x: float, y: float, words: str, colour: str) -> str:
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="2.6" fill="{colour}">'
        f"{escape(words)}</text>"
    )
