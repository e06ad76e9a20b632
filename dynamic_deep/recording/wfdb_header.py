# SPDX-License-Identifier: Apache-2.0
"""The record line of a WFDB header: its start time, in every form met in the wild.

The reader proper is wfdb; it stops at dates such as `2013-09-23 04:09:11`, which the
headers of PhysioNet/CinC 2017 carry. Here such a tail is read and cut off.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from pathlib import Path

from dynamic_deep.errors import CorruptError, InvalidSignalError
from dynamic_deep.recording.base import UNKNOWN_DATE

MAX_HEADER_BYTES = 1 << 24

_TIME = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,2}):)?(\d{1,2})(?:\.(\d{1,6})\d*)?")
_DATE_DMY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_DATE_YMD = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})")
# What wfdb itself can read behind the number of samples.
_PLAIN_TAIL = re.compile(
    r"(\d{1,2}:\d{1,2}:\d{1,2}(\.\d{1,6})?(\s+\d{1,2}/\d{1,2}/\d{4})?)?"
)
# Written by us beside base_time, since that can hold no time zone.
_START_COMMENT = re.compile(r"#\s*start_time:\s*(\S+)")


def read_header_text(path: Path) -> str:
    """Return the text of a header file.

    Raises:
        InvalidSignalError: If there is no such file.
        CorruptError: If it is empty or too large to be a header.
    """
    if not path.is_file():
        raise InvalidSignalError(
            f"A recording must exist, got no header at {path}; check the path."
        )
    size = path.stat().st_size
    if not 0 < size <= MAX_HEADER_BYTES:
        raise CorruptError(
            f"A WFDB header must have 1..{MAX_HEADER_BYTES} bytes, got {size} in "
            f"{path}; fetch the file again."
        )
    return path.read_text(encoding="utf-8", errors="replace")


def split_record_line(text: str) -> tuple[int, str, str]:
    """Return the line number, the fields and the time tail of the record line.

    Raises:
        CorruptError: If the header has no record line.
    """
    for number, line in enumerate(text.splitlines()):
        if line.strip() and not line.lstrip().startswith("#"):
            tokens = line.split()
            return number, " ".join(tokens[:4]), " ".join(tokens[4:])
    raise CorruptError(
        "A WFDB header must begin with a record line, got comments only; fetch the "
        "file again."
    )


def read_start_time(text: str) -> datetime | None:
    """Return the start time that a header states, in whichever form; None without."""
    comment = _START_COMMENT.search(text)
    if comment:
        try:
            return datetime.fromisoformat(comment.group(1))
        except ValueError:
            pass  # a comment of somebody else's
    return parse_start_time(split_record_line(text)[2])


def parse_start_time(tail: str) -> datetime | None:
    """Return the moment that the end of a record line names, or None.

    Example:
        >>> parse_start_time("2013-09-23 04:09:11").isoformat()
        '2013-09-23T04:09:11'
        >>> parse_start_time("05:05:15 1/05/2000").isoformat()
        '2000-05-01T05:05:15'
    """
    day: date | None = None
    clock: time | None = None
    for token in re.split(r"[\sT]+", tail.strip()):
        try:
            day = day or _parse_date(token)
            clock = clock or _parse_time(token)
        except ValueError:  # 31/02/2000, 25:00:00
            return None
    if day is None and clock is None:
        return None
    return datetime.combine(day or UNKNOWN_DATE, clock or time())


def plain_header(text: str) -> str | None:
    """Return the header without the date that wfdb can't read; None if it can."""
    number, fields, tail = split_record_line(text)
    if _PLAIN_TAIL.fullmatch(tail):
        return None
    lines = text.splitlines()
    lines[number] = fields
    return "\n".join(lines) + "\n"


def _parse_date(token: str) -> date | None:
    match = _DATE_YMD.fullmatch(token)
    if match:
        return date(*(int(part) for part in match.groups()))
    match = _DATE_DMY.fullmatch(token)
    if match:
        day, month, year = (int(part) for part in match.groups())
        return date(year, month, day)
    return None


def _parse_time(token: str) -> time | None:
    match = _TIME.fullmatch(token)
    if not match:
        return None
    hours, minutes, seconds, fraction = match.groups()
    micros = int((fraction or "").ljust(6, "0"))
    return time(int(hours or 0), int(minutes or 0), int(seconds), micros)
