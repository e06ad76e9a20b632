# SPDX-License-Identifier: Apache-2.0
"""Decodes a `.ddc` file window by window, and goes on after damage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dynamic_deep.container import (
    NO_MODEL,
    ContainerReader,
    Damage,
    Frame,
    WindowGeometry,
)
from dynamic_deep.errors import CorruptError, FormatError, ModelError
from dynamic_deep.recording import RecordingInfo
from dynamic_deep.segments import window_start
from dynamic_deep.window_codec import WindowCodec, window_place

IntArray = npt.NDArray[np.signedinteger]

# A file of 100 bytes can say that millions of windows were left out. Gaps of real
# recordings are filled; what only a hostile file claims is refused.
MAX_FILLED_WINDOWS = 100_000  # 34 days in a row


@dataclass(kw_only=True)
class DecodeSummary:
    """What a decoding gave back.

    Attributes:
        n_samples: samples of each lead.
        n_windows: decoded windows, all leads counted.
        damage: what could not be read; those windows hold the baseline.
    """

    n_samples: int = 0
    n_windows: int = 0
    damage: list[Damage] = field(default_factory=list)


class StreamDecoder:
    """Decodes a file window by window, all leads of a window together.

    Args:
        windows: the window codec of the bundle that the file names.
        reader: the file.
        progress: called with samples done and in all (0: unknown), of each lead.

    Raises:
        ModelError: If the file names another bundle.
    """

    def __init__(
        self,
        windows: WindowCodec,
        reader: ContainerReader,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Check that codec and file belong together."""
        header, bundle = reader.header, windows.bundle
        if header.model_id not in (NO_MODEL, bundle.model_id):
            raise ModelError(
                f"a file must be decoded with the bundle that wrote it, "
                f"{header.model_id.hex()}, got {bundle.name} "
                f"({bundle.model_id.hex()}); name the right one by --bundle"
            )
        if header.geometry != WindowGeometry():
            raise ModelError(
                "a file's windows must be those of the bundle, got another segment "
                f"length or rate ({header.geometry}); use the version that wrote it"
            )
        self.info = header.info
        self._windows = windows
        self._reader = reader
        self._progress = progress
        self._damage: list[Damage] = []
        self._n_windows = 0
        self._n_samples = 0

    def run(self, write: Callable[[IntArray], object]) -> DecodeSummary:
        """Decode everything; `write` gets arrays (n, n_leads) in order."""
        waiting: list[Frame] = []
        window_idx = 0
        for frame in self._reader.frames():
            _check_gap(frame.window_idx - window_idx)
            while frame.window_idx > window_idx:
                self._write_window(write, window_idx, waiting)
                waiting, window_idx = [], window_idx + 1
            waiting.append(frame)
        n_windows = self._reader.n_windows
        _check_gap(n_windows - window_idx)
        while window_idx < n_windows:
            is_last = window_idx == n_windows - 1
            self._write_window(write, window_idx, waiting, is_last=is_last)
            waiting, window_idx = [], window_idx + 1
        return DecodeSummary(
            n_samples=self._n_samples,
            n_windows=self._n_windows,
            damage=[*self._reader.damage, *self._reader.skipped, *self._damage],
        )

    def _write_window(
        self,
        write: Callable[[IntArray], object],
        window_idx: int,
        frames: list[Frame],
        *,
        is_last: bool = False,
    ) -> None:
        start = window_start(window_idx, self.info.fs)
        stop = window_start(window_idx + 1, self.info.fs)
        if is_last:
            stop = self._reader.n_samples
        block = np.empty((max(0, stop - start), self.info.n_leads), self.info.dtype)
        block[:] = np.clip(self.info.adc_baseline, *_range(self.info))
        for frame in frames:
            place = window_place(len(block), self.info, frame.lead)
            try:
                level = self._windows.bundle.level_by_id(frame.level_id)
                x_hat = self._windows.decode(frame.payload, level, place)
                block[:, frame.lead] = np.clip(x_hat, *_range(self.info))
                self._n_windows += 1
            except FormatError as error:
                self._damage.append(
                    Damage(window_idx, frame.lead, offset=-1, reason=str(error))
                )
        write(block)
        self._n_samples += len(block)
        if self._progress is not None:
            n_all = self._reader.n_samples if self._reader.is_complete else 0
            self._progress(self._n_samples, n_all)


def _range(info: RecordingInfo) -> tuple[int, int]:
    limit = 1 << (info.adc_bits - 1)
    return -limit, limit - 1


def _check_gap(n_windows: int) -> None:
    if n_windows > MAX_FILLED_WINDOWS:
        raise CorruptError(
            f"a file may leave out {MAX_FILLED_WINDOWS} windows in a row, got a gap of "
            f"{n_windows}; read its frames one by one with ContainerReader"
        )
