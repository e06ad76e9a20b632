# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import zlib

import pytest

from dynamic_deep.bitstream import (
    MAX_PAYLOAD_LEN,
    FrameHead,
    frame_beginnings,
    frame_seq,
    pack_frame,
    pack_head,
    unpack_frame,
    unpack_head,
)
from dynamic_deep.errors import ConfigError, CorruptError, FormatError, TruncatedError
from dynamic_deep.field_coding import pack_varint, unpack_varint

LENGTHS = (0, 1, 140, 1023, 1024, 8191, 8192, 65535, 65536, MAX_PAYLOAD_LEN)
SEED = 0x1234ABCD


def test_golden_frame() -> None:
    # level 2, 3 bytes: head 2 << 1 | 3 << 6 = 0x00C4; the check as in the document.
    check = (zlib.crc32(bytes.fromhex("c400616263"), SEED) + 0xE8BA17 * 7) % (1 << 24)
    golden = bytes.fromhex("c400616263") + check.to_bytes(3, "little")
    assert pack_frame(2, b"abc", seq=7, seed=SEED) == golden


@pytest.mark.parametrize(
    ("level_id", "payload_len", "golden"),
    [
        (31, 1023, "feff"),  # 31 << 1 | 1023 << 6
        (1, 8191, "fdff"),  # 01 | 1 << 2 | 8191 << 3
        (2, 1024, "130004"),  # 011 | 2 << 3, then 1024
        (0, 8192, "030020"),
        (31, 65536, "071f000001"),
    ],
)
def test_golden_heads(level_id: int, payload_len: int, golden: str) -> None:
    assert pack_head(level_id, payload_len).hex() == golden


def test_heads_round_trip_for_every_level_and_class() -> None:
    for level_id in range(32):
        for payload_len in LENGTHS:
            data = pack_head(level_id, payload_len)
            assert unpack_head(data) == FrameHead(level_id, payload_len, len(data))


def test_overhead_is_five_bytes_for_short_and_six_for_middling_payloads() -> None:
    for level_id in range(32):
        for payload_len in LENGTHS[:8]:
            frame_len = len(pack_frame(level_id, bytes(payload_len), seq=1, seed=SEED))
            is_short = payload_len <= (8191 if level_id <= 1 else 1023)
            assert frame_len - payload_len == (5 if is_short else 6)


def test_every_first_two_bytes_mean_one_head_or_none() -> None:
    n_heads = 0
    for word in range(1 << 16):
        data = word.to_bytes(2, "little") + b"\xff\xff\xff"
        head = unpack_head(data)
        if head is not None:
            n_heads += 1
            assert pack_head(*head[:2]) == data[: head.head_len]
    assert n_heads > 40_000


def test_frame_beginnings_are_those_of_the_heads() -> None:
    for levels in ({0, 1, 2, 5, 31}, {0}, {7, 30}):
        found = set()
        for word in range(1 << 16):
            head = unpack_head(word.to_bytes(2, "little") + b"\xff\xff\xff")
            if head is not None and head.level_id in levels:
                found.add(word & 0xFF)
        assert set(frame_beginnings(levels)) - {7} == found - {7}


@pytest.mark.parametrize("golden", ["0f00000000", "1700", "1f00", "ff00", "0720000001"])
def test_marks_and_reserved_bytes_are_no_head(golden: str) -> None:
    assert unpack_head(bytes.fromhex(golden)) is None


def test_a_frame_verifies_only_at_its_place_and_with_its_seed() -> None:
    data = pack_frame(5, b"payload", seq=41, seed=SEED)
    assert unpack_frame(data, seq=41, seed=SEED) == (5, b"payload")
    for seq, seed in [(40, SEED), (42, SEED), (41, SEED + 1)]:
        with pytest.raises(CorruptError):
            unpack_frame(data, seq=seq, seed=seed)


def test_a_byte_of_the_check_never_makes_a_frame_its_neighbour() -> None:
    data = pack_frame(5, b"payload", seq=100_000, seed=SEED)
    head = unpack_head(data)
    for at in range(len(data) - 3, len(data)):
        for value in set(range(256)) - {data[at]}:
            changed = data[:at] + bytes([value]) + data[at + 1 :]
            assert abs(frame_seq(changed, 0, head, SEED) - 100_000) > 60_000


def test_each_flipped_bit_and_each_cut_is_noticed() -> None:
    data = pack_frame(5, bytes(range(40)), seq=3, seed=SEED)
    for at in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(FormatError):
            unpack_frame(bytes(flipped), seq=3, seed=SEED)
    for size in range(len(data)):
        with pytest.raises(TruncatedError):
            unpack_frame(data[:size], seq=3, seed=SEED)
    with pytest.raises(CorruptError):
        unpack_frame(data + b"\0", seq=3, seed=SEED)


def test_out_of_range_is_a_config_error() -> None:
    for level_id, payload_len in [(32, 0), (-1, 0), (0, MAX_PAYLOAD_LEN + 1)]:
        with pytest.raises(ConfigError):
            pack_head(level_id, payload_len)
    with pytest.raises(ConfigError):
        pack_varint(-1)


def test_varints_round_trip_and_have_one_form() -> None:
    for value in (0, 1, 127, 128, 16383, 16384, 2**32, 2**63 - 1):
        data = pack_varint(value)
        assert unpack_varint(data + b"x", 0) == (value, len(data))
        for size in range(len(data)):
            with pytest.raises(TruncatedError):
                unpack_varint(data[:size], 0)
    for hostile in (b"\x80\x00", b"\xff" * 9 + b"\x01"):
        with pytest.raises(CorruptError):
            unpack_varint(hostile, 0)
