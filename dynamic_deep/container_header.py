# SPDX-License-Identifier: Apache-2.0
"""What the header of a `.ddc` file says. Its bytes: `header_coding.py`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from dynamic_deep import config
from dynamic_deep.bitstream import MAX_LEVEL_ID, MAX_PAYLOAD_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import RecordingInfo

NO_MODEL = bytes(16)  # no bundle is needed to decode
FIXED_LEVELS = {0: "lossless", 1: "near_lossless"}


@dataclass(frozen=True, kw_only=True)
class WindowGeometry:
    """How a lead is cut into windows.

    Attributes:
        model_fs: rate of the networks, Hz.
        segment_len: samples at `model_fs` that pass through the encoder at once.
        segments_per_window: segments that share one level.
        min_tail_len: a last stretch shorter than this joins the window before it.
    """

    model_fs: float = config.MODEL_FS
    segment_len: int = config.SEGMENT_LEN
    segments_per_window: int = config.SEGMENTS_PER_WINDOW
    min_tail_len: int = config.MIN_TAIL_LEN

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not (
            config.MIN_FS <= self.model_fs <= config.MAX_FS
            and 1 <= self.segment_len <= 1 << 20
            and 1 <= self.segments_per_window <= 1 << 10
            and 0 <= self.min_tail_len <= self.window_len
        ):
            raise ConfigError(
                "a window geometry must lie within the limits of docs/format.md, got "
                f"{self}; use the default"
            )

    @property
    def window_len(self) -> int:
        """Samples of a window at `model_fs`."""
        return self.segment_len * self.segments_per_window

    def window_start(self, window_idx: int, fs: float) -> int:
        """Return the first sample of a window at the recording's own rate.

        Example:
            >>> WindowGeometry().window_start(3, 360.0)
            32256
        """
        return math.floor(window_idx * self.window_len * fs / self.model_fs + 0.5)

    def max_payload_len(self, fs: float) -> int:
        """Return the greatest length of a payload that a file may hold.

        Example:
            >>> WindowGeometry().max_payload_len(300.0)
            81664
        """
        longest = (self.window_len + self.min_tail_len) * fs / self.model_fs
        return min(MAX_PAYLOAD_LEN, 1024 + 8 * math.ceil(longest))

    def accepts(self, n_samples: int, n_windows: int, fs: float) -> bool:
        """Tell whether a recording of `n_samples` at `fs` can have `n_windows`."""
        if not n_samples or not n_windows:
            return n_samples == n_windows
        length = self.window_len * fs / self.model_fs
        return (n_windows - 1) * length - 2 <= n_samples <= (n_windows + 1) * length + 2


@dataclass(frozen=True, kw_only=True)
class FileHeader:
    """What a file says of itself before the first frame.

    Attributes:
        model_id: 16 bytes, the bundle that wrote the file; `NO_MODEL`: none needed.
        info: the recording without its samples.
        level_names: level id -> name, for the levels that frames may use. 0 and 1 are
            always there.
        geometry: how the recording is cut into windows.

    Raises:
        ConfigError: If a field is out of range.
    """

    model_id: bytes = NO_MODEL
    info: RecordingInfo
    level_names: dict[int, str] = field(default_factory=dict)
    geometry: WindowGeometry = WindowGeometry()

    def __post_init__(self) -> None:
        """Add the fixed levels and check."""
        names = FIXED_LEVELS | dict(sorted(self.level_names.items()))
        object.__setattr__(self, "level_names", names)
        if len(self.model_id) != len(NO_MODEL):
            raise ConfigError(
                f"model_id must have {len(NO_MODEL)} bytes, got {len(self.model_id)}; "
                "take it from the bundle"
            )
        fixed = {level_id: names[level_id] for level_id in FIXED_LEVELS}
        if fixed != FIXED_LEVELS or not all(0 <= i <= MAX_LEVEL_ID for i in names):
            raise ConfigError(
                f"level ids must be 0 to {MAX_LEVEL_ID} with {FIXED_LEVELS} among "
                f"them, got {names}; number the levels of the bundle from 2"
            )

    @property
    def max_payload_len(self) -> int:
        """Greatest length of a payload in this file, bytes."""
        return self.geometry.max_payload_len(self.info.fs)
