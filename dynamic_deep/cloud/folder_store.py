# SPDX-License-Identifier: Apache-2.0
"""A store in a local folder: an object is a file.

A generation is the file's time of modification in nanoseconds, set on purpose and never
given twice, under a lock that all writers of the folder share. Readers need no lock:
an object appears by a rename. Files whose name begins with a dot are no objects, and
links are not followed.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from dynamic_deep.cloud.durable_files import (
    entries,
    make_folders,
    read_at,
    sync_folder,
    walk,
)
from dynamic_deep.cloud.range_file import RangeFile
from dynamic_deep.cloud.store_base import (
    StoredObject,
    StoreError,
    StoreMissingError,
    check_name,
    check_prefix,
    conflict,
    missing,
)

_OWN = ".store"  # lock and unfinished files
_COUNTER_LEN = 8
# A pipe must not be waited for.
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_STALE_S = 24 * 3600.0  # an unfinished file this old has no writer any more


class FolderStore:
    """Objects as files below a folder. See `Store`.

    Args:
        root: the folder; made by the first `put`.

    Attributes:
        url: the folder's path.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.url = os.fspath(root)
        self._root = Path(root)
        self._is_ready = False

    def put(self, name: str, data: bytes, *, if_generation: int | None = None) -> int:
        """See `Store.put`."""
        path = self._root / check_name(name)
        self._prepare()
        part = self._root / _OWN / f"{secrets.token_hex(8)}.part"
        try:
            with part.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            make_folders(path.parent)
            with self._locked() as counter:
                _require(name, _generation(path), if_generation)
                generation = _next_generation(counter)
                os.utime(part, ns=(generation, generation))
                if part.stat().st_mtime_ns != generation:
                    raise StoreError(
                        "a store's file system must keep times to the nanosecond, "
                        f"{self.url} does not; put the store on another disk"
                    )
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(path.parent)
        return generation

    def stat(self, name: str) -> StoredObject:
        """See `Store.stat`."""
        descriptor = self._descriptor(name)
        try:
            return _stored(name, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def get(self, name: str) -> bytes:
        """See `Store.get`."""
        with os.fdopen(self._descriptor(name), "rb") as stream:
            return stream.read()

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """See `Store.read_range`."""
        descriptor = self._descriptor(name)
        try:
            return read_at(descriptor, start, length)
        finally:
            os.close(descriptor)

    def open(self, name: str, *, stored: StoredObject | None = None) -> BinaryIO:
        """See `Store.open`; an object replaced meanwhile is read as it was."""
        descriptor = self._descriptor(name)
        found = _stored(name, os.fstat(descriptor))
        if stored is not None and stored.generation != found.generation:
            os.close(descriptor)
            raise conflict(name, found.generation, stored.generation)

        def fetch(start: int, length: int) -> bytes:
            return read_at(descriptor, start, length)

        file = RangeFile(fetch, found.size, lambda: os.close(descriptor))
        return cast(BinaryIO, file)

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """See `Store.list`."""
        self._require_root()
        folder = check_prefix(prefix).rpartition("/")[0]
        for name, entry in walk(self._root / folder, folder and f"{folder}/", prefix):
            with suppress(FileNotFoundError):  # deleted since
                yield _stored(name, entry.stat(follow_symlinks=False))

    def folders(self, prefix: str = "") -> Iterator[str]:
        """See `Store.folders`."""
        self._require_root()
        folder = check_prefix(prefix).rpartition("/")[0]
        for entry in entries(self._root / folder):
            if entry.is_dir(follow_symlinks=False):
                yield entry.name

    def delete(self, name: str, *, if_generation: int | None = None) -> None:
        """See `Store.delete`."""
        path = self._root / check_name(name)
        self._require_root()
        self._prepare()
        with self._locked():
            generation = _generation(path)
            _require(name, generation, if_generation)
            if not generation:
                raise missing(name)
            path.unlink()
        sync_folder(path.parent)

    def _descriptor(self, name: str) -> int:
        path = self._root / check_name(name)
        try:
            descriptor = os.open(path, _READ_FLAGS)
        except (FileNotFoundError, NotADirectoryError):
            raise missing(name) from None
        if not os.path.isfile(descriptor):
            os.close(descriptor)
            raise missing(name)
        return descriptor

    def _require_root(self) -> None:
        if not self._root.is_dir():
            raise StoreMissingError(
                f"a store must be a folder, got {self.url}, which is none; give the "
                "folder that ingest writes to"
            )

    def _prepare(self) -> None:
        """Make the folder, and clear what writers left behind that were killed."""
        if self._is_ready:
            return
        own = self._root / _OWN
        make_folders(own)
        oldest_s = time.time() - _STALE_S
        for part in own.glob("*.part"):
            with suppress(FileNotFoundError):
                if part.stat().st_mtime < oldest_s:
                    part.unlink()
        self._is_ready = True

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Hold the lock of all writers; yield the file with the last generation."""
        path = self._root / _OWN / "lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)  # ends the lock too


def _next_generation(counter: int) -> int:
    last = int.from_bytes(os.pread(counter, _COUNTER_LEN, 0), "little")
    generation = max(time.time_ns(), last + 1)
    os.pwrite(counter, generation.to_bytes(_COUNTER_LEN, "little"), 0)
    return generation


def _generation(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _require(name: str, found: int, wanted: int | None) -> None:
    if wanted is not None and found != wanted:
        raise conflict(name, found, wanted)


def _stored(name: str, status: os.stat_result) -> StoredObject:
    return StoredObject(name=name, size=status.st_size, generation=status.st_mtime_ns)
