# SPDX-License-Identifier: Apache-2.0
"""A session as a WFDB record: its windows put together again, lost ones as baseline."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from dynamic_deep.cloud.decode_windows import LeadWindow, SessionWindows
from dynamic_deep.cloud.store import Store
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import RecordingInfo, create_recording
from dynamic_deep.segments import window_start

ENDINGS = (".dat", ".hea")  # the header last: a record without one is not there
MAX_BYTES = 128 << 20  # of samples: an object is put in one piece, from memory


def record_stem(session_stem: str) -> str:
    """Return a name that a WFDB record may have, which is one without dots.

    Example:
        >>> record_stem("devices/bed.7/unknown-time/20261127T091502.250000Z-00ff")
        'devices/bed.7/unknown-time/20261127T091502_250000Z-00ff'
    """
    folder, slash, name = session_stem.rpartition("/")
    return folder + slash + name.replace(".", "_")


class WfdbRecord:
    """Collects the windows of a session in a temporary file.

    Args:
        stem: where the record will stand in the store, without ending.
        info: of the session.
        windows: of the session.

    Raises:
        ConfigError: If the record would be too long or empty, or WFDB can't hold its
            units.
    """

    def __init__(self, stem: str, info: RecordingInfo, windows: SessionWindows) -> None:
        n_bytes = windows.n_samples * info.n_leads * info.adc_bits // 8
        if not 0 < n_bytes <= MAX_BYTES:
            raise ConfigError(
                f"a session must have 1 to {MAX_BYTES:,} bytes of samples to become a "
                f"WFDB record, got {n_bytes:,}; use `dynamic-deep decode` for it"
            )
        self._stem = record_stem(stem)
        name = self._stem.rpartition("/")[2]
        self._info = dataclasses.replace(info, name=name)
        self._n_samples, self._n_windows = windows.n_samples, windows.n_windows
        limit = 1 << (info.adc_bits - 1)
        self._fill = np.clip(info.adc_baseline, -limit, limit - 1)
        self._window_idx = 0
        self._block = self._empty()
        self._folder = tempfile.TemporaryDirectory(prefix="dynamic-deep-")
        try:
            self._path = Path(self._folder.name) / name
            self._writer = create_recording(self._path, self._info, "wfdb")
        except BaseException:
            self._folder.cleanup()
            raise

    def add(self, window: LeadWindow) -> None:
        """Take a window; they must come in order."""
        while self._window_idx < min(window.window_idx, self._n_windows):
            self._next_window()
        if window.samples is not None:
            self._block[:, window.lead] = window.samples

    def put(self, store: Store) -> None:
        """Write the record to a store, as two objects."""
        while self._window_idx < self._n_windows:
            self._next_window()
        self._writer.close()
        for ending in ENDINGS:
            store.put(self._stem + ending, self._path.with_suffix(ending).read_bytes())

    def __enter__(self) -> Self:
        """Return the record."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the temporary file."""
        self._writer.abort()
        self._folder.cleanup()

    def _next_window(self) -> None:
        self._writer.write(self._block)
        self._window_idx += 1
        self._block = self._empty()

    def _empty(self) -> np.ndarray:
        fs = self._info.fs
        start = window_start(self._window_idx, fs)
        stop = window_start(self._window_idx + 1, fs)
        if self._window_idx >= self._n_windows - 1:
            stop = self._n_samples
        block = np.empty((max(0, stop - start), self._info.n_leads), self._info.dtype)
        block[:] = self._fill
        return block
