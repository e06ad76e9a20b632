# SPDX-License-Identifier: Apache-2.0
"""Bytes that are cut, flipped, moved or made to harm.

Only `FormatError`s leave the reader, only for a damaged header, and every frame that
the damage left whole comes back.
"""

from __future__ import annotations

import itertools
import random
import time
import tracemalloc
import zlib

import pytest

from dynamic_deep.bitstream import TAG_END, pack_frame, pack_head
from dynamic_deep.container import ContainerReader, Frame
from dynamic_deep.container_marks import pack_end, pack_gap
from dynamic_deep.errors import (
    CorruptError,
    FormatError,
    TruncatedError,
    UnsupportedVersionError,
)
from dynamic_deep.field_coding import pack_varint
from dynamic_deep.header_envelope import MAGIC, pack_header
from tests.helpers import (
    MadeFile,
    OneWayStream,
    bit_flips,
    make_file,
    make_frames,
    make_header,
    read_all,
    untouched,
    with_byte,
)

N_MUTATIONS = 10_000
HEADER, SEED = pack_header(make_header())


@pytest.fixture(scope="module")
def made() -> MadeFile:
    """Two leads, a gap, an end mark with frames left out before it."""
    frames = make_frames(
        8, 2, max_len=30, is_left_out=lambda seq: seq in {7, 8} or seq > 13
    )
    return make_file(frames, make_header(2), n_windows=8)


def frames_of(data: bytes) -> list[Frame]:
    return list(ContainerReader(data).frames())


def test_cut_at_every_byte(made: MadeFile) -> None:
    for size in range(len(made.data)):
        data = made.data[:size]
        if size < made.header_end:
            with pytest.raises(TruncatedError):
                ContainerReader(data)
            continue
        for source in (data, OneWayStream(data)):
            reader = ContainerReader(source)
            whole = untouched(made, range(size, len(made.data)))
            assert list(reader.frames()) == whole
            # Cut inside the closing length, the end mark itself is whole.
            assert reader.is_complete == (size == len(made.data) - 1)
            assert reader.damage
            assert reader.n_windows >= (whole[-1].window_idx + 1 if whole else 0)


def test_each_header_bit_flipped(made: MadeFile) -> None:
    for at, data in bit_flips(made.data, range(made.header_end)):
        with pytest.raises(FormatError) as caught:
            ContainerReader(data)
        if at < len(MAGIC):
            assert caught.type is CorruptError
        elif at == len(MAGIC):
            kinds = {UnsupportedVersionError, CorruptError}
            assert caught.type in kinds


def test_each_bit_after_the_header_flipped_costs_one_frame_at_most(
    made: MadeFile,
) -> None:
    for at, data in bit_flips(made.data, range(made.header_end, len(made.data))):
        reader = ContainerReader(data)
        assert list(reader.frames()) == untouched(made, range(at, at + 1)), at
        assert reader.damage, at


@pytest.mark.parametrize("value", [0x00, 0x07, 0x0F, 0x17, 0x55, 0xFF])
def test_each_byte_overwritten_costs_one_frame_at_most(
    made: MadeFile, value: int
) -> None:
    for at in range(made.header_end, len(made.data)):
        data = with_byte(made.data, at, value)
        if data == made.data:
            continue
        reader = ContainerReader(data)
        assert list(reader.frames()) == untouched(made, range(at, at + 1)), at
        assert reader.damage, at


def test_damage_names_the_frame(made: MadeFile) -> None:
    victim = 9
    frame, span = made.frames[victim], made.spans[victim]
    data = with_byte(made.data, span.stop - 4, made.data[span.stop - 4] ^ 0xFF)
    reader = ContainerReader(data)
    list(reader.frames())
    (damage,) = reader.damage
    assert (damage.window_idx, damage.lead) == (frame.window_idx, frame.lead)
    assert (damage.offset, damage.n_frames) == (span.start, 1)
    assert reader.summary.damaged_bytes == len(span)
    assert reader.summary.n_bytes == len(data)
    with pytest.raises(CorruptError):
        reader.read_frame(frame.window_idx, frame.lead)


def test_single_bytes_of_long_frames_cost_one_frame() -> None:
    frames = make_frames(30, 2, seed=3, max_len=6000)
    made = make_file(frames, make_header(2))
    rng = random.Random(4)
    heads = [span.start + i for span in made.spans for i in range(2)]
    for at in [*heads, *rng.sample(range(made.header_end, made.end_start), 200)]:
        data = with_byte(made.data, at, made.data[at] ^ 1 << rng.randrange(8))
        assert frames_of(data) == untouched(made, range(at, at + 1)), at


def test_bursts_cost_what_they_touch() -> None:
    made = make_file(make_frames(40, 1, seed=5, max_len=120), make_header())
    rng = random.Random(6)
    for _ in range(500):
        size = rng.randint(1, 600)
        start = rng.randrange(made.header_end, made.end_start - size)
        burst = rng.choice([bytes(size), b"\xff" * size, rng.randbytes(size)])
        data = made.data[:start] + burst + made.data[start + size :]
        assert frames_of(data) == untouched(made, range(start, start + size))


def test_bytes_lost_and_bytes_put_in_cost_what_they_touch() -> None:
    made = make_file(make_frames(40, 1, seed=7, max_len=120), make_header())
    rng = random.Random(8)
    for _ in range(300):
        size = rng.randint(1, 300)
        start = rng.randrange(made.header_end, made.end_start - size)
        data = made.data[:start] + made.data[start + size :]
        assert frames_of(data) == untouched(made, range(start, start + size))
        data = made.data[:start] + rng.randbytes(size) + made.data[start:]
        inside = [span for span in made.spans if span.start < start < span.stop]
        torn = inside[0] if inside else range(start, start)
        assert frames_of(data) == untouched(made, torn)


def test_every_second_frame_damaged_leaves_the_others() -> None:
    made = make_file(make_frames(40, 1, seed=9, max_len=120), make_header())
    data = bytearray(made.data)
    for span in made.spans[::2]:
        data[span.start] ^= 0xFF  # its length is lost too
    assert frames_of(bytes(data)) == made.frames[1::2]


def test_ten_thousand_mutations(made: MadeFile) -> None:
    rng = random.Random(10)
    for _ in range(N_MUTATIONS):
        data = mutate(made.data, rng)
        result = read_all(data)
        if result is None:
            continue
        frames, reader = result
        for frame in frames:
            assert frame in made.frames
        assert reader.summary.n_bytes == len(data)
        assert sum(place.n_frames for place in reader.damage) <= 1 << 24


def mutate(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        # Most of them after the header, which hides the rest when it is hit.
        at = (
            rng.randrange(len(out))
            if rng.random() < 0.1
            else rng.randrange(80, len(out))
        )
        size = rng.randint(1, 30)
        kind = rng.randrange(5)
        if kind == 0:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            out[at] = rng.choice([0, 7, 15, 23, 127, 128, 255])
        elif kind == 2:
            del out[at : at + size]
        elif kind == 3:
            out[at:at] = rng.randbytes(size)
        else:
            source = rng.randrange(len(out))
            out[at : at + size] = out[source : source + size]
        if len(out) < 100:
            break
    return bytes(out)


def test_pasted_frames_do_not_pass(made: MadeFile) -> None:
    for one, other in itertools.permutations(range(len(made.frames)), 2):
        target, source = made.spans[one], made.spans[other]
        data = (
            made.data[: target.start]
            + made.data[source.start : source.stop]
            + made.data[target.stop :]
        )
        expected = [frame for i, frame in enumerate(made.frames) if i != one]
        assert frames_of(data) == expected, (one, other)


def test_a_frame_written_twice_comes_once(made: MadeFile) -> None:
    span = made.spans[4]
    data = made.data[: span.stop] + made.data[span.start :]
    reader = ContainerReader(data)
    assert list(reader.frames()) == made.frames
    assert [place.n_frames for place in reader.damage] == [0]


def test_frames_of_another_recording_do_not_pass() -> None:
    made = make_file(make_frames(6), make_header())
    other = make_file(make_frames(6, seed=1), make_header(fs=301.0))
    body = made.data[made.header_end :]
    reader = ContainerReader(other.data[: other.header_end] + body)
    assert list(reader.frames()) == []
    assert reader.damage


def test_bytes_after_the_end_are_noticed(made: MadeFile) -> None:
    for tail in (b"\n", b"\0" * 100, made.data):
        reader = ContainerReader(made.data + tail)
        assert list(reader.frames()) == made.frames
        assert reader.n_windows == 8
        assert [place.offset for place in reader.damage] == [len(made.data)]
        assert reader.summary.n_bytes == len(made.data) + len(tail)


@pytest.mark.parametrize(
    "start",
    [
        b"",
        MAGIC,
        MAGIC + b"\x01",
        MAGIC + b"\x01\xff\xff\x0f",  # a body of 262,143 bytes
        MAGIC + b"\x01\x80",
    ],
)
def test_short_headers_are_truncated(start: bytes) -> None:
    with pytest.raises(TruncatedError):
        ContainerReader(start)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"RIFF", CorruptError),
        (b"\xddd", TruncatedError),
        (MAGIC + b"\x02" + HEADER[5:], UnsupportedVersionError),
        (MAGIC + b"\x00" + HEADER[5:], CorruptError),
        (MAGIC + b"\x01\x81\x80\x10" + bytes(300_000), CorruptError),
        (MAGIC + b"\x01" + b"\xff" * 12, CorruptError),
    ],
)
def test_other_beginnings(start: bytes, kind: type[FormatError]) -> None:
    with pytest.raises(kind):
        ContainerReader(start)


def sealed_header(body: bytes) -> bytes:
    data = MAGIC + b"\x01" + pack_varint(len(body)) + body
    return data + zlib.crc32(data).to_bytes(4, "little")


def test_header_bodies_that_lie_behind_a_right_checksum() -> None:
    body = HEADER[6:-4]
    assert ContainerReader(sealed_header(body)).header == make_header()
    rng = random.Random(11)
    n_refused = 0
    for round_idx in range(4000):
        hostile = bytearray(body)
        for _ in range(rng.randint(1, 3)):
            hostile[rng.randrange(len(hostile))] = rng.choice([0, 1, 127, 128, 255])
        if round_idx % 4 == 0:
            del hostile[rng.randrange(len(hostile)) :]
        try:
            ContainerReader(sealed_header(bytes(hostile)))
        except FormatError:
            n_refused += 1
    assert n_refused > 1000


@pytest.mark.parametrize("flags", [0x20, 0x40, 0x80, 0x05])
def test_reserved_flags_are_refused(flags: int) -> None:
    with pytest.raises(CorruptError, match="reserved"):
        ContainerReader(sealed_header(bytes([flags]) + HEADER[7:-4]))


def test_marks_that_lie_behind_a_right_checksum() -> None:
    frame = pack_frame(6, b"x", seq=0, seed=SEED)
    at = len(HEADER) + len(frame)
    lies = [
        pack_gap(1, 0, seed=SEED),
        pack_gap(1, 1, seed=SEED),
        pack_gap(0, 5, seed=SEED),
        pack_gap(1, 1 << 32, seed=SEED),
        pack_end(1 << 50, 1, [], header_end=at, seed=SEED),
        pack_end(1, 1 << 20, [], header_end=at, seed=SEED),
        pack_end(0, 1, [], header_end=at, seed=SEED),
        bytes([TAG_END]) + pack_varint(9000) + pack_varint(1) + pack_varint(1 << 40),
    ]
    for lie in lies:
        reader = ContainerReader(HEADER + frame + lie)
        assert [found.payload for found in reader.frames()] == [b"x"]
        assert reader.damage
        assert not reader.is_complete


def test_frames_beyond_what_the_end_mark_says_are_damage() -> None:
    frames = [pack_frame(6, b"x", seq=seq, seed=SEED) for seq in range(3)]
    end = pack_end(8960, 1, [], header_end=len(HEADER), seed=SEED)
    reader = ContainerReader(HEADER + b"".join(frames) + end)
    assert [frame.window_idx for frame in reader.frames()] == [0]
    assert reader.n_windows == 1
    assert [place.n_frames for place in reader.damage] == [0]


def test_an_end_mark_that_promises_more_is_damage() -> None:
    frame = pack_frame(6, b"x", seq=0, seed=SEED)
    end = pack_end(8960 * 1000, 1000, [], header_end=len(HEADER), seed=SEED)
    reader = ContainerReader(HEADER + frame + end)
    assert len(list(reader.frames())) == 1
    (damage,) = reader.damage
    assert (damage.window_idx, damage.n_frames) == (1, 999)


def test_lying_lengths_ask_for_no_memory() -> None:
    long_head = pack_head(6, (1 << 24) - 1)
    huge = [
        HEADER + long_head,
        HEADER + long_head + bytes(10_000),
        HEADER + (long_head + bytes(9)) * 300,
        HEADER + pack_varint(TAG_END) + b"\xff" * 8 + bytes(1000),
    ]
    tracemalloc.start()
    try:
        for data in huge:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            assert frames_of(data) == []
            assert tracemalloc.get_traced_memory()[1] - before < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_long_file_is_read_in_little_memory() -> None:
    made = make_file(make_frames(1500, 1, max_len=16_000), make_header())
    assert len(made.data) > 10_000_000
    data = bytearray(made.data)
    data[3_000_000:6_000_000:50_000] = bytes(60)
    pipe = OneWayStream(bytes(data), piece_len=1 << 16)
    del made
    tracemalloc.start()
    try:
        n_frames = sum(1 for _ in ContainerReader(pipe).frames())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert n_frames >= 1440
    assert peak < 3_000_000


def test_time_stays_in_proportion_to_the_bytes() -> None:
    rng = random.Random(12)
    junk = rng.randbytes(100_000)
    claim = pack_head(0, 60_000)
    hostile = [
        HEADER + claim * 30_000,  # each offset claims a long frame
        HEADER + bytes(100_000),
        HEADER + junk,
        HEADER + bytes([TAG_END, 0x80, 0x80, 1]) * 25_000,
    ]
    for data in hostile:
        start = time.process_time()
        read_all(data)
        assert time.process_time() - start < 5.0
