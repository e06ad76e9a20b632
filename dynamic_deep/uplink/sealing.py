# SPDX-License-Identifier: Apache-2.0
"""Seal the body of a message with AES-256-GCM, and open it.

Rules of the nonce: docs/uplink.md, section "Message". This file can't know whether a
nonce was used before: whoever seals takes each session and number once.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from dynamic_deep.errors import ConfigError, CorruptError
from dynamic_deep.uplink.message import MAX_MESSAGE_LEN, TAG_LEN, Message

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_LEN = 32


def seal(message: Message, body: bytes, key: bytes) -> Message:
    """Return the message with its body sealed.

    Args:
        message: its fields; `sealed` is ignored. Session and number must be new.
        body: what to seal.
        key: 32 bytes, the device's key `message.key_id`.

    Raises:
        ConfigError: If the body is too long, or `cryptography` is not installed.

    Example:
        >>> from dynamic_deep.uplink.message import Kind, SessionId
        >>> head = Message(kind=Kind.OPEN, key_id=1, device="bed-17",
        ...     session=SessionId(1, 0), number=0, table=bytes(8))
        >>> sealed = seal(head, b"body", bytes(32))
        >>> open_sealed(sealed, bytes(32))
        b'body'
    """
    associated = message.associated_data
    n_bytes = len(associated) + len(body) + TAG_LEN
    if n_bytes > MAX_MESSAGE_LEN:
        raise ConfigError(
            f"a message must have at most {MAX_MESSAGE_LEN} bytes, got {n_bytes}; send "
            "fewer leads in one recording"
        )
    cipher = cipher_of(key)
    return replace(message, sealed=cipher.encrypt(message.nonce, body, associated))


def open_sealed(message: Message, key: bytes) -> bytes:
    """Return the body of a message.

    Raises:
        CorruptError: If the message was not sealed with this key, or was changed.
        ConfigError: If `cryptography` is not installed.
    """
    from cryptography.exceptions import InvalidTag

    cipher, associated = cipher_of(key), message.associated_data
    try:
        return cipher.decrypt(message.nonce, message.sealed, associated)
    except InvalidTag:
        raise CorruptError(
            f"a message must verify with the key {message.key_id} of its device, and "
            f"number {message.number} of {message.device} does not; it was changed, or "
            "another key sealed it"
        ) from None


@functools.lru_cache(maxsize=4096)
def cipher_of(key: bytes) -> AESGCM:
    """Return the cipher of a key of 32 bytes.

    Raises:
        ConfigError: If the key has another length, or `cryptography` is missing.
    """
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise ConfigError(
            "sealed messages need the package cryptography, which is missing; install "
            "dynamic-deep[device] or dynamic-deep[cloud]"
        ) from error
    if len(key) != KEY_LEN:
        raise ConfigError(f"a key must have {KEY_LEN} bytes, got {len(key)}")
    return AESGCM(key)
