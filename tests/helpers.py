# SPDX-License-Identifier: Apache-2.0
"""Small `.ddc` files for tests, with what is in them byte by byte."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from dynamic_deep.bitstream import FrameHead, pack_head
from dynamic_deep.container import ContainerReader, ContainerWriter, FileHeader, Frame
from dynamic_deep.errors import FormatError
from dynamic_deep.recording import RecordingInfo

MODEL_ID = bytes(range(16))
LEVELS = {2: "wavelet_46", 5: "gain_64", 6: "gain_128"}


def make_info(
    n_leads: int = 1,
    *,
    fs: float = 300.0,
    start_time: datetime | None = None,
    name: str = "A00001",
) -> RecordingInfo:
    return RecordingInfo(
        fs=fs,
        adc_gain=(1000.0,) * n_leads,
        adc_baseline=(0,) * n_leads,
        units=("mV",) * n_leads,
        lead_names=("ECG", "V5", "II")[:n_leads],
        start_time=start_time,
        name=name,
    )


def make_header(n_leads: int = 1, *, fs: float = 300.0) -> FileHeader:
    return FileHeader(
        model_id=MODEL_ID, info=make_info(n_leads, fs=fs), level_names=LEVELS
    )


def make_frames(
    n_windows: int,
    n_leads: int = 1,
    *,
    seed: int = 0,
    max_len: int = 60,
    is_left_out: Callable[[int], bool] = lambda seq: False,
) -> list[Frame]:
    """Frames with payloads of random length and content, in order."""
    rng = random.Random(seed)
    levels = [0, 1, *LEVELS]
    frames = []
    for seq in range(n_windows * n_leads):
        payload = rng.randbytes(rng.randint(0, max_len))
        frame = Frame(*divmod(seq, n_leads), rng.choice(levels), payload)
        if not is_left_out(seq):
            frames.append(frame)
    return frames


@dataclass
class MadeFile:
    """A file and where its parts are: `spans` are the frames' byte ranges."""

    data: bytes
    header: FileHeader
    frames: list[Frame]
    header_end: int
    end_start: int
    spans: list[range] = field(default_factory=list)


def make_file(
    frames: list[Frame], header: FileHeader, *, n_windows: int | None = None
) -> MadeFile:
    stream = io.BytesIO()
    writer = ContainerWriter(stream, header)
    made = MadeFile(b"", header, frames, writer.n_bytes, 0)
    for frame in frames:
        writer.write_frame(frame)
        head = FrameHead(
            frame.level_id,
            len(frame.payload),
            len(pack_head(frame.level_id, len(frame.payload))),
        )
        start = writer.n_bytes - head.frame_len
        made.spans.append(range(start, writer.n_bytes))
    made.end_start = writer.n_bytes
    n_windows = frames[-1].window_idx + 1 if n_windows is None else n_windows
    writer.close(n_samples_of(n_windows, header), n_windows)
    made.data = stream.getvalue()
    return made


def n_samples_of(n_windows: int, header: FileHeader) -> int:
    return header.geometry.window_start(n_windows, header.info.fs)


def read_all(data: bytes) -> tuple[list[Frame], ContainerReader] | None:
    """Everything in a file, or None if the header is refused as it should be."""
    try:
        reader = ContainerReader(data)
    except FormatError:
        return None
    return list(reader.frames()), reader


def with_byte(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


def bit_flips(data: bytes, where: range) -> Iterator[tuple[int, bytes]]:
    for at in where:
        for bit in range(8):
            yield at, with_byte(data, at, data[at] ^ 1 << bit)


def untouched(made: MadeFile, where: range) -> list[Frame]:
    """Frames none of whose bytes lie in `where`."""
    return [
        frame
        for frame, span in zip(made.frames, made.spans, strict=True)
        if span.stop <= where.start or span.start >= where.stop
    ]


class OneWayStream(io.RawIOBase):
    """A pipe: gives a few bytes at a time or takes them, and cannot seek."""

    def __init__(self, data: bytes = b"", *, piece_len: int = 7) -> None:
        super().__init__()
        self._source = io.BytesIO(data)
        self._piece_len = piece_len
        self.taken = bytearray()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        return self._source.read(self._piece_len)

    def write(self, data: object) -> int:
        piece = bytes(data)[: self._piece_len]  # type: ignore[call-overload]
        self.taken += piece
        return len(piece)
