# SPDX-License-Identifier: Apache-2.0
"""The windows of one coded session, one by one, in order; the lost ones too.

Memory stays that of a window, however long the session is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.bitstream import Frame, frame_len
from dynamic_deep.codec import Codec
from dynamic_deep.container import ContainerReader, WindowGeometry
from dynamic_deep.errors import FormatError, ModelError
from dynamic_deep.segments import window_start
from dynamic_deep.window_codec import WindowPlace, window_place

# A file of 100 bytes can claim that billions of frames were lost. Each costs a row up
# to here; the rest is only counted.
MAX_LOST_WINDOWS = 10_000
MAX_PROBLEMS = 1_000  # that are kept as texts; a hostile file may have millions


@dataclass(frozen=True, kw_only=True, slots=True)
class LeadWindow:
    """One window of one lead.

    Attributes:
        window_idx: which window, from 0.
        lead: which lead, from 0.
        start: its first sample, at the session's rate.
        place: what else is known of it before its payload.
        level: name of its level; None where the frame is lost.
        n_bytes: of its frame, framing included; 0 where it is lost.
        samples: int32 array, shape (n_samples,), ADC units; None if damaged.
        damage: why there are no samples; None if there are.
    """

    window_idx: int
    lead: int
    start: int
    place: WindowPlace
    level: str | None = None
    n_bytes: int = 0
    samples: npt.NDArray[np.int32] | None = None
    damage: str | None = None


class SessionWindows:
    """Decodes a session; iterate once.

    Args:
        reader: the session, seekable.
        codec: of the bundle that it names.

    Attributes:
        n_samples: of each lead.
        n_windows: of each lead.
        n_damaged: frames that were lost or could not be decoded, so far.
        n_skipped: frames that the device or its sender left out, so far.
        problems: what is wrong, a text each, so far; the first `MAX_PROBLEMS`.

    Raises:
        ModelError: If its windows are not those of this version.
    """

    def __init__(self, reader: ContainerReader, codec: Codec) -> None:
        if reader.header.geometry != WindowGeometry():
            raise ModelError(
                "a session's windows must be those of the bundle, got another segment "
                f"length or rate ({reader.header.geometry}); use the version that "
                "wrote it"
            )
        self._reader, self._codec = reader, codec
        self._info = reader.header.info
        limit = 1 << (self._info.adc_bits - 1)
        self._limits = (-limit, limit - 1)
        # Without an end mark these take a pass of their own over the file.
        self.n_samples, self.n_windows = reader.n_samples, reader.n_windows
        self.n_damaged = 0
        self.n_skipped = 0
        self.problems: list[str] = []
        self._n_seen = 0  # entries of the reader's list of damage
        self._n_lost = 0

    def __iter__(self) -> Iterator[LeadWindow]:
        """Yield every window that is there or is known to be lost."""
        for frame in self._reader.frames():
            yield from self._lost()
            yield self._decoded(frame)
        yield from self._lost()
        self.n_skipped = sum(gap.n_frames for gap in self._reader.skipped)

    def _lost(self) -> Iterator[LeadWindow]:
        """Yield the windows found to be lost since the last call."""
        found = self._reader.damage[self._n_seen :]
        self._n_seen += len(found)
        n_leads = self._info.n_leads
        for damage in found:
            self._note(f"{damage.reason} (byte {damage.offset})")
            if damage.window_idx is None or damage.lead is None:
                continue
            self.n_damaged += damage.n_frames
            first = damage.window_idx * n_leads + damage.lead
            n_told = min(damage.n_frames, MAX_LOST_WINDOWS - self._n_lost)
            self._n_lost += n_told
            for seq in range(first, first + n_told):
                window_idx, lead = divmod(seq, n_leads)
                start, place = self._place(window_idx, lead)
                yield LeadWindow(
                    window_idx=window_idx,
                    lead=lead,
                    start=start,
                    place=place,
                    damage=damage.reason,
                )

    def _decoded(self, frame: Frame) -> LeadWindow:
        start, place = self._place(frame.window_idx, frame.lead)
        names = self._reader.header.level_names
        samples, damage = None, None
        try:
            level = self._codec.bundle.level_by_id(frame.level_id)
            samples = self._codec.windows.decode(frame.payload, level, place)
            samples = np.clip(samples, *self._limits)
        except FormatError as error:
            damage = str(error)
            self.n_damaged += 1
            where = f"window {frame.window_idx}, lead {frame.lead}"
            self._note(f"{damage} ({where})")
        return LeadWindow(
            window_idx=frame.window_idx,
            lead=frame.lead,
            start=start,
            place=place,
            level=names.get(frame.level_id, f"level {frame.level_id}"),
            n_bytes=frame_len(frame.level_id, len(frame.payload)),
            samples=samples,
            damage=damage,
        )

    def _note(self, problem: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def _place(self, window_idx: int, lead: int) -> tuple[int, WindowPlace]:
        fs = self._info.fs
        start, stop = window_start(window_idx, fs), window_start(window_idx + 1, fs)
        if window_idx == self.n_windows - 1:
            stop = self.n_samples
        return start, window_place(max(0, stop - start), self._info, lead)
