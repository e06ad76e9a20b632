# SPDX-License-Identifier: Apache-2.0
"""Which file a command writes for which file it reads."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dynamic_deep.cli.failures import UsageError
from dynamic_deep.cli.files import STANDARD
from dynamic_deep.errors import InvalidSignalError

DDC = ".ddc"
# What a recording's name may end in; "patient.01" is a WFDB name and stays whole.
KNOWN_SUFFIXES = frozenset(
    {
        ".hea",
        ".dat",
        ".edf",
        ".bdf",
        ".csv",
        ".tsv",
        ".txt",
        ".mat",
        ".npy",
        ".npz",
        DDC,
    }
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file to read and the one to write for it.

    Attributes:
        source: The file to read.
        target: The file to write; None is standard output.
    """

    source: Path
    target: Path | None


def bare_name(path: Path) -> Path:
    """Return a path without the suffix of a format that we know."""
    if path.suffix.lower() in KNOWN_SUFFIXES:
        return path.with_suffix("")
    return path


def with_ending(path: Path, ending: str) -> Path:
    """Return a recording's path with another ending, such as ".ddc" or ""."""
    bare = bare_name(path)
    return bare.with_name(bare.name + ending)


def plan_one(source: Path, out: str | None, ending: str) -> Job:
    """Plan a single file.

    Args:
        source: The file to read.
        out: What -o says: a file, a folder, "-", or None for "beside the source".
        ending: Of the written file, where -o names none.

    Raises:
        UsageError: If the file would be written over the one it is made from.
    """
    if out == STANDARD:
        return Job(source=source, target=None)
    default = with_ending(source, ending)
    target = default if out is None else Path(out)
    if out is not None and (target.is_dir() or out.endswith(("/", os.sep))):
        target = target / default.name
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"{target} would be written over itself; choose another -o")
    return Job(source=source, target=target)


def plan_folder(
    folder: Path, sources: Sequence[Path], out: str | None, ending: str
) -> list[Job]:
    """Plan all files below a folder, keeping where they lie in it.

    Args:
        folder: The folder to read.
        sources: The files found in it.
        out: What -o says; it must name a folder.
        ending: Of the written files.

    Raises:
        UsageError: If `out` is missing, standard output or a file.
        InvalidSignalError: If there is nothing to read.
    """
    if out is None or out == STANDARD:
        raise UsageError(f"{folder} is a folder; name the folder to write with -o")
    if Path(out).exists() and not Path(out).is_dir():
        raise UsageError(f"{folder} is a folder, so -o must be one; {out} is a file")
    if not sources:
        raise InvalidSignalError(f"{folder}: there is nothing below it to read")
    targets = [with_ending(source, ending) for source in sources]
    shared = Counter(targets)
    jobs = []
    for source, target in zip(sources, targets, strict=True):
        if shared[target] > 1:  # a.csv and a.edf: keep both names apart
            target = source.with_name(source.name + ending)
        jobs.append(Job(source=source, target=Path(out, target.relative_to(folder))))
    return jobs
