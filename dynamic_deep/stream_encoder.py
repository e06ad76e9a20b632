# SPDX-License-Identifier: Apache-2.0
"""Encodes samples as they come, window by window."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Level
from dynamic_deep.container import NO_MODEL, ContainerWriter, FileHeader, Frame
from dynamic_deep.errors import ConfigError
from dynamic_deep.heads import Heads
from dynamic_deep.policy import Fixed, Policy
from dynamic_deep.recording import RecordingInfo, check_samples, mv_per_unit
from dynamic_deep.segments import min_tail_len, window_start
from dynamic_deep.window_candidate import WindowCandidate
from dynamic_deep.window_codec import (
    WindowCodec,
    max_error_adc,
    only_lossless_fits,
    window_place,
)

IntArray = npt.NDArray[np.signedinteger]

DEFAULT_LEVEL = "gain_64"


@dataclass(kw_only=True)
class EncodeSummary:
    """What an encoding came to.

    Attributes:
        n_samples: samples of each lead.
        n_windows: coded windows, all leads counted.
        raw_bytes: bytes of the samples as stored by the device.
        coded_bytes: bytes of the file.
        levels: level name -> windows sent at it.
    """

    n_samples: int = 0
    n_windows: int = 0
    raw_bytes: int = 0
    coded_bytes: int = 0
    levels: dict[str, int] = field(default_factory=dict)

    @property
    def compression_gain(self) -> float:
        """Raw bytes over bytes of the file, everything included."""
        return self.raw_bytes / self.coded_bytes if self.coded_bytes else 0.0


class StreamEncoder:
    """Encodes samples as they come; the bytes are those of `Codec.encode`.

    Args:
        windows: the codec of single windows.
        info: what is known of the recording.
        stream: binary, where to; need not be seekable.
        policy: chooses the level of each window; `DEFAULT_LEVEL` if None.
        max_error_uv: bound on the error of every sample, for near_lossless.

    Raises:
        ConfigError: If the level is unknown, or lacks its bound.
    """

    def __init__(
        self,
        windows: WindowCodec,
        info: RecordingInfo,
        stream: BinaryIO,
        *,
        policy: Policy | None = None,
        max_error_uv: float | None = None,
    ) -> None:
        """Write the file's header."""
        self.info = info
        self._windows = windows
        self._policy = policy or Fixed(level=DEFAULT_LEVEL)
        self._ladder = self._policy.ladder(windows.bundle.levels)
        self._max_errors = _max_errors(info, self._ladder, max_error_uv)
        needs_bundle = [v for v in self._ladder if v.kind in ("wavelet", "neural")]
        header = FileHeader(
            model_id=windows.bundle.model_id if needs_bundle else NO_MODEL,
            info=info,
            level_names={level.id: level.name for level in needs_bundle},
        )
        self._lossless = windows.bundle.level("lossless")
        self._writer = ContainerWriter(stream, header)
        self._waiting: list[IntArray] = []
        self._n_waiting = 0
        self._window_idx = 0
        self.summary = EncodeSummary()

    def push(self, block: npt.NDArray[np.integer]) -> None:
        """Append samples, and write the windows that they complete.

        A window is complete when a further half segment is there, since a shorter last
        stretch belongs to it.

        Args:
            block: integer array, (n, n_leads), ADC units.

        Raises:
            InvalidSignalError: If the block doesn't fit the recording.
        """
        block = check_samples(block, self.info)
        if not len(block):
            return
        self._waiting.append(block.copy())  # a device fills the same buffer again
        self._n_waiting += len(block)
        self.summary.n_samples += len(block)
        fs, n_spare = self.info.fs, min_tail_len(self.info.fs)
        first = window_start(self._window_idx, fs)
        if self._n_waiting < window_start(self._window_idx + 1, fs) - first + n_spare:
            return
        samples = np.concatenate(self._waiting)
        at = 0
        while True:
            start = window_start(self._window_idx, fs)
            length = window_start(self._window_idx + 1, fs) - start
            if len(samples) - at < length + n_spare:
                break
            self._write_window(samples[at : at + length])
            at += length
        self._keep(samples[at:].copy())

    def flush(self) -> EncodeSummary:
        """Write what is left and the end of the file."""
        fs = self.info.fs
        samples = np.concatenate(
            [np.zeros((0, self.info.n_leads), self.info.dtype), *self._waiting]
        )
        while len(samples):
            start = window_start(self._window_idx, fs)
            length = window_start(self._window_idx + 1, fs) - start
            if len(samples) - length < min_tail_len(fs):
                length = len(samples)
            self._write_window(samples[:length])
            samples = samples[length:]
        self._keep(samples)
        self._writer.close(self.summary.n_samples)
        self.summary.coded_bytes = self._writer.n_bytes
        n_values = self.summary.n_samples * self.info.n_leads
        self.summary.raw_bytes = n_values * self.info.adc_bits // 8
        return self.summary

    def _keep(self, samples: IntArray) -> None:
        self._waiting = [samples]
        self._n_waiting = len(samples)

    def _write_window(self, samples: IntArray) -> None:
        for lead in range(self.info.n_leads):
            x = samples[:, lead].astype(np.int32)
            level, payload = self._choose(x, lead)
            self._writer.write_frame(Frame(self._window_idx, lead, level.id, payload))
            self.summary.n_windows += 1
            counts = self.summary.levels
            counts[level.name] = counts.get(level.name, 0) + 1
        self._window_idx += 1

    def _choose(self, x: npt.NDArray[np.int32], lead: int) -> tuple[Level, bytes]:
        window = WindowCandidate(
            self._windows,
            x,
            window_place(len(x), self.info, lead),
            heads=self._heads,
            max_error=self._max_errors[lead],
        )
        level = self._lossless
        if not only_lossless_fits(x, self.info.adc_bits):
            level = self._policy.choose(window, self._ladder)
        return level, window.payload(level)

    @functools.cached_property
    def _heads(self) -> Heads | None:
        has_heads = "heads" in self._windows.bundle.networks
        return Heads(self._windows.bundle) if has_heads else None


def _max_errors(
    info: RecordingInfo, order: list[Level], max_error_uv: float | None
) -> list[int]:
    is_needed = any(level.kind == "near_lossless" for level in order)
    if is_needed and max_error_uv is None:
        raise ConfigError(
            "near_lossless needs the largest error of a sample, got none; state "
            "max_error_uv (--max-error-uv)"
        )
    if max_error_uv is None:
        return [0] * info.n_leads
    if not is_needed or not 0.0 <= max_error_uv < 1e6:
        raise ConfigError(
            f"max_error_uv must lie between 0 and 1e6 uV and go with near_lossless, "
            f"got {max_error_uv:g} uV at level {order[0].name}; choose near_lossless"
        )
    return [
        max_error_adc(max_error_uv, abs(gain) / mv_per_unit(unit))
        for gain, unit in zip(info.adc_gain, info.units, strict=True)
    ]
