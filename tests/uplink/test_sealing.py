# SPDX-License-Identifier: Apache-2.0
"""`uplink/sealing.py`, `uplink/ack.py`: no bit can change, no nonce serves two."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dynamic_deep.errors import (
    ConfigError,
    CorruptError,
    FormatError,
    UnsupportedVersionError,
)
from dynamic_deep.uplink.ack import ACK_LEN, Ack, read_ack, seal_ack, verifies
from dynamic_deep.uplink.message import MAX_MESSAGE_LEN, SessionId, unpack
from dynamic_deep.uplink.sealing import open_sealed, seal
from tests.helpers import bit_flips, with_byte
from tests.uplink.test_message import MESSAGE

KEY = bytes(range(32))
ACK = Ack(device="bed-17", key_id=7, session=SessionId(3, 258), number=0x01020304)


def test_a_seal_is_plain_aes_gcm_as_the_document_says() -> None:
    data = seal(MESSAGE, b"body", KEY).pack()
    nonce = bytes.fromhex("000000030000010204030201")
    assert AESGCM(KEY).decrypt(nonce, data[32:], data[:32]) == b"body"


def test_a_message_costs_42_bytes_and_its_device() -> None:
    data = seal(MESSAGE, b"body", KEY).pack()
    assert len(data) == 42 + len("bed-17") + len(b"body")


def test_what_is_sealed_comes_out() -> None:
    for body in (b"", b"x", bytes(5000)):
        sealed = unpack(seal(MESSAGE, body, KEY).pack())
        assert open_sealed(sealed, KEY) == body


def test_no_bit_of_a_message_can_be_changed() -> None:
    data = seal(MESSAGE, b"body", KEY).pack()
    for _, changed in bit_flips(data, range(len(data))):
        with pytest.raises(FormatError):
            open_sealed(unpack(changed), KEY)


def test_another_key_does_not_open() -> None:
    with pytest.raises(CorruptError, match="verify"):
        open_sealed(seal(MESSAGE, b"body", KEY), bytes(32))


def test_a_tag_does_not_move_to_another_place() -> None:
    sealed = seal(MESSAGE, b"body", KEY)
    for change in (
        {"device": "bed-18"},
        {"number": 5},
        {"session": SessionId(3, 259)},
        {"key_id": 8},
        {"table": bytes(8)},
    ):
        with pytest.raises(CorruptError):
            open_sealed(replace(sealed, **change), KEY)


def test_limits_of_key_and_body() -> None:
    with pytest.raises(ConfigError, match="32 bytes"):
        seal(MESSAGE, b"", bytes(16))
    with pytest.raises(ConfigError, match="at most"):
        seal(MESSAGE, bytes(MAX_MESSAGE_LEN - 40), KEY)


def test_an_acknowledgement_is_plain_aes_gcm_too() -> None:
    data = seal_ack(ACK, KEY)
    fields = bytes.fromhex("dd61 01 07 00000003 00000102 04030201")
    nonce = bytes.fromhex("000000030000010204030281")
    assert data == fields + AESGCM(KEY).encrypt(nonce, b"", fields + b"bed-17")
    assert len(data) == ACK_LEN == 32
    assert read_ack(data, "bed-17") == ACK
    assert verifies(data, ACK, KEY)


def test_no_nonce_serves_a_message_and_an_acknowledgement() -> None:
    assert MESSAGE.nonce != ACK._nonce
    assert MESSAGE.nonce[:8] == ACK._nonce[:8]
    assert MESSAGE.nonce[-1] < 0x80 <= ACK._nonce[-1]


def test_no_bit_of_an_acknowledgement_can_be_changed() -> None:
    data = seal_ack(ACK, KEY)
    for at, changed in bit_flips(data, range(len(data))):
        try:
            ack = read_ack(changed, "bed-17")
        except FormatError:
            continue
        assert not verifies(changed, ack, KEY), at


def test_an_acknowledgement_is_for_its_device_and_key() -> None:
    data = seal_ack(ACK, KEY)
    assert not verifies(data, read_ack(data, "bed-18"), KEY)
    assert not verifies(data, ACK, bytes(32))


def test_hostile_acknowledgements() -> None:
    data = seal_ack(ACK, KEY)
    for length in (*range(len(data)), len(data) + 1):
        with pytest.raises(CorruptError):
            read_ack((data + b"\0")[:length], "bed-17")
    with pytest.raises(UnsupportedVersionError):
        read_ack(with_byte(data, 2, 2), "bed-17")
    with pytest.raises(CorruptError):
        read_ack(with_byte(data, 15, 0x80), "bed-17")
