# SPDX-License-Identifier: Apache-2.0
"""A number of the real world: its unit, its band, how sure it is, and who says so.

Profiles are TOML. A figure is an inline table; `source` names an entry of the file's
`[sources]`, which has a text and a date. The unit stands in the figure's name.

    [sources.ps]
    text = "nRF52840 Product Specification v1.7"
    date = 2021-11-01

    [cpu]
    active_current_ma = { value = 3.3, confidence = "specified", source = "ps" }
"""

from __future__ import annotations

import datetime
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from dynamic_deep.errors import ConfigError

# `specified`: read in the maker's document or the standard. `measured`: somebody's
# published measurement, or ours, with its command. `quoted`: a maker's figure at second
# hand. `estimated`: worked out from others. `assumed`: how the device is used, which a
# product decides for itself.
CONFIDENCES = ("specified", "measured", "quoted", "estimated", "assumed")
NEEDS_BAND = ("quoted", "estimated")

# Of the energy, not of the figure: at "low" every figure takes the value that costs
# least, at "high" the one that costs most.
Case = Literal["low", "nominal", "high"]
CASES: tuple[Case, ...] = ("low", "nominal", "high")

_FIGURE_KEYS = {"value", "low", "high", "confidence", "source", "note"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where figures come from.

    Attributes:
        text: the document, in words that find it again.
        date: of the document, or of the day it was read.
    """

    text: str
    date: datetime.date


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure.

    Attributes:
        value: the nominal value, in the unit of its name.
        low: the least it may be; `value` where nothing is known to the contrary.
        high: the most it may be.
        confidence: one of `CONFIDENCES`.
        source: who says so.
        note: what the source says exactly, or how the figure follows from it.
    """

    value: float
    low: float
    high: float
    confidence: str
    source: Source
    note: str = ""

    def __post_init__(self) -> None:
        """Check band and confidence."""
        if self.confidence not in CONFIDENCES:
            raise ConfigError(
                f"confidence must be one of {', '.join(CONFIDENCES)}, got "
                f"{self.confidence!r}"
            )
        if not all(map(math.isfinite, (self.low, self.value, self.high))):
            raise ConfigError(f"a figure must be finite, got {self.value}")
        if not 0 <= self.low <= self.value <= self.high:
            raise ConfigError(
                "a figure must have 0 <= low <= value <= high, got "
                f"{self.low:g}, {self.value:g}, {self.high:g}"
            )
        if self.confidence in NEEDS_BAND and self.low == self.high:
            raise ConfigError(
                f"a figure that is {self.confidence} must have low and high, got "
                f"{self.value:g} alone; say how far off it may be"
            )

    def at(self, case: Case, *, is_costlier_high: bool = True) -> float:
        """Return the value at which the energy is low, nominal or high."""
        if case == "nominal":
            return self.value
        return self.high if (case == "high") == is_costlier_high else self.low


def read_toml(path: Path) -> dict[str, Any]:
    """Read a profile.

    Raises:
        ConfigError: If there is none, or it is no TOML.
    """
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.toml")))
        raise ConfigError(
            f"a profile must be one of {known}, or the path of a .toml file; "
            f"got {path.stem!r}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} must be a TOML file, got: {error}") from error


def sources_of(content: Mapping[str, Any], where: str) -> dict[str, Source]:
    """Return the sources of a profile by their keys.

    Raises:
        ConfigError: If one lacks its text or date.
    """
    found = {}
    for key, row in content.get("sources", {}).items():
        if set(row) != {"text", "date"} or not isinstance(row["date"], datetime.date):
            raise ConfigError(
                f"{where}: source {key} must have a text and a date such as "
                f"2026-11-27, got {', '.join(row) or 'nothing'}"
            )
        found[key] = Source(text=str(row["text"]), date=row["date"])
    return found


def figures_of(
    table: Mapping[str, Any],
    wanted: type,
    sources: Mapping[str, Source],
    where: str,
) -> dict[str, Figure]:
    """Return the figures of a table by the names of the fields of `wanted`.

    Args:
        table: what the profile says.
        wanted: a dataclass of floats: its fields must be there, and no others.
        sources: of the profile.
        where: for messages.

    Raises:
        ConfigError: If a figure is missing, unknown or malformed.
    """
    names = [field.name for field in fields(wanted)]
    for name in table:
        if name not in names:
            raise ConfigError(
                f"{where} must not hold {name}; known: {', '.join(names)}"
            )
    return {name: figure_of(table, name, sources, where) for name in names}


def figure_of(
    table: Mapping[str, Any], name: str, sources: Mapping[str, Source], where: str
) -> Figure:
    """Return one figure of a table.

    Raises:
        ConfigError: If it is missing or malformed.
    """
    if name not in table:
        raise ConfigError(f"{where} must hold {name}, which is missing; add it")
    row = table[name]
    if not isinstance(row, dict) or not {"value", "confidence", "source"} <= set(row):
        raise ConfigError(
            f"{where}.{name} must be a table with value, confidence and source, got "
            f"{row!r}"
        )
    if unknown := sorted(set(row) - _FIGURE_KEYS):
        raise ConfigError(f"{where}.{name} must not hold {', '.join(unknown)}")
    if row["source"] not in sources:
        raise ConfigError(
            f"{where}.{name} names the source {row['source']!r}; the file's [sources] "
            f"are {', '.join(sources) or 'none'}"
        )
    numbers = [row[key] for key in ("value", "low", "high") if key in row]
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in numbers):
        raise ConfigError(f"{where}.{name} must hold numbers, got {numbers}")
    value = float(row["value"])
    try:
        return Figure(
            value=value,
            low=float(row.get("low", value)),
            high=float(row.get("high", value)),
            confidence=str(row["confidence"]),
            source=sources[row["source"]],
            note=str(row.get("note", "")),
        )
    except ConfigError as error:
        raise ConfigError(f"{where}.{name}: {error}") from error
