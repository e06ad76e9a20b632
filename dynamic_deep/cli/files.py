# SPDX-License-Identifier: Apache-2.0
"""Outputs that are whole or absent, and standard input and output as files."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dynamic_deep.cli.failures import UsageError, is_disk_full

STANDARD = "-"  # standard input or output, wherever a file is asked for


def require_free(targets: Iterable[Path], *, force: bool) -> None:
    """Refuse to overwrite.

    Args:
        targets: The files that are about to be written.
        force: Whether the user allows to overwrite.

    Raises:
        FileExistsError: If one exists and `force` is not set. Devices and pipes, such
            as /dev/null, are never in the way.
    """
    for target in targets:
        if not force and target.is_file():
            advice = "exists already; use --force to overwrite it"
            raise FileExistsError(errno.EEXIST, advice, os.fspath(target))


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when all of it is written.

    Args:
        target: The file to make; a device or a pipe is written directly.

    Yields:
        The stream to write to. If the block raises, nothing is left behind.
    """
    if target.exists() and not target.is_file():
        with naming(target), target.open("wb") as stream:
            yield stream
        return
    if not target.parent.is_dir():
        advice = "no such folder to write to; make it first"
        raise FileNotFoundError(errno.ENOENT, advice, os.fspath(target.parent))
    part = target.with_name(f".dynamic-deep-{secrets.token_hex(6)}.part")
    with naming(target):
        try:
            with part.open("xb") as stream:
                yield stream
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def whole_stdout() -> Iterator[BinaryIO]:
    """Open standard output for bytes.

    Raises:
        UsageError: If it is a terminal.
    """
    if sys.stdout.isatty():
        raise UsageError("refusing to write binary data to a terminal; redirect it")
    sys.stdout.flush()
    with naming("standard output"):
        stream = sys.stdout.buffer
        yield stream
        stream.flush()


@contextmanager
def open_source(name: str | Path) -> Iterator[BinaryIO]:
    """Open a coded file, or standard input, which need not be seekable."""
    if str(name) == STANDARD:
        yield _stdin_bytes()
        return
    with Path(name).open("rb") as stream:
        yield stream


@contextmanager
def stdin_as_file(suffix: str) -> Iterator[Path]:
    """Keep standard input in a temporary file, for readers that need a name."""
    with temporary_folder() as folder:
        path = folder / f"stdin{suffix}"
        with path.open("wb") as stream:
            shutil.copyfileobj(_stdin_bytes(), stream)
        yield path


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="dynamic-deep-") as folder:
        yield Path(folder)


def copy_to_stdout(path: Path) -> None:
    """Write a file's bytes to standard output."""
    sys.stdout.flush()
    with naming("standard output"), path.open("rb") as stream:
        shutil.copyfileobj(stream, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def print_out(text: str, end: str = "\n") -> None:
    """Write text to standard output."""
    with naming("standard output"):
        print(text, end=end)


def flush_out() -> None:
    """Flush, so that a full disk or a closed pipe shows while it can be reported."""
    with naming("standard output"):
        sys.stdout.flush()


def silence_out() -> None:
    """Point standard output to nowhere, or Python complains again when it exits."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # captured by a test, or closed
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def _stdin_bytes() -> BinaryIO:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("standard input is a terminal; pipe a file into it")
    return sys.stdin.buffer


@contextmanager
def naming(target: Path | str) -> Iterator[None]:
    """Name the output in an error about a full disk, which itself names none.

    Args:
        target: What is being written in the block.
    """
    try:
        yield
    except OSError as exc:
        if is_disk_full(exc) and exc.filename is None:
            exc.filename = os.fspath(target)
        raise
