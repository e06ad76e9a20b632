# SPDX-License-Identifier: Apache-2.0
"""What an experiment puts on the page: claims, tables, figures and plain sentences.

Text is Markdown of the simplest kind: `code`, **bold**, *italic* and [links](to).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One row of the page's first table.

    Attributes:
        claim: what is claimed or asked.
        command: what makes our figure.
        paper: the paper's figure, or that of the target, as text.
        ours: ours with its interval, as text.
        why: why they differ; where ours misses, that it does.
    """

    claim: str
    command: str
    paper: str
    ours: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        header: names of the columns, with units.
        rows: cells as text, as many in each row as in the header.
        caption: what it shows, one sentence.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A picture.

    Attributes:
        file: its name in docs/figures.
        alt: what a reader who can't see it must know.
    """

    file: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """The part of the page that is one experiment's.

    Attributes:
        title: its heading.
        blocks: paragraphs (text), tables and figures, in reading order.
        claims: its rows of the first table.
    """

    title: str
    blocks: tuple[str | Table | Figure, ...]
    claims: tuple[Claim, ...] = ()


def number(value: float | None, digits: int = 3) -> str:
    """Return a number to so many significant digits, without an exponent.

    What is not known, NaN or None as JSON has it, is a dash.

    Example:
        >>> number(1234.5), number(0.01234), number(float("nan"))
        ('1,234', '0.0123', '-')
    """
    if value is None or value != value:
        return "-"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share as percent.

    Example:
        >>> percent(0.0423)
        '4.2 %'
    """
    if share is None or share != share:
        return "-"
    return f"{100.0 * share:.{digits}f} %"


def with_interval(value: Sequence[float | None], *, is_share: bool = False) -> str:
    """Return value and interval as text.

    Args:
        value: the value, its lower and its upper end.
        is_share: whether to write percent.

    Example:
        >>> with_interval((80.61, 77.8, 83.4))
        '80.6 (77.8-83.4)'
    """
    if number(value[0]) == "-":
        return "-"
    if is_share:
        middle, low, high = (percent(v) for v in value)
        return f"{middle} ({low.removesuffix(' %')}-{high.removesuffix(' %')})"
    middle, low, high = (number(v) for v in value)
    return f"{middle} ({low}-{high})"
