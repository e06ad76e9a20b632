# SPDX-License-Identifier: Apache-2.0
"""One session of a device: samples in, coded frames counted, sealed messages out."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from dynamic_deep.bitstream import unpack_head
from dynamic_deep.codec import Codec
from dynamic_deep.config import MODEL_FS, WINDOW_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.policy import Policy
from dynamic_deep.recording import RecordingInfo
from dynamic_deep.segments import min_tail_len, window_start
from dynamic_deep.uplink.sealed import SealedMessage, SessionStart
from dynamic_deep.uplink.session import MessageSink

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

IntArray = npt.NDArray[np.signedinteger]

SESSION_S = 3600.0  # of signal at most, see docs/uplink.md
DEFAULT_N_FRAMES = 10  # of a message, at which it is cut


def windows_per_session(fs: float, limit_s: float = SESSION_S) -> int:
    """Return how many windows a session has, so that joined sessions cut as one file.

    A window begins at a rounded sample, so the grid of a session is that of the whole
    stream only if the session begins at a whole sample without rounding. That many
    windows are taken, as near to the limit as can be; all that fit if none do it.

    Args:
        fs: Hz.
        limit_s: the longest that a session may be, seconds of signal.

    Raises:
        ConfigError: If not even one window fits.

    Example:
        >>> [windows_per_session(fs) for fs in (250.0, 300.0, 360.0, 257.3)]
        [120, 120, 120, 75]
    """
    window_s = WINDOW_LEN / MODEL_FS
    n_most = math.floor(limit_s / window_s + 1e-9)
    if n_most < 1:
        raise ConfigError(
            f"a session must hold a window of {window_s:.2f} s, got at most "
            f"{limit_s:g} s; let it be longer"
        )
    for n in range(n_most, 0, -1):
        length = n * WINDOW_LEN * fs / MODEL_FS
        if abs(length - round(length)) < 1e-6:
            return n
    return n_most


def window_samples(fs: float) -> int:
    """Return how many samples of a lead the longest window has."""
    return math.ceil(WINDOW_LEN * fs / MODEL_FS)


def first_need(base: int, fs: float) -> int:
    """Return up to which position a session's first window needs samples.

    Args:
        base: position of the session's first sample.
        fs: Hz.
    """
    return base + window_start(1, fs) + min_tail_len(fs)


@dataclass(frozen=True, kw_only=True)
class EncoderSetup:
    """How devices encode; one for all of a fleet, since it holds the networks.

    Attributes:
        codec: of the bundle.
        policy: chooses the level of each window.
        max_error_uv: bound on the error of every sample, for near_lossless.
        session_s: the longest that a session may be, seconds of signal.
        n_frames: a message is cut at so many frames.
    """

    codec: Codec
    policy: Policy
    max_error_uv: float | None = None
    session_s: float = SESSION_S
    n_frames: int = DEFAULT_N_FRAMES


@dataclass(frozen=True, kw_only=True)
class CodedFrame:
    """A frame as it left the encoder.

    Attributes:
        window_idx: of the session, from 0.
        lead: from 0.
        level: name of its level.
        n_bytes: of the frame.
        n_samples: of its lead.
    """

    window_idx: int
    lead: int
    level: str
    n_bytes: int
    n_samples: int


class _Tap(io.RawIOBase):
    """Hands items on to the sink, notes each frame's level, and hashes the file."""

    def __init__(self, sink: MessageSink) -> None:
        super().__init__()
        self._sink = sink
        self.heads: list[tuple[int, int]] = []  # level id, bytes
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, item: ReadableBuffer, /) -> int:
        data = bytes(item)
        is_header = self._sink.n_messages == 0
        head = None if is_header else unpack_head(data)
        if head is not None:
            self.heads.append((head.level_id, len(data)))
        self.digest.update(data)
        return self._sink.write(data)


class DeviceSession:
    """Encodes one session.

    Args:
        setup: how.
        start: device, session and key.
        info: of the signal; its start time is that of the session's first sample.
        base: position of the session's first sample.
        store: takes each sealed message; see `MessageSink`.

    Attributes:
        start: as given.
        base: as given.
        pushed: position of the sample that comes next.
        end: position where the session ends at the latest.
        n_windows: coded windows so far, of each lead.
    """

    def __init__(
        self,
        setup: EncoderSetup,
        start: SessionStart,
        info: RecordingInfo,
        *,
        base: int,
        store: Callable[[SealedMessage], bool],
    ) -> None:
        """Write the header: the first message is sealed at once."""
        self.start = start
        self.base = base
        self.pushed = base
        self.n_windows = 0
        self._names = {level.id: level.name for level in setup.codec.levels}
        self._info = info
        self._n_most = windows_per_session(info.fs, setup.session_s)
        self.end = base + window_start(self._n_most, info.fs)
        self._sink = MessageSink(start, store, n_frames=setup.n_frames)
        self._tap = _Tap(self._sink)
        self._encoder = setup.codec.stream_encoder(
            info,
            cast("BinaryIO", self._tap),
            policy=setup.policy,
            max_error_uv=setup.max_error_uv,
        )

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._sink.is_over

    @property
    def next_need(self) -> int:
        """Position up to which samples are needed for the next window to be coded.

        The session's last one is coded without what comes after it.
        """
        if self.n_windows + 1 >= self._n_most:
            return self.end
        fs = self._info.fs
        return self.base + window_start(self.n_windows + 1, fs) + min_tail_len(fs)

    def end_early(self) -> None:
        """Let the session end with the window that is coded next."""
        self._n_most = min(self._n_most, self.n_windows + 1)
        self.end = self.base + window_start(self._n_most, self._info.fs)

    def cut(self) -> None:
        """Seal the windows taken so far, but for the last, without waiting for more."""
        self._sink.cut()

    def push(self, block: IntArray) -> list[CodedFrame]:
        """Take samples; return what was coded."""
        self._encoder.push(block)
        self.pushed += len(block)
        return self._coded()

    def finish(self) -> list[CodedFrame]:
        """End the session; return what was coded."""
        self._encoder.flush()
        return self._coded()

    def digest(self) -> bytes:
        """Return the SHA-256 of the session's file as it was written so far."""
        return self._tap.digest.digest()

    def _coded(self) -> list[CodedFrame]:
        heads, self._tap.heads = self._tap.heads, []
        n_leads, fs = self._info.n_leads, self._info.fs
        frames = []
        n_all = self.n_windows + len(heads) // n_leads
        for at, (level_id, n_bytes) in enumerate(heads):
            window_idx = self.n_windows + at // n_leads
            first = window_start(window_idx, fs)
            stop = window_start(window_idx + 1, fs)
            if self._sink.is_over and window_idx == n_all - 1:
                stop = self.pushed - self.base
            frames.append(
                CodedFrame(
                    window_idx=window_idx,
                    lead=at % n_leads,
                    level=self._names[level_id],
                    n_bytes=n_bytes,
                    n_samples=stop - first,
                )
            )
        self.n_windows = n_all
        return frames
