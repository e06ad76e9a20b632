# SPDX-License-Identifier: Apache-2.0
"""How a WFDB record is put together: stretches of time, leads, rates, and wfdb itself.

A multi-segment record is a row of single-segment ones. In a variable layout each has
leads of its own, which are matched by name.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynamic_deep.errors import (
    CorruptError,
    DynamicDeepError,
    InvalidSignalError,
    TruncatedError,
)

_VOLTS = {"v", "mv", "uv", "µv", "μv", "nv"}


def import_wfdb() -> Any:
    """Import wfdb, whose first import warns about pandas and takes a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wfdb
    return wfdb


def common_rate(rates: list[float], units: list[str]) -> float:
    """Return the commonest rate among the leads in volts (among all without any)."""
    pairs = list(zip(rates, units, strict=True))
    volts = [rate for rate, unit in pairs if unit.strip().lower() in _VOLTS]
    counts = Counter(volts or rates)
    return max(counts, key=lambda rate: (counts[rate], rate))


@dataclass(frozen=True)
class Part:
    """A stretch of frames that one single-segment record holds (None: nothing)."""

    start: int
    stop: int
    root: Path | None
    header: Any = None
    columns: tuple[tuple[int, int], ...] = ()  # (lead of ours, channel of the part)


def with_columns(part: Part, template: Any, leads: list[int]) -> Part:
    """Match the part's channels to our leads by name, or by place if not laid out."""
    if part.header is None:
        return part
    names, columns = list(part.header.sig_name), []
    for ours, lead in enumerate(leads):
        wanted = template.sig_name[lead]
        by_name = wanted in names and names.count(wanted) == 1
        if by_name:
            columns.append((ours, names.index(wanted)))
        elif len(names) == len(template.sig_name) and names[lead] == wanted:
            columns.append((ours, lead))
    return Part(part.start, part.stop, part.root, part.header, tuple(columns))


def fill_layout(template: Any, parts: list[Part], root: Path) -> Any:
    """Take gain, baseline, unit and format from the segments; they must agree."""
    fields = ("fmt", "adc_gain", "baseline", "units", "samps_per_frame")
    seen: dict[str, tuple[Any, ...]] = {}
    for part in parts:
        for i, name in enumerate(part.header.sig_name if part.header else ()):
            values = tuple(getattr(part.header, field)[i] for field in fields)
            if seen.setdefault(name, values)[1:] != values[1:]:
                raise InvalidSignalError(
                    "Gain, baseline, unit and rate of a lead must stay the same "
                    f"through a record, got {seen[name][1:]} and {values[1:]} for "
                    f"{name} in {root}; read its segments one by one."
                )
    for i, name in enumerate(template.sig_name):
        for field, value in zip(fields, seen.get(name, ()), strict=False):
            getattr(template, field)[i] = value
    return template


def no_samples(root: Path) -> InvalidSignalError:
    """Return the error for a record that holds no signal."""
    return InvalidSignalError(
        f"A record must have at least 1 lead and 1 sample, got none in {root}; check "
        "its header."
    )


def call_wfdb(root: Path, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call wfdb, which raises whatever it meets, and name the file in our own error."""
    try:
        return function(*args, **kwargs)
    except DynamicDeepError:
        raise
    except FileNotFoundError as error:
        missing = Path(str(error.filename or root)).name
        raise InvalidSignalError(
            f"Every file of a record must exist, got no {missing} for {root}; fetch it."
        ) from error
    except Exception as error:  # wfdb raises plain Exception too
        kind = TruncatedError if "reshape" in str(error) else CorruptError
        raise kind(
            f"A WFDB record must match its header, got {str(error)[:200]!r} in {root}; "
            "fetch the record again."
        ) from error
