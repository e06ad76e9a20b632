# SPDX-License-Identifier: Apache-2.0
"""One message of a device, to bytes and back; what is sealed in it is not looked at.

Layout: docs/uplink.md, section "Message".
"""

from __future__ import annotations

import enum
import re
import struct
from dataclasses import dataclass
from typing import NamedTuple, Self

from dynamic_deep.errors import (
    ConfigError,
    CorruptError,
    TruncatedError,
    UnsupportedVersionError,
)

VERSION = 1
TAG_LEN = 16  # of AES-256-GCM
TABLE_LEN = 8
MAX_KEY_ID = 255
MAX_NUMBER = (1 << 31) - 1
MAX_DEVICE_LEN = 64
MAX_MESSAGE_LEN = 1 << 22  # bytes; a window of 255 leads at 300 Hz has some 4 MB

_MAGIC = b"\xddu"
_START = struct.Struct("<2sBBBB")  # magic, version, kind, key_id, device_len
_SESSION = struct.Struct(">II")
_END = struct.Struct(f"<8sI{TABLE_LEN}s")  # session, number, table
_DEVICE = re.compile(rf"[A-Za-z0-9_-][A-Za-z0-9._-]{{0,{MAX_DEVICE_LEN - 1}}}")


class Kind(enum.IntEnum):
    """What a message holds: the header, frames, or the last frames and the end."""

    OPEN = 1
    FRAMES = 2
    CLOSE = 3


class SessionId(NamedTuple):
    """Names a session of a device; later sessions compare greater.

    Attributes:
        boot: boot counter of the device, below 2^32; 0 stands for no session.
        counter: sessions of this boot before this one, below 2^32.

    Example:
        >>> str(SessionId(3, 1)), SessionId.unpack(SessionId(3, 1).pack()).boot
        ('00000003-00000001', 3)
    """

    boot: int
    counter: int

    def pack(self) -> bytes:
        """Return the 8 bytes that stand in messages; they sort as sessions do."""
        return _SESSION.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the session that 8 bytes name."""
        return cls(*_SESSION.unpack(data))

    def __str__(self) -> str:
        """Return both counters in hex, of one length, fit for the name of a file."""
        return f"{self.boot:08x}-{self.counter:08x}"


NO_SESSION = SessionId(0, 0)


def is_device_id(text: str) -> bool:
    """Tell whether a text can name a device; such a name is safe in paths and topics.

    Example:
        >>> is_device_id("bed-17"), is_device_id("../bed"), is_device_id("")
        (True, False, False)
    """
    return _DEVICE.fullmatch(text) is not None


def check_device_id(text: str) -> str:
    """Return a device id.

    Raises:
        ConfigError: If the text can't be one.
    """
    if not is_device_id(text):
        raise ConfigError(
            f"a device id must be 1 to {MAX_DEVICE_LEN} of letters, digits, '.', '_' "
            f"and '-', not beginning with '.', got {text[:80]!r}; rename the device"
        )
    return text


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A sealed message.

    Attributes:
        kind: what it holds.
        key_id: which of the device's keys seals it, 0 to 255.
        device: device id.
        session: session that it belongs to.
        number: place in the session, from 0, below 2^31.
        table: first 8 bytes of SHA-256 over the session's header.
        sealed: the body, encrypted, with its tag; empty before it is sealed.

    Raises:
        ConfigError: If a field is out of range.
    """

    kind: Kind
    key_id: int
    device: str
    session: SessionId
    number: int
    table: bytes
    sealed: bytes = b""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_device_id(self.device)
        if (
            not 0 <= self.key_id <= MAX_KEY_ID
            or not 0 <= self.number <= MAX_NUMBER
            or not all(0 <= part < 1 << 32 for part in self.session)
            or len(self.table) != TABLE_LEN
        ):
            raise ConfigError(
                "the fields of a message must lie within docs/uplink.md, got key_id "
                f"{self.key_id}, session {tuple(self.session)}, number {self.number}, "
                f"table of {len(self.table)} bytes; begin a new session"
            )

    @property
    def associated_data(self) -> bytes:
        """Everything before `sealed`: sent in clear, and authenticated."""
        device = self.device.encode("ascii")
        start = _START.pack(_MAGIC, VERSION, self.kind, self.key_id, len(device))
        end = _END.pack(self.session.pack(), self.number, self.table)
        return start + device + end

    @property
    def nonce(self) -> bytes:
        """The 12 bytes that no other message under the key has."""
        return self.session.pack() + struct.pack("<I", self.number)

    def pack(self) -> bytes:
        """Return the bytes that are sent."""
        return self.associated_data + self.sealed


def unpack(data: bytes) -> Message:
    """Return the message that the bytes are; nothing of it is verified yet.

    Raises:
        TruncatedError: If they end too soon.
        CorruptError: If a field is wrong, or they are too many.
        UnsupportedVersionError: If a newer format wrote them.
    """
    if len(data) > MAX_MESSAGE_LEN:
        raise CorruptError(
            f"a message must have at most {MAX_MESSAGE_LEN} bytes, got {len(data)}; "
            "send fewer windows in one"
        )
    if data[:2] != _MAGIC[: len(data)]:
        raise CorruptError(
            f"a message must begin with {_MAGIC.hex()}, got {data[:2].hex()}; it is "
            "something else, or damaged"
        )
    _check_length(data, _START.size)
    _, version, kind, key_id, device_len = _START.unpack_from(data)
    if version > VERSION:
        raise UnsupportedVersionError(
            f"the version of a message must be at most {VERSION}, got {version}; "
            "install a newer dynamic-deep"
        )
    end = _START.size + device_len
    _check_length(data, end + _END.size + TAG_LEN)
    session, number, table = _END.unpack_from(data, end)
    device = data[_START.size : end].decode("latin-1")
    if version < 1 or kind not in list(Kind) or number > MAX_NUMBER:
        raise CorruptError(
            f"version, kind and number must lie within docs/uplink.md, got {version}, "
            f"{kind} and {number}; the message is damaged"
        )
    if not is_device_id(device):
        raise CorruptError(f"a message must name a device, got {device[:80]!r}")
    return Message(
        kind=Kind(kind),
        key_id=key_id,
        device=device,
        session=SessionId.unpack(session),
        number=number,
        table=table,
        sealed=data[end + _END.size :],
    )


def _check_length(data: bytes, n_bytes: int) -> None:
    if len(data) < n_bytes:
        raise TruncatedError(
            f"a message must be whole, got {len(data)} bytes where {n_bytes} at least "
            "are due; send it again"
        )
