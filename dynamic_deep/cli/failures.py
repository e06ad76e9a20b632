# SPDX-License-Identifier: Apache-2.0
"""How the command line words what went wrong."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

from dynamic_deep.errors import FormatError, InvalidSignalError, RequirementError

# No later file can be written either once one of these came.
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


# Errors that say something about the file at hand, and not about an option.
ABOUT_THE_FILE = (FormatError, InvalidSignalError, RequirementError)


class UsageError(Exception):
    """The options contradict each other; exit status 2."""


def is_disk_full(exc: BaseException) -> bool:
    """Return whether the error says that nothing more can be written."""
    return isinstance(exc, OSError) and exc.errno in DISK_FULL


def describe(exc: BaseException, path: Path | str | None = None) -> str:
    """Return an error as one line of text.

    Args:
        exc: What was raised.
        path: The file at hand, named first if the error is about it and does not
            name one itself.

    Returns:
        The text, without a line break.
    """
    if isinstance(exc, OSError) and exc.strerror:
        path = exc.filename if exc.filename is not None else path
        text = exc.strerror
    else:
        text = str(exc) or type(exc).__name__
        if not isinstance(exc, ABOUT_THE_FILE):
            path = None
    text = " ".join(text.split())
    return text if path is None or str(path) in text else f"{path}: {text}"


def report(message: str) -> None:
    """Write one line about a problem to standard error."""
    print(f"dynamic-deep: {message}", file=sys.stderr, flush=True)
