# SPDX-License-Identifier: Apache-2.0
"""`StreamEncoder` and `StreamDecoder`: the batch's bytes, in bounded memory."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from dynamic_deep.codec import Codec, StreamDecoder
from dynamic_deep.container import ContainerReader
from dynamic_deep.errors import ConfigError, DynamicDeepError, InvalidSignalError
from dynamic_deep.policy import Fixed, MaxPrdn, Policy
from dynamic_deep.recording import Recording
from dynamic_deep.segments import min_tail_len, window_start
from tests.signals import ecg


def stream(
    codec: Codec, recording: Recording, sizes: Iterator[int], **options: object
) -> bytes:
    """Encode by pushes of the given sizes."""
    out = io.BytesIO()
    encoder = codec.stream_encoder(recording.info, out, **options)  # type: ignore[arg-type]
    at = 0
    while at < recording.n_samples:
        size = next(sizes)
        encoder.push(recording.samples[at : at + size])
        at += size
    summary = encoder.flush()
    assert summary.n_samples == recording.n_samples
    assert summary.coded_bytes == len(out.getvalue())
    return out.getvalue()


def random_sizes(rng: np.random.Generator, largest: int) -> Iterator[int]:
    while True:
        yield int(rng.integers(0, largest + 1))


@pytest.mark.parametrize("level", ["lossless", "wavelet_32", "gain_64"])
@pytest.mark.parametrize("largest", [40, 3000, 30_000])
@pytest.mark.parametrize(
    ("fs", "n_samples"), [(300.0, 18_500), (300.0, 19_100), (257.0, 16_500), (50.0, 80)]
)
def test_any_pushes_give_the_bytes_of_the_batch(
    codec: Codec, level: str, largest: int, fs: float, n_samples: int
) -> None:
    recording = ecg(n_samples, fs=fs, n_leads=2)
    whole = codec.encode(recording, level=level)
    rng = np.random.default_rng(largest)
    pushed = stream(
        codec, recording, random_sizes(rng, largest), policy=Fixed(level=level)
    )
    assert pushed == whole


@pytest.mark.parametrize("tail", [-1, 0, 1])
def test_tails_at_their_limit_give_the_bytes_of_the_batch(
    codec: Codec, tail: int
) -> None:
    fs = 128.0
    n_samples = window_start(2, fs) + min_tail_len(fs) + tail
    recording = ecg(n_samples, fs=fs)
    policy: Policy = MaxPrdn(percent=20.0)
    whole = codec.encode(recording, policy=policy)
    assert ContainerReader(whole).n_windows == 2 + (tail >= 0)
    for size in (1, 479, n_samples - 1):
        assert (
            stream(codec, recording, iter([size] * n_samples), policy=policy) == whole
        )


def test_a_window_leaves_as_soon_as_it_can(codec: Codec) -> None:
    recording = ecg(8960 + 1120)
    out = io.BytesIO()
    encoder = codec.stream_encoder(recording.info, out, policy=Fixed(level="lossless"))
    encoder.push(recording.samples[: 8960 + 1119])
    assert encoder.summary.n_windows == 0
    encoder.push(recording.samples[8960 + 1119 :])
    assert encoder.summary.n_windows == 1
    assert encoder.flush().levels == {"lossless": 2}


def test_the_callers_buffer_may_be_used_again(codec: Codec) -> None:
    recording = ecg(10_000, n_leads=2)
    whole = codec.encode(recording, level="lossless")
    out = io.BytesIO()
    encoder = codec.stream_encoder(recording.info, out, policy=Fixed(level="lossless"))
    buffer = np.empty((500, 2), np.int16)
    for start in range(0, 10_000, 500):
        buffer[:] = recording.samples[start : start + 500]
        encoder.push(buffer)
    encoder.flush()
    assert out.getvalue() == whole


@pytest.mark.parametrize(
    "block",
    [
        np.zeros((5, 3), np.int16),
        np.zeros(5, np.int16),
        np.zeros((5, 2)),
        np.full((5, 2), np.nan),
        np.full((5, 2), 40_000),
    ],
)
def test_a_block_that_does_not_fit_is_refused(codec: Codec, block: np.ndarray) -> None:
    recording = ecg(9000, n_leads=2)
    out = io.BytesIO()
    encoder = codec.stream_encoder(recording.info, out, policy=Fixed(level="lossless"))
    encoder.push(recording.samples[:4000])
    with pytest.raises(InvalidSignalError):
        encoder.push(block)
    # What was refused leaves no trace.
    encoder.push(recording.samples[4000:])
    encoder.flush()
    assert out.getvalue() == codec.encode(recording, level="lossless")


def test_a_stream_of_nothing_is_a_file_of_nothing(codec: Codec) -> None:
    out = io.BytesIO()
    encoder = codec.stream_encoder(ecg(1).info, out, policy=Fixed(level="gain_64"))
    encoder.push(np.zeros((0, 1), np.int16))
    summary = encoder.flush()
    assert (summary.n_samples, summary.n_windows, summary.compression_gain) == (0, 0, 0)
    reader = ContainerReader(out.getvalue())
    assert (list(reader.frames()), reader.n_samples) == ([], 0)
    with pytest.raises(DynamicDeepError):
        codec.decode(out.getvalue())


def test_nothing_is_pushed_after_the_end(codec: Codec) -> None:
    recording = ecg(9000)
    out = io.BytesIO()
    encoder = codec.stream_encoder(recording.info, out, policy=Fixed(level="lossless"))
    encoder.push(recording.samples)
    encoder.flush()
    length = len(out.getvalue())
    with pytest.raises(ConfigError):
        encoder.flush()
    with pytest.raises(ConfigError):
        encoder.push(np.tile(recording.samples, (2, 1)))
    assert len(out.getvalue()) == length


def test_the_summary_counts_what_was_written(codec: Codec) -> None:
    recording = ecg(30_000, n_leads=2)
    samples = recording.samples.copy()
    samples[:8960, 1] = 7
    out = io.BytesIO()
    encoder = codec.stream_encoder(
        recording.info, out, policy=Fixed(level="wavelet_32")
    )
    encoder.push(samples)
    summary = encoder.flush()
    assert summary.levels == {"wavelet_32": 7, "lossless": 1}
    assert summary.n_windows == 8
    assert summary.raw_bytes == 30_000 * 2 * 2
    assert summary.coded_bytes == len(out.getvalue())
    assert summary.compression_gain == 120_000 / len(out.getvalue())


class Sink(io.RawIOBase):
    """A pipe to nowhere."""

    n_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.n_bytes += len(bytes(data))  # type: ignore[call-overload]
        return len(bytes(data))  # type: ignore[call-overload]


def peak_of_encoding(codec: Codec, block: np.ndarray, n_blocks: int) -> int:
    info = ecg(1, fs=250.0, n_leads=3).info
    sink = Sink()
    tracemalloc.start()
    encoder = codec.stream_encoder(info, sink, policy=Fixed(level="wavelet_128"))
    for _ in range(n_blocks):
        encoder.push(block)
    encoder.flush()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sink.n_bytes > 1000
    return peak


def test_memory_does_not_grow_with_the_recording(codec: Codec) -> None:
    # Two hours against ten minutes; the two hours' samples alone are 10.8 MB.
    block = ecg(15_000, fs=250.0, n_leads=3).samples
    peak_of_encoding(codec, block, 2)  # tables and filters are made once
    short = peak_of_encoding(codec, block, 10)
    long = peak_of_encoding(codec, block, 120)
    assert long < short + 200_000
    assert long < 4_000_000


def test_decoding_in_memory_that_does_not_grow(codec: Codec) -> None:
    block = ecg(15_000, fs=250.0, n_leads=3).samples
    peaks = []
    for n_blocks in (3, 10, 60):
        recording = ecg(1, fs=250.0, n_leads=3)
        out = io.BytesIO()
        encoder = codec.stream_encoder(
            recording.info, out, policy=Fixed(level="wavelet_128")
        )
        for _ in range(n_blocks):
            encoder.push(block)
        encoder.flush()
        reader = ContainerReader(out.getvalue())
        n_seen = 0

        def count(samples: np.ndarray) -> None:
            nonlocal n_seen
            n_seen += len(samples)

        tracemalloc.start()
        summary = StreamDecoder(codec.windows, reader).run(count)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert n_seen == summary.n_samples == n_blocks * 15_000
        assert not summary.damage
    assert peaks[2] < peaks[1] + 200_000


def test_progress_ends_where_the_recording_ends(codec: Codec) -> None:
    recording = ecg(20_000)
    reader = ContainerReader(codec.encode(recording, level="wavelet_32"))
    seen: list[tuple[int, int]] = []
    StreamDecoder(
        codec.windows, reader, progress=lambda done, n_all: seen.append((done, n_all))
    ).run(lambda _: None)
    assert seen[-1] == (20_000, 20_000)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_each_window_decodes_alone(codec: Codec) -> None:
    recording = ecg(30_000, n_leads=2)
    data = codec.encode(recording, level="gain_64")
    whole = codec.decode(data).samples
    reader = ContainerReader(data)
    frame = reader.read_frame(2, 1)
    x_hat = codec.windows.decode(
        frame.payload,
        codec.bundle.level_by_id(frame.level_id),
        window_place_of(recording, 8960, 1),
    )
    assert (x_hat == whole[17_920:26_880, 1]).all()


def window_place_of(recording: Recording, n_samples: int, lead: int) -> object:
    from dynamic_deep.window_codec import window_place

    return window_place(n_samples, recording.info, lead)
