# SPDX-License-Identifier: Apache-2.0
"""The part of the page that shows ECGs: whole leads with their levels, and windows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape

from dynamic_deep.bench.ecg_paper import ecg_svgs, is_clipped
from dynamic_deep.bench.level_strip import legend_html, level_colours, strip_svg
from dynamic_deep.bench.shown import Example, LadderStep, LevelStrip
from dynamic_deep.bench.table import number


def strips_html(strips: Sequence[LevelStrip]) -> list[str]:
    """Return the levels along whole leads, a block for each row of the table."""
    lines = []
    for row, of_row in itertools.groupby(strips, key=lambda strip: strip.row):
        lines += [
            f"<h2>Which level each window gets: {escape(row)}</h2>",
            '<p class="legend">The whole lead, and below it the level of each window: '
            "the darker, the more bytes. Point at a window to read its figures.</p>",
        ]
        shown = list(of_row)
        steps = [window.step for strip in shown for window in strip.windows]
        colours = level_colours(steps)
        for strip in shown:
            own = [window.step for window in strip.windows]
            lines += [
                f"<h3>{escape(strip.title)}: {escape(strip.record)}, "
                f"{escape(strip.lead_name)}, gain {number(strip.gain)}</h3>",
                legend_html(own, colours),
                '<div class="wide">',
                strip_svg(strip, colours),
                "</div>",
            ]
    return lines


def examples_html(examples: Sequence[Example]) -> list[str]:
    """Return the single windows, each on ECG paper."""
    if not examples:
        return []
    lines = [
        f"<h2>Windows to look at: {escape(examples[0].row)}</h2>",
        '<p class="legend">25 mm a second and 10 mm a mV; a small square is 40 ms by '
        "0.1 mV. Thin black line: as measured. Light blue band: as decoded. Below, on "
        "the same scale: decoded minus measured.</p>",
    ]
    colours = level_colours([example.step for example in examples])
    for example in examples:
        lines += _example(example, colours)
    return lines


def _example(example: Example, colours: dict[str, str]) -> list[str]:
    step = example.step
    clipped = " The signal leaves the paper and is cut there." * is_clipped(example)
    shown = (example.row, step.level)
    cells = [_ladder_cell(other, other.name in shown) for other in example.ladder]
    return [
        f"<h3>{escape(example.title)}: {escape(example.record)}, "
        f"{escape(example.lead_name)}, window {example.window_idx}</h3>",
        f'<p class="quiet">{escape(step.level)}: PRDN {number(step.prdn)} %, '
        f"{step.n_bytes:,} bytes, gain {number(step.gain)}.{clipped}</p>",
        '<div class="wide">',
        *ecg_svgs(example, colours),
        "</div>",
        '<p class="legend">The same window at every level:</p>',
        f'<div class="ladder">{"".join(cells)}</div>',
    ]


def _ladder_cell(step: LadderStep, is_shown: bool) -> str:
    return (
        f"<div{' class=shown' * is_shown}>{escape(step.name)}<br>x{number(step.gain)}, "
        f"{step.n_bytes:,} bytes<br>PRDN {number(step.prdn)} %</div>"
    )
