# SPDX-License-Identifier: Apache-2.0
"""Reading the results on promises: rows by their kind, figures as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.section import with_interval

CALIBRATED, FIXED, ORACLE, PAPER_ORACLE = "calibrated", "fixed", "oracle", "few levels"
LOSSLESS = "lossless"


def shown(values: Sequence[float | None], *, is_share: bool = False) -> str:
    """Return a figure with its interval; "-" where there is none."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "-"
    return with_interval(known, is_share=is_share)


def row_of(asked: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """Return the first row of a kind."""
    found = [row for row in asked["rows"] if row["kind"] == kind]
    return found[0] if found else None


def rows_asked(asked: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return everything that was asked of a bundle, by name."""
    return [(name, one) for name, one in asked.items() if name != "model_id"]


def four_digits(values: Sequence[float]) -> str:
    """Return a figure and its interval to four decimals."""
    value, low, high = (f"{v:.4f}" for v in values)
    return f"{value} ({low}-{high})"
