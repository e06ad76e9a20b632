# SPDX-License-Identifier: Apache-2.0
"""`uplink/message.py`: exact bytes, and hostile ones."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_deep.errors import (
    ConfigError,
    CorruptError,
    FormatError,
    TruncatedError,
    UnsupportedVersionError,
)
from dynamic_deep.uplink.message import (
    MAX_MESSAGE_LEN,
    Kind,
    Message,
    SessionId,
    is_device_id,
    unpack,
)
from tests.helpers import bit_flips, with_byte

MESSAGE = Message(
    kind=Kind.FRAMES,
    key_id=7,
    device="bed-17",
    session=SessionId(3, 0x0102),
    number=0x01020304,
    table=b"TABLEtab",
    sealed=bytes(range(20)),
)
# magic, version, kind, key_id, device_len; device; session (big-endian), number
# (little-endian), table; sealed
PACKED = bytes.fromhex(
    "dd75 01 02 07 06 6265642d3137 00000003 00000102 04030201 5441424c45746162"
) + bytes(range(20))


def test_the_bytes_are_those_of_the_document() -> None:
    assert MESSAGE.pack() == PACKED
    assert MESSAGE.associated_data == PACKED[:-20]
    assert MESSAGE.nonce == bytes.fromhex("00000003 00000102 04030201")
    assert unpack(PACKED) == MESSAGE


def test_cut_anywhere_it_is_an_error() -> None:
    for length in range(len(PACKED) - 4):  # 16 bytes of tag remain until then
        with pytest.raises(TruncatedError):
            unpack(PACKED[:length])
    for length in range(len(PACKED) - 4, len(PACKED)):
        assert unpack(PACKED[:length]) != MESSAGE


def test_no_bit_can_be_flipped_unseen() -> None:
    for at, data in bit_flips(PACKED, range(len(PACKED))):
        try:
            assert unpack(data).pack() == data, at
        except FormatError:
            assert at < 32, "sealed bytes are not looked at"


@given(st.binary(max_size=200))
def test_other_bytes_are_a_format_error(data: bytes) -> None:
    for start in (b"", PACKED[:2], PACKED[:6], PACKED[:12]):
        with contextlib.suppress(FormatError):
            assert unpack(start + data).pack() == start + data


@pytest.mark.parametrize(
    ("at", "value", "error"),
    [
        (0, 0, CorruptError),  # magic
        (2, 0, CorruptError),  # version
        (2, 2, UnsupportedVersionError),
        (3, 0, CorruptError),  # kind
        (3, 4, CorruptError),
        (5, 0, CorruptError),  # device_len
        (5, 200, TruncatedError),
        (6, ord("."), CorruptError),  # device
        (7, ord("/"), CorruptError),
        (7, ord("+"), CorruptError),
        (7, 0xE4, CorruptError),
        (23, 0x80, CorruptError),  # number of 2^31
    ],
)
def test_a_wrong_field_is_named(at: int, value: int, error: type[FormatError]) -> None:
    with pytest.raises(error):
        unpack(with_byte(PACKED, at, value))


def test_a_message_has_a_greatest_length() -> None:
    data = PACKED + bytes(MAX_MESSAGE_LEN - len(PACKED))
    assert unpack(data).pack() == data
    with pytest.raises(CorruptError, match="at most"):
        unpack(data + b"\0")


@pytest.mark.parametrize(
    "change",
    [
        {"key_id": 256},
        {"key_id": -1},
        {"number": 1 << 31},
        {"session": SessionId(1 << 32, 0)},
        {"session": SessionId(1, -1)},
        {"table": b"short"},
        {"device": "../bed"},
    ],
)
def test_fields_out_of_range_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        replace(MESSAGE, **change)


def test_sessions_sort_as_their_bytes_and_names_do() -> None:
    rng = random.Random(1)
    sessions = [
        SessionId(rng.randrange(1 << 32), rng.randrange(300)) for _ in range(50)
    ]
    by_value = sorted(sessions)
    assert by_value == sorted(sessions, key=SessionId.pack) == sorted(sessions, key=str)
    assert [SessionId.unpack(s.pack()) for s in sessions] == sessions


@pytest.mark.parametrize("name", ["a", "bed-17", "A_b.c-9", "x" * 64, "-a", "con.toml"])
def test_device_ids(name: str) -> None:
    assert is_device_id(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".a", "a/b", "a+b", "#", "a b", "é", "a\n", "a\0", "x" * 65, "٣"],
)
def test_what_is_no_device_id(name: str) -> None:
    assert not is_device_id(name)
