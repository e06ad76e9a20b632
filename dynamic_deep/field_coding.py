# SPDX-License-Identifier: Apache-2.0
"""Integers, numbers and texts of the container, to bytes and back.

Layout: docs/format.md, section "Conventions".
"""

from __future__ import annotations

import math
import struct

from dynamic_deep.errors import ConfigError, CorruptError, TruncatedError

MAX_TEXT_LEN = 255
MAX_VARINT = (1 << 63) - 1

_I64 = struct.Struct("<q")
_F64 = struct.Struct("<d")
_MAX_WHOLE = 1 << 48
_FLOAT_FOLLOWS = 1
_MAX_VARINT_LEN = 9


def pack_varint(value: int) -> bytes:
    """Return a non-negative integer below 2^63, 7 bits a byte, lowest first.

    Example:
        >>> pack_varint(300).hex()
        'ac02'
    """
    if not 0 <= value < 1 << 63:
        raise ConfigError(
            f"a stored integer must be from 0 to 2^63 - 1, got {value}; the recording "
            "is too long or its header is wrong"
        )
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def unpack_varint(data: bytes, pos: int) -> tuple[int, int]:
    """Return the integer at `pos` and the position after it.

    Raises:
        TruncatedError: If the bytes end inside it.
        CorruptError: If it is longer than 9 bytes or not in its shortest form.

    Example:
        >>> unpack_varint(bytes.fromhex("ac02"), 0)
        (300, 2)
    """
    value = 0
    for n_read, byte in enumerate(data[pos : pos + _MAX_VARINT_LEN]):
        value |= (byte & 0x7F) << 7 * n_read
        if byte > 0x7F:
            continue
        if byte == 0 and n_read > 0:
            break
        return value, pos + n_read + 1
    else:
        if len(data) < pos + _MAX_VARINT_LEN:
            raise TruncatedError(
                f"an integer must end within the bytes, got none at byte {pos}; the "
                "file is cut"
            )
    raise CorruptError(
        f"an integer must have its shortest form of at most {_MAX_VARINT_LEN} bytes, "
        f"got {data[pos : pos + _MAX_VARINT_LEN].hex()}; the file is damaged"
    )


class FieldWriter:
    """Collects fields and gives back bytes."""

    def __init__(self) -> None:
        """Start empty."""
        self._out = bytearray()

    def data(self) -> bytes:
        """Return the bytes so far."""
        return bytes(self._out)

    def raw(self, data: bytes) -> None:
        """Append bytes as they are."""
        self._out += data

    def u8(self, value: int) -> None:
        """Append one byte."""
        self._out.append(value)

    def varint(self, value: int) -> None:
        """Append a non-negative integer."""
        self._out += pack_varint(value)

    def svarint(self, value: int) -> None:
        """Append an integer of either sign."""
        self.varint(2 * value if value >= 0 else -2 * value - 1)

    def i64(self, value: int) -> None:
        """Append an integer of 8 bytes."""
        self._out += _I64.pack(value)

    def number(self, value: float) -> None:
        """Append a real number, short if it is a non-negative integer."""
        if 0 <= value < _MAX_WHOLE and value == int(value):
            self.varint(2 * int(value))
        else:
            self.varint(_FLOAT_FOLLOWS)
            self._out += _F64.pack(value)

    def text(self, value: str, *, default: str) -> None:
        """Append a string, or one byte if it is the default."""
        if value == default:
            self.varint(0)
            return
        data = value.encode("utf-8", "replace")
        if len(data) > MAX_TEXT_LEN:
            raise ConfigError(
                f"a name must have at most {MAX_TEXT_LEN} bytes of UTF-8, got "
                f"{len(data)}; shorten {value[:40]!r}"
            )
        self.varint(len(data) + 1)
        self._out += data


class FieldReader:
    """Reads fields from bytes that may be hostile.

    Every method raises `TruncatedError` if the bytes end inside the field, and
    `CorruptError` if the field is wrong.
    """

    def __init__(self, data: bytes) -> None:
        """Start at the first byte."""
        self._data = data
        self._pos = 0

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self._pos == len(self._data)

    def raw(self, n_bytes: int) -> bytes:
        """Return the next bytes."""
        stop = self._pos + n_bytes
        if stop > len(self._data):
            raise TruncatedError(
                f"a header must hold all of its fields, got {len(self._data)} bytes "
                f"where {stop} are needed; the file is damaged"
            )
        data = self._data[self._pos : stop]
        self._pos = stop
        return data

    def u8(self) -> int:
        """Return one byte."""
        return self.raw(1)[0]

    def varint(self, limit: int = MAX_VARINT) -> int:
        """Return a non-negative integer, at most `limit`."""
        value, self._pos = unpack_varint(self._data, self._pos)
        if value > limit:
            raise CorruptError(
                f"a number in the header must be at most {limit}, got {value}; the "
                "file is damaged"
            )
        return value

    def svarint(self) -> int:
        """Return an integer of either sign."""
        value = self.varint()
        return -(value + 1) // 2 if value & 1 else value // 2

    def i64(self) -> int:
        """Return an integer of 8 bytes."""
        return int(_I64.unpack(self.raw(_I64.size))[0])

    def number(self) -> float:
        """Return a real number that is finite."""
        coded = self.varint(2 * _MAX_WHOLE - 1)
        if not coded & 1:
            return coded / 2
        value = float(_F64.unpack(self.raw(_F64.size))[0])
        if coded != _FLOAT_FOLLOWS or not math.isfinite(value):
            raise CorruptError(
                f"a number in the header must be finite, got {value} with the code "
                f"{coded}; the file is damaged"
            )
        return value

    def text(self, *, default: str) -> str:
        """Return a string."""
        coded = self.varint(MAX_TEXT_LEN + 1)
        if not coded:
            return default
        data = self.raw(coded - 1)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise CorruptError(
                f"a name must be UTF-8, got {data[:40]!r}; the file is damaged"
            ) from error
