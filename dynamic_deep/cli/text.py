# SPDX-License-Identifier: Apache-2.0
"""Numbers and tables as a person reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units, a second one of 0 left out.

    Args:
        seconds: The length of time, s.

    Returns:
        For example "30 min 6 s".

    Example:
        >>> duration(1805.6), duration(9.2), duration(90000)
        ('30 min 6 s', '9.2 s', '25 h')
    """
    if seconds < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    if whole < 3600:
        large, small, units = whole // 60, whole % 60, ("min", "s")
    else:
        large, small, units = whole // 3600, whole % 3600 // 60, ("h", "min")
    return f"{large} {units[0]}" + (f" {small} {units[1]}" if small else "")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun.

    Example:
        >>> plural(1, "lead"), plural(12000, "frame")
        ('1 lead', '12,000 frames')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def gain(value: float) -> str:
    """Return a compression gain with a sensible number of digits.

    Example:
        >>> gain(4.1234), gain(64.25), gain(312.6)
        ('4.12', '64.2', '313')
    """
    if value < 10:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def percent(part: float) -> str:
    """Return a share of 1 in percent.

    Example:
        >>> percent(0.05), percent(1 / 60), percent(0.1234), percent(0.0)
        ('5 %', '1.7 %', '12.3 %', '0 %')
    """
    return f"{100 * part:.{3 if part >= 0.1 else 2}g} %"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], n_left: int = 1) -> str:
    """Return rows as aligned columns.

    Args:
        header: One title per column.
        rows: The cells, already text.
        n_left: How many leading columns are words; the others are set right.

    Returns:
        The lines, joined, without a last line break.
    """
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(len(line[col]) for line in lines) for col in range(len(header))]

    def aligned(line: list[str]) -> str:
        cells = (
            cell.ljust(width) if col < n_left else cell.rjust(width)
            for col, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return "\n".join(aligned(line) for line in lines)


def fields(pairs: Sequence[tuple[str, str]]) -> str:
    """Return named values, one a line, the values in one column."""
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"{name.ljust(width)}  {value}".rstrip() for name, value in pairs)


def bar(part: float, width: int = 30) -> str:
    """Return a bar as long as a share of 1; what is not nothing shows.

    Args:
        part: from 0 to 1.
        width: characters of a whole bar; the text has always as many.

    Example:
        >>> bar(0.5, 8), bar(0.001, 8), bar(0.0, 2)
        ('####    ', '#       ', '  ')
    """
    length = max(round(part * width), 1 if part > 0 else 0)
    return ("#" * length).ljust(width)


def as_json(value: Mapping[str, Any]) -> str:
    """Return one JSON object; a number that JSON can't hold is written as null."""
    return json.dumps(_finite(value), indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    """Return a copy with NaN and infinities as None and numpy scalars as Python's."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value - value != 0.0:
        return None
    return value
