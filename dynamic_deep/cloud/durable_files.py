# SPDX-License-Identifier: Apache-2.0
"""Files and folders of a store on disk: what outlasts a power cut, what is listed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def read_at(descriptor: int, start: int, length: int) -> bytes:
    """Return the bytes from `start` on: `length`, or fewer where the file ends."""
    parts = []
    while length > 0:
        part = os.pread(descriptor, length, start)
        if not part:
            break
        parts.append(part)
        start, length = start + len(part), length - len(part)
    return b"".join(parts)


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder and not hidden, in the order of full names."""
    try:
        with os.scandir(folder) as found:
            shown = [entry for entry in found if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(shown, key=_order)


def _order(entry: os.DirEntry[str]) -> str:
    return entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "")


def walk(
    folder: Path, base: str, prefix: str
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield the files below a folder whose name begins with the prefix.

    Args:
        folder: where to begin.
        base: name of the folder, empty or ending in a slash.
        prefix: what a name must begin with.
    """
    for entry in entries(folder):
        name = base + entry.name
        if entry.is_dir(follow_symlinks=False):
            inner = f"{name}/"
            if inner.startswith(prefix) or prefix.startswith(inner):
                yield from walk(folder / entry.name, inner, prefix)
        elif entry.is_file(follow_symlinks=False) and name.startswith(prefix):
            yield name, entry


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, so that they outlast a power cut."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or made in a folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
