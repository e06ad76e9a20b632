# SPDX-License-Identifier: Apache-2.0
"""The result as plain text, 120 columns wide, for a reader who knows none of it."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterable

from dynamic_deep.bench.groups import (
    CHOSEN,
    LOSSLESS,
    LZ77,
    NEAR_LOSSLESS,
    NEURAL,
    WAVELET,
)
from dynamic_deep.bench.result import BenchResult, BenchRow, EqualPrdn, Interval

WIDTH = 120
TITLES = {
    LZ77: "LZ77 family (lossless, on the raw samples)",
    LOSSLESS: "Lossless",
    NEAR_LOSSLESS: "Near-lossless (a hard bound on the error of every sample)",
    WAVELET: "Wavelet",
    NEURAL: "Neural",
    CHOSEN: "A level for each window, by a bound",
}
LEGEND = (
    "gain: raw bytes (as stored: 2 a sample up to 16 bits) over coded bytes, sum over "
    "sum, with its 95 % interval from a bootstrap by record. Baselines count their "
    "payload alone; our levels count the payload and the frame around it. mean: "
    "arithmetic mean of the windows' own gains. "
    "b/s: coded bits a sample.",
    "PRD: 100 x |error| / |signal| a window. PRDN takes the signal's mean away first, "
    "PRD1 the ADC value of 0 mV, PRD01 the minimum, PRD nothing. Means over windows; "
    "PRDN also as interval, median and 95th percentile. max: largest error of any "
    "sample. enc, dec: lead-seconds coded or decoded in one CPU second.",
)

_HEAD = (
    ("", "", 20), ("gain", "", 7), ("95 %", "interval", 10), ("mean", "gain", 7),
    ("rate", "b/s", 7), ("PRDN", "%", 7), ("95 %", "interval", 10), ("median", "%", 7),
    ("p95", "%", 7), ("PRD", "%", 6), ("PRD1", "%", 6), ("PRD01", "%", 6),
    ("max", "uV", 6), ("enc", "x", 7), ("dec", "x", 7),
)  # fmt: skip


def format_table(result: BenchResult) -> str:
    """Return the tables and their legend as text of at most 120 columns."""
    lines = [*_heading(result), ""]
    lines += [_cells(str(head[i]) for head in _HEAD) for i in (0, 1)]
    for group, rows in itertools.groupby(result.rows, key=lambda row: row.group):
        lines += ["", TITLES.get(group, group), *map(_row, rows)]
    if result.equal_prdn:
        lines += ["", *_equal_prdn(result.equal_prdn)]
    lines += ["", *_latencies(result.rows)]
    lines += ["", *itertools.chain.from_iterable(map(_wrap, LEGEND))]
    lines += _remarks(result)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def number(value: float, digits: int = 3) -> str:
    """Return a number to about `digits` digits; "-" if it is undefined.

    Example:
        >>> number(3.14159), number(31.4159), number(3141.59), number(float("nan"))
        ('3.14', '31.4', '3142', '-')
    """
    if not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - max(0, math.floor(math.log10(abs(value)))))
    return f"{value:.{decimals}f}"


def span(interval: Interval | None) -> str:
    """Return an interval as low-high; empty if there is none."""
    if interval is None:
        return ""
    return f"{number(interval.low)}-{number(interval.high)}"


def describe_records(result: BenchResult) -> str:
    """Return one line on what was measured."""
    hours = sum(r.duration_s * r.n_leads for r in result.records) / 3600
    n_windows = sum(record.n_windows for record in result.records)
    rates = sorted({record.fs for record in result.records})
    text = (
        f"{_count(len(result.records), 'recording')}, {number(hours)} lead-hours, "
        f"{_count(n_windows, 'window')} of one lead each, "
        f"{', '.join(f'{fs:g}' for fs in rates)} Hz"
    )
    if result.options.max_windows is not None:
        text += f" (at most {result.options.max_windows} windows a recording)"
    return text


def remarks(result: BenchResult) -> list[str]:
    """Return what a reader of the rows must be warned of, one sentence each."""
    found = []
    for row in result.rows:
        if row.lossless and not row.is_exact:
            found.append(f"{row.name}: NOT EXACT, though it must be.")
        if row.n_failed:
            found.append(
                f"{row.name}: could not code {_count(row.n_failed, 'window')}, which "
                "its row leaves out."
            )
    n_flat = max((row.n_flat for row in result.rows), default=0)
    if n_flat:
        found.append(
            f"{_count(n_flat, 'window')} without variance: PRDN is undefined there "
            "and leaves them out."
        )
    for note, rows in _by_note(result.rows):
        found.append(f"{', '.join(rows)}: {note}.")
    for name, package in result.missing.items():
        found.append(f"{name}: left out, the Python package {package} is missing.")
    return [*found, *(f"Problem: {problem}" for problem in result.problems)]


def _count(number_of: int, noun: str) -> str:
    return f"{number_of:,} {noun}{'' if number_of == 1 else 's'}"


def _by_note(rows: Iterable[BenchRow]) -> list[tuple[str, list[str]]]:
    names: dict[str, list[str]] = {}
    for row in rows:
        if row.note:
            names.setdefault(row.note, []).append(row.name)
    return list(names.items())


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ")


def _heading(result: BenchResult) -> list[str]:
    bundles = ", ".join(
        f"{name} ({model_id[:12]})" for name, model_id in result.model_ids.items()
    )
    lines = _wrap(f"dynamic-deep {result.version} bench: {describe_records(result)}")
    return [*lines, *(_wrap(f"Bundles: {bundles}") if bundles else [])]


def _cells(texts: Iterable[str]) -> str:
    cells: list[str] = []
    for text, (_, _, width) in zip(texts, _HEAD, strict=True):
        cells.append(text.rjust(width) if cells else text.ljust(width))
    return "".join(cells)


def _row(row: BenchRow) -> str:
    if row.is_exact:
        distortion = ["exact", *[""] * 6, "0"]
    else:
        distortion = [
            number(row.prdn),
            span(row.prdn_interval),
            *map(number, (row.prdn_median, row.prdn_p95, row.prd, row.prd1)),
            *map(number, (row.prd01, row.max_error_uv)),
        ]
    name = f"  {row.name}"
    texts = [
        name if len(name) <= 20 else name + "\n" + " " * 20,
        number(row.gain),
        span(row.gain_interval),
        number(row.mean_gain),
        number(row.bits_per_sample),
        *distortion,
        number(row.encode_x),
        number(row.decode_x),
    ]
    return _cells(texts)


def _latencies(rows: Iterable[BenchRow]) -> list[str]:
    lines = [
        "Encoding a window on this machine, CPU milliseconds",
        f"{'':20}{'median':>9}{'p99':>9}",
    ]
    for row in rows:
        times = number(row.encode_ms_median), number(row.encode_ms_p99)
        lines.append(f"  {row.name:18}{times[0]:>9}{times[1]:>9}")
    return lines


def _equal_prdn(compared: Iterable[EqualPrdn]) -> list[str]:
    lines = [
        "Neural levels against the wavelet of this run at the same mean PRDN",
        f"{'':20}{'PRDN %':>9}{'gain':>9}{'wavelet gain':>14}{'gain x':>9}"
        f"{'95 % interval':>15}",
    ]
    for entry in compared:
        line = f"  {entry.name:18}{number(entry.prdn):>9}{number(entry.gain):>9}"
        if entry.ratio is None or entry.wavelet_gain is None:
            lines.append(f"{line}  outside the wavelet curve")
            continue
        lines.append(
            f"{line}{number(entry.wavelet_gain):>14}{number(entry.ratio):>9}"
            f"{span(entry.ratio_interval):>15}"
        )
    return lines


def _remarks(result: BenchResult) -> list[str]:
    return list(itertools.chain.from_iterable(map(_wrap, remarks(result))))
