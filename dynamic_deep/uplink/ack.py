# SPDX-License-Identifier: Apache-2.0
"""The receiver's word that messages are durable, to bytes and back.

Layout: docs/uplink.md, section "Acknowledgement".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from dynamic_deep.errors import CorruptError, UnsupportedVersionError
from dynamic_deep.uplink.message import MAX_NUMBER, TAG_LEN, SessionId
from dynamic_deep.uplink.sealing import cipher_of

VERSION = 1
_MAGIC = b"\xdda"
_FIELDS = struct.Struct("<2sBB8sI")
_ACK_BIT = 1 << 31
ACK_LEN = _FIELDS.size + TAG_LEN


@dataclass(frozen=True, kw_only=True, slots=True)
class Ack:
    """All messages of a session up to `number` are durable.

    Attributes:
        device: device id; not sent, the topic tells it.
        key_id: the key that sealed the session.
        session: the session.
        number: the last message of which this is said.
    """

    device: str
    key_id: int
    session: SessionId
    number: int

    @property
    def _fields(self) -> bytes:
        session = self.session.pack()
        return _FIELDS.pack(_MAGIC, VERSION, self.key_id, session, self.number)

    @property
    def _nonce(self) -> bytes:
        return self.session.pack() + struct.pack("<I", self.number | _ACK_BIT)


def seal_ack(ack: Ack, key: bytes) -> bytes:
    """Return the bytes of an acknowledgement.

    Example:
        >>> ack = Ack(device="bed-17", key_id=1, session=SessionId(1, 0), number=4)
        >>> data = seal_ack(ack, bytes(32))
        >>> read_ack(data, "bed-17") == ack, verifies(data, ack, bytes(32))
        (True, True)
    """
    fields = ack._fields
    associated = fields + ack.device.encode("ascii")
    return fields + cipher_of(key).encrypt(ack._nonce, b"", associated)


def read_ack(data: bytes, device: str) -> Ack:
    """Return what the bytes claim; see `verifies`.

    Raises:
        CorruptError: If they are no acknowledgement.
        UnsupportedVersionError: If a newer format wrote them.
    """
    if len(data) != ACK_LEN or data[:2] != _MAGIC:
        raise CorruptError(
            f"an acknowledgement must have {ACK_LEN} bytes and begin with "
            f"{_MAGIC.hex()}, got {len(data)} that begin with {data[:2].hex()}"
        )
    _, version, key_id, session, number = _FIELDS.unpack_from(data)
    if version > VERSION:
        raise UnsupportedVersionError(
            f"the version of an acknowledgement must be at most {VERSION}, got "
            f"{version}; install a newer dynamic-deep"
        )
    if version < 1 or number > MAX_NUMBER:
        raise CorruptError(
            "version and number of an acknowledgement must lie within docs/uplink.md, "
            f"got {version} and {number}"
        )
    session_id = SessionId.unpack(session)
    return Ack(device=device, key_id=key_id, session=session_id, number=number)


def verifies(data: bytes, ack: Ack, key: bytes) -> bool:
    """Tell whether the holder of `key` wrote the bytes from which `ack` was read."""
    from cryptography.exceptions import InvalidTag

    associated = data[: _FIELDS.size] + ack.device.encode("ascii")
    try:
        cipher_of(key).decrypt(ack._nonce, data[_FIELDS.size :], associated)
    except InvalidTag:
        return False
    return True
