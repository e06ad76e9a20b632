# SPDX-License-Identifier: Apache-2.0
"""What every file format offers: a reader and a writer that work block by block.

A writer fills a hidden file beside its target and renames it when all is well, so
that a target is whole or not there.
"""

from __future__ import annotations

import abc
import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from dynamic_deep.errors import ConfigError, InvalidSignalError
from dynamic_deep.recording.base import (
    IntArray,
    Recording,
    RecordingInfo,
    check_samples,
    with_samples,
)

READ_BLOCK_LEN = 1 << 16  # samples per lead that a whole read asks for at a time


class PendingFile:
    """A file that takes its name only when it is complete.

    Attributes:
        stream: Where to write; readable and seekable too.

    Raises:
        ConfigError: If the folder does not exist.
    """

    def __init__(self, target: Path) -> None:
        """Open a new hidden file beside `target`."""
        if not target.parent.is_dir():
            raise ConfigError(
                f"The folder of a new file must exist, got {target.parent}; make it."
            )
        self._target = target
        self.path = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        self.stream: BinaryIO = self.path.open("x+b")

    def commit(self, *, sync: bool = True) -> None:
        """Close the file and give it its name.

        Args:
            sync: Wait until the disk has it, so that it outlives a loss of power.
        """
        self.stream.flush()
        if sync:
            os.fsync(self.stream.fileno())
        self.stream.close()
        self.path.replace(self._target)

    def discard(self) -> None:
        """Close and delete the file; nothing happens once it is committed."""
        # A full disk shows once more when the buffer is flushed.
        with contextlib.suppress(OSError):
            self.stream.close()
        self.path.unlink(missing_ok=True)


class RecordingReader(abc.ABC):
    """An open recording that gives its samples block by block.

    Attributes:
        info: Everything but the samples.
        n_samples: Samples per lead.
        left_out: Names of the leads of the file that are not read, since their
            sampling frequency differs from that of the ECG leads.
    """

    info: RecordingInfo
    n_samples: int
    left_out: tuple[str, ...] = ()

    @abc.abstractmethod
    def blocks(self, block_len: int) -> Iterator[IntArray]:
        """Yield the samples from first to last, `block_len` rows at a time.

        Yields:
            int16 or int32 array, shape (block_len or less at the end, n_leads).
        """

    def close(self) -> None:
        """Let go of the file."""
        return

    def read(self) -> Recording:
        """Return the whole recording."""
        samples = np.empty((self.n_samples, self.info.n_leads), self.info.dtype)
        start = 0
        for block in self.blocks(READ_BLOCK_LEN):
            samples[start : start + len(block)] = block
            start += len(block)
        return with_samples(self.info, samples[:start])

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the reader."""
        self.close()


class RecordingWriter(abc.ABC):
    """A recording being written; as a context manager it keeps only whole files.

    Args:
        info: Everything but the samples.

    Attributes:
        n_samples: Samples per lead written so far.
    """

    def __init__(self, info: RecordingInfo) -> None:
        """Begin with no samples."""
        self.info = info
        self.n_samples = 0
        self._open = True

    def write(self, block: IntArray) -> None:
        """Append samples.

        Args:
            block: integer array, shape (n, n_leads), ADC units.

        Raises:
            InvalidSignalError: If they are no integers or do not fit `info`.
        """
        samples = check_samples(block, self.info)
        if len(samples):
            self._append(samples)
            self.n_samples += len(samples)

    def close(self) -> None:
        """Finish the file and give it its name; a second call does nothing.

        Raises:
            InvalidSignalError: If no sample was written; then no file stays.
        """
        if not self._open:
            return
        try:
            if not self.n_samples:
                raise InvalidSignalError(
                    "A recording must have at least 1 sample per lead, got 0; write "
                    "some before closing."
                )
            self._finish()
            self._open = False
        finally:
            self.abort()

    def abort(self) -> None:
        """Delete what was written, unless the file is already finished."""
        if self._open:
            self._open = False
            self._discard()

    @abc.abstractmethod
    def _append(self, samples: IntArray) -> None:
        """Append checked samples."""

    @abc.abstractmethod
    def _finish(self) -> None:
        """Complete and rename the files."""

    @abc.abstractmethod
    def _discard(self) -> None:
        """Delete the unfinished files."""

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the file, or delete it when an exception passes."""
        if kind is None:
            self.close()
        else:
            self.abort()
