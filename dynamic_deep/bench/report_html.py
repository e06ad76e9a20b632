# SPDX-License-Identifier: Apache-2.0
"""The result as one web page that needs nothing from outside itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from dynamic_deep.bench.page_style import STYLE
from dynamic_deep.bench.plots import rate_distortion_svg
from dynamic_deep.bench.result import BenchResult, BenchRow, Interval
from dynamic_deep.bench.table import (
    LEGEND,
    TITLES,
    describe_records,
    number,
    remarks,
    span,
)
from dynamic_deep.bench.windows_html import examples_html, strips_html

_HEAD = (
    ("", ""), ("gain", ""), ("95 %", "interval"), ("mean", "gain"), ("rate", "b/s"),
    ("PRDN", "%"), ("95 %", "interval"), ("median", "%"), ("p95", "%"), ("PRD", "%"),
    ("PRD1", "%"), ("PRD01", "%"), ("max", "uV"), ("enc", "x"), ("dec", "x"),
)  # fmt: skip


def format_html(result: BenchResult) -> str:
    """Return the whole page: tables, plot, examples on ECG paper, configuration."""
    body = [
        "<h1>ECG compression benchmark</h1>",
        f'<p class="quiet">dynamic-deep {escape(result.version)}: '
        f"{escape(describe_records(result))}.</p>",
        *_headline(result),
        "<h2>Every coder on the same windows</h2>",
        *_table(result.rows),
        *(f'<p class="legend">{escape(text)}</p>' for text in LEGEND),
        *_notes(result),
        "<h2>Gain against distortion</h2>",
        rate_distortion_svg(result),
        '<p class="legend">Thin bars are 95 % intervals, bootstrap by record. Lossless '
        "coders stand on the axis; the best of each group is named.</p>",
        *_equal_prdn(result),
        *strips_html(result.strips),
        *examples_html(result.examples),
        *_configuration(result),
    ]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<title>ECG compression benchmark</title>",
            f"<style>{STYLE}</style></head><body>",
            *body,
            "</body></html>\n",
        ]
    )


def write_html(result: BenchResult, path: str | Path) -> None:
    """Write the page as UTF-8; an existing file is replaced."""
    Path(path).write_text(format_html(result), encoding="utf-8")


def _headline(result: BenchResult) -> list[str]:
    """Say in one or two sentences what a reader came for."""
    sentences = []
    known = [entry for entry in result.equal_prdn if entry.ratio is not None]
    if known:
        best = max(known, key=lambda entry: entry.ratio or 0.0)
        sentences.append(
            "The neural level furthest above the wavelet curve is "
            f"<b>{escape(best.name)}</b>: "
            f"gain {number(best.gain)} at PRDN {number(best.prdn)} %, "
            f"{number(best.ratio or 0.0)} times the wavelet's at the same PRDN"
            f"{_in_brackets(best.ratio_interval)}."
        )
    exact = [row for row in result.rows if row.lossless and row.is_exact]
    ours = [row for row in exact if row.bundle]
    others = [row for row in exact if not row.bundle]
    if ours and others:
        other = max(others, key=lambda row: row.gain)
        sentences.append(
            f"Without any loss: gain {number(ours[0].gain)}, against "
            f"{number(other.gain)} of the best general coder ({escape(other.name)})."
        )
    return [f'<p class="headline">{" ".join(sentences)}</p>'] if sentences else []


def _in_brackets(interval: Interval | None) -> str:
    return f" (95 % interval {span(interval)})" if interval else ""


def _table(rows: Sequence[BenchRow]) -> list[str]:
    head = "".join(
        f'<th>{escape(name)}<br><span class="unit">{escape(unit)}</span></th>'
        for name, unit in _HEAD
    )
    lines = [f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>']
    for group, of_group in itertools.groupby(rows, key=lambda row: row.group):
        title = escape(TITLES.get(group, group))
        lines.append(f'<tr class="group"><td colspan="{len(_HEAD)}">{title}</td></tr>')
        lines += [_row(row) for row in of_group]
    return [*lines, "</tbody></table></div>"]


def _row(row: BenchRow) -> str:
    if row.is_exact:
        distortion = ['<td colspan="7">every sample exact</td><td>0</td>']
    else:
        distortion = [
            _cell(number(row.prdn)),
            _cell(span(row.prdn_interval), "between"),
            *(_cell(number(value)) for value in _distortions(row)),
        ]
    name = escape(row.name)
    if row.lossless and not row.is_exact:
        name = f'<span class="bad">{name} (NOT EXACT)</span>'
    cells = [
        f"<td>{name}</td>",
        _cell(number(row.gain)),
        _cell(span(row.gain_interval), "between"),
        _cell(number(row.mean_gain)),
        _cell(number(row.bits_per_sample)),
        *distortion,
        _cell(number(row.encode_x)),
        _cell(number(row.decode_x)),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _distortions(row: BenchRow) -> Iterable[float]:
    spread = (row.prdn_median, row.prdn_p95)
    return (*spread, row.prd, row.prd1, row.prd01, row.max_error_uv)


def _cell(text: str, kind: str = "") -> str:
    name = f' class="{kind}"' if kind else ""
    return f"<td{name}>{escape(text)}</td>"


def _notes(result: BenchResult) -> list[str]:
    items = "".join(f"<li>{escape(text)}</li>" for text in remarks(result))
    return [f'<ul class="notes">{items}</ul>'] if items else []


def _equal_prdn(result: BenchResult) -> list[str]:
    if not result.equal_prdn:
        return []
    head = ("", "PRDN %", "gain", "wavelet gain", "gain x wavelet", "95 % interval")
    lines = [
        "<h3>Neural levels against the wavelet at the same mean PRDN</h3>",
        '<div class="wide"><table><thead><tr>',
        *(f"<th>{escape(text)}</th>" for text in head),
        "</tr></thead><tbody>",
    ]
    for entry in result.equal_prdn:
        cells = [
            _cell(entry.name),
            _cell(number(entry.prdn)),
            _cell(number(entry.gain)),
        ]
        if entry.ratio is None or entry.wavelet_gain is None:
            cells.append('<td colspan="3">outside the wavelet curve</td>')
        else:
            cells += [
                _cell(number(entry.wavelet_gain)),
                f"<td><b>{number(entry.ratio)}</b></td>",
                _cell(span(entry.ratio_interval), "between"),
            ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return [*lines, "</tbody></table></div>"]


def _configuration(result: BenchResult) -> list[str]:
    options = result.options
    facts = [
        *(f"bundle {name}: {model_id}" for name, model_id in result.model_ids.items()),
        f"levels: {', '.join(options.levels) or 'all'}",
        f"bootstrap: {options.n_resamples} resamples of records, seed {options.seed}",
    ]
    rows = "".join(
        f"<tr>{_cell(r.name)}{_cell(f'{r.fs:g}')}{_cell(str(r.n_leads))}"
        f"{_cell(number(r.duration_s))}{_cell(str(r.n_windows))}</tr>"
        for r in result.records
    )
    return [
        "<h2>How it was measured</h2>",
        f'<ul class="notes">{"".join(f"<li>{escape(f)}</li>" for f in facts)}</ul>',
        f"<details><summary>{len(result.records)} recordings</summary>",
        "<table><thead><tr><th>name</th><th>Hz</th><th>leads</th><th>seconds</th>"
        f"<th>windows</th></tr></thead><tbody>{rows}</tbody></table></details>",
    ]
