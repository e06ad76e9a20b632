# SPDX-License-Identifier: Apache-2.0
"""What a store of named objects is, whatever keeps them.

Names are paths with slashes. An object is replaced as a whole or not at all, and each
replacement has a new generation, so that a writer can say which one it means to
replace. What stands in the objects is not known here; their layout: `objects.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from dynamic_deep.errors import ConfigError, DynamicDeepError

ABSENT = 0  # as if_generation: there must be no such object yet

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=+-]{0,199}")
_MAX_NAME_LEN = 800  # bytes; Cloud Storage takes 1024, with the prefix


class StoreError(DynamicDeepError):
    """A store can't do what was asked, or not now."""


class StoreMissingError(StoreError):
    """There is no such object."""


class StoreConflictError(StoreError):
    """An object is not the generation that it should be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredObject:
    """What a store knows of an object without reading it.

    Attributes:
        name: its name.
        size: bytes.
        generation: number above 0 of this content; another one after a replacement.
    """

    name: str
    size: int
    generation: int


class Store(Protocol):
    """Named objects. Several threads and processes may use one store at once.

    Every method may raise `StoreError` where a service does not answer, and `OSError`
    from the disk.
    """

    url: str

    def put(self, name: str, data: bytes, *, if_generation: int | None = None) -> int:
        """Write a whole object, durably.

        Args:
            name: its name.
            data: its bytes.
            if_generation: the generation that it must replace, `ABSENT` if there must
                be none; None: write whatever is there.

        Returns:
            The new generation.

        Raises:
            StoreConflictError: If another generation is there.
            ConfigError: If the name is not allowed.
        """

    def stat(self, name: str) -> StoredObject:
        """Return the size and generation of an object.

        Raises:
            StoreMissingError: If there is none.
        """

    def get(self, name: str) -> bytes:
        """Return all bytes of an object.

        Raises:
            StoreMissingError: If there is none.
        """

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """Return the bytes from `start` on: `length`, or fewer where the object ends.

        Raises:
            StoreMissingError: If there is none.
        """

    def open(self, name: str, *, stored: StoredObject | None = None) -> BinaryIO:
        """Open an object for reading; it can be sought in and is read by ranges.

        Args:
            name: its name.
            stored: what `list` or `stat` said of it, which spares asking again.

        Raises:
            StoreMissingError: If there is none.
            StoreConflictError: If `stored` is no longer the generation there, or the
                object is replaced while it is read.
        """

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Yield the objects whose name begins with `prefix`, ordered by name.

        What others have put there is listed too, even if `check_name` refuses its name.

        Raises:
            StoreMissingError: If the store is not there.
        """

    def folders(self, prefix: str = "") -> Iterator[str]:
        """Yield the next parts of the names below `prefix`, those that have a slash.

        Args:
            prefix: empty, or ending in a slash. Objects below it are not listed.
        """

    def delete(self, name: str, *, if_generation: int | None = None) -> None:
        """Remove an object.

        Raises:
            StoreMissingError: If there is none.
            StoreConflictError: If it is not the generation `if_generation`.
        """


def check_name(name: str) -> str:
    """Return the name if an object may have it.

    Raises:
        ConfigError: If it may not.

    Example:
        >>> check_name("devices/bed-7/2026/11/27/09/a.ddc")
        'devices/bed-7/2026/11/27/09/a.ddc'
    """
    parts = name.split("/")
    if len(name) > _MAX_NAME_LEN or not all(map(_PART.fullmatch, parts)):
        raise ConfigError(
            "a name in a store must be parts of letters, digits and _ . = + - with "
            f"slashes between, none beginning with one of . = + -, got {name[:80]!r}; "
            "rename it"
        )
    return name


def check_prefix(prefix: str) -> str:
    """Return the prefix if names may begin so.

    Raises:
        ConfigError: If no name can.
    """
    folder = prefix.rpartition("/")[0]
    if folder:
        check_name(folder)
    if prefix.startswith("/"):
        raise ConfigError(
            f"a prefix must not begin with a slash, got {prefix[:80]!r}; leave it out"
        )
    return prefix


def conflict(name: str, found: int, wanted: int) -> StoreConflictError:
    """Return the error for a generation that is not the one expected."""

    def named(generation: int) -> str:
        return f"generation {generation}" if generation else "no object"

    return StoreConflictError(
        f"{name} must be {named(wanted)}, got {named(found)}; another writer was "
        "there, read it again"
    )


def missing(name: str) -> StoreMissingError:
    """Return the error for an object that is not there."""
    return StoreMissingError(
        f"an object must be there to be read, got none named {name}; list the store"
    )
