# SPDX-License-Identifier: Apache-2.0
"""What became of the sessions of a decode job: one by one, and in all.

All numbers are integers, so that any order of adding gives the same report.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

DONE, KEPT, FAILED = "done", "kept", "failed"
STATUSES = (DONE, KEPT, FAILED)
MAX_TOLD = 5  # problems of one session that are told one by one
MAX_NAMED = 1000  # sessions with problems that a report names


@dataclass(frozen=True, kw_only=True)
class SessionReport:
    """What became of one session.

    Attributes:
        name: of its object.
        status: done; kept: done before, and nothing has changed; or failed.
        n_rows: rows written.
        n_windows: windows decoded, all leads counted.
        n_damaged: windows that are lost or could not be decoded, all leads counted.
        n_skipped: windows that the device or its sender left out, likewise.
        signal_ms: lead-milliseconds of the decoded windows.
        n_bytes: of the object.
        row_bytes: of the Parquet file.
        problems: what is wrong, a text each; at most `MAX_TOLD` and one that counts
            the others.
    """

    name: str
    status: str
    n_rows: int = 0
    n_windows: int = 0
    n_damaged: int = 0
    n_skipped: int = 0
    signal_ms: int = 0
    n_bytes: int = 0
    row_bytes: int = 0
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the status, and shorten the list of problems."""
        if self.status not in STATUSES:
            raise ValueError(f"a status must be one of {STATUSES}, got {self.status!r}")
        told = tuple(self.problems)
        if len(told) > MAX_TOLD + 1:
            told = (*told[:MAX_TOLD], f"and {len(told) - MAX_TOLD} more")
        object.__setattr__(self, "problems", told)

    @property
    def is_whole(self) -> bool:
        """Whether every window that was sent has been decoded."""
        return self.status != FAILED and not self.problems and not self.n_damaged

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Take the fields of `as_json`.

        Raises:
            TypeError: If they are others.
            ValueError: If one is not of its kind.
        """
        report = cls(**{**values, "problems": tuple(values["problems"])})
        for f in fields(cls):
            value, wanted = getattr(report, f.name), type(f.default)
            if f.name in ("name", "status"):
                wanted = str
            if type(value) is not wanted:
                raise ValueError(f"{f.name} must be {wanted.__name__}, got {value!r}")
        return report


_SUMMED = (
    *("n_rows", "n_windows", "n_damaged", "n_skipped"),
    *("signal_ms", "n_bytes", "row_bytes"),
)


@dataclass(frozen=True, kw_only=True)
class JobReport:
    """What became of all sessions of a job.

    Attributes:
        n_done, n_kept, n_failed: sessions by status.
        n_incomplete: sessions with damage or other problems that did not fail.
        n_rows, n_windows, n_damaged, n_skipped, signal_ms, n_bytes, row_bytes: sums,
            see `SessionReport`.
        incomplete: reports of sessions that failed or have problems, by name, the first
            `MAX_NAMED`.
    """

    n_done: int = 0
    n_kept: int = 0
    n_failed: int = 0
    n_incomplete: int = 0
    n_rows: int = 0
    n_windows: int = 0
    n_damaged: int = 0
    n_skipped: int = 0
    signal_ms: int = 0
    n_bytes: int = 0
    row_bytes: int = 0
    incomplete: tuple[SessionReport, ...] = ()

    @classmethod
    def of(cls, session: SessionReport) -> Self:
        """Return the report of a job of one session."""
        return cls(
            n_done=int(session.status == DONE),
            n_kept=int(session.status == KEPT),
            n_failed=int(session.status == FAILED),
            n_incomplete=int(session.status != FAILED and not session.is_whole),
            incomplete=() if session.is_whole else (session,),
            **{name: getattr(session, name) for name in _SUMMED},
        )

    @classmethod
    def sum(cls, reports: Iterable[JobReport]) -> JobReport:
        """Return the report of several jobs taken together, in whatever order."""
        whole = cls()
        for report in reports:
            whole = whole + report
        return whole

    def __add__(self, other: JobReport) -> JobReport:
        """Return the report of both."""
        counts = {
            f.name: getattr(self, f.name) + getattr(other, f.name)
            for f in fields(self)
            if f.name != "incomplete"
        }
        both = (*self.incomplete, *other.incomplete)
        named = heapq.nsmallest(MAX_NAMED, both, key=lambda session: session.name)
        return JobReport(incomplete=tuple(named), **counts)

    @property
    def n_sessions(self) -> int:
        """Sessions in all."""
        return self.n_done + self.n_kept + self.n_failed

    @property
    def is_whole(self) -> bool:
        """Whether every window of every session has been decoded."""
        return not (self.n_failed or self.n_incomplete)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Take the fields of `as_json`."""
        sessions = map(SessionReport.from_json, values["incomplete"])
        return cls(**{**values, "incomplete": tuple(sessions)})
