# SPDX-License-Identifier: Apache-2.0
"""The file header as a whole: magic, version, length and checksum around the body.

Layout: docs/format.md, section "Header". Nothing of the body is looked at before the
checksum has been found right.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

from dynamic_deep.byte_source import ByteSource
from dynamic_deep.container_header import FileHeader
from dynamic_deep.errors import (
    ConfigError,
    CorruptError,
    TruncatedError,
    UnsupportedVersionError,
)
from dynamic_deep.field_coding import pack_varint, unpack_varint
from dynamic_deep.header_coding import pack_body, unpack_body

MAGIC = b"\xddddc"
VERSION = 1
MAX_BODY_LEN = 1 << 18
CRC_LEN = 4


class OpenedHeader(NamedTuple):
    """A header and what the rest of its file needs of it.

    Attributes:
        header: what it says.
        seed: its CRC-32, from which the checksums of the file go on.
        end: offset of the first byte after it.
    """

    header: FileHeader
    seed: int
    end: int


def pack_header(header: FileHeader) -> tuple[bytes, int]:
    """Return the bytes of a header, and the seed for what follows."""
    body = pack_body(header)
    if len(body) > MAX_BODY_LEN:
        raise ConfigError(
            f"a header must have at most {MAX_BODY_LEN} bytes, got {len(body)}; "
            "shorten the names of the leads"
        )
    data = MAGIC + bytes([VERSION]) + pack_varint(len(body)) + body
    seed = zlib.crc32(data)
    return data + seed.to_bytes(CRC_LEN, "little"), seed


def read_header(source: ByteSource) -> OpenedHeader:
    """Read the header at the start of a file.

    Raises:
        TruncatedError: If the bytes end inside it.
        CorruptError: If it is no `.ddc` file, or the header is damaged.
        UnsupportedVersionError: If a newer format is named.
    """
    fixed_len = len(MAGIC) + 1
    start = source.peek(0, fixed_len)
    if start[: len(MAGIC)] != MAGIC[: len(start)]:
        raise CorruptError(
            f"a .ddc file must begin with {MAGIC.hex()}, got {start[:4].hex()}; it is "
            "another kind of file, or damaged"
        )
    if len(start) < fixed_len:
        raise TruncatedError(
            f"a .ddc file must begin with a header, got {len(start)} bytes in all; "
            "fetch the file again"
        )
    _check_version(start[len(MAGIC)])
    body_len, body_start = unpack_varint(source.peek(0, fixed_len + 9), fixed_len)
    if body_len > MAX_BODY_LEN:
        raise CorruptError(
            f"a header must have at most {MAX_BODY_LEN} bytes, got {body_len}; the "
            "file is damaged"
        )
    body_end = body_start + body_len
    data = source.peek(0, body_end + CRC_LEN)
    if len(data) < body_end + CRC_LEN:
        raise TruncatedError(
            f"a header of {body_end + CRC_LEN} bytes must be whole, got {len(data)}; "
            "fetch the file again"
        )
    seed = zlib.crc32(data[:body_end])
    if seed != int.from_bytes(data[body_end:], "little"):
        raise CorruptError(
            "the checksum of the header must match, and does not; nothing can be "
            "decoded without it, fetch the file again"
        )
    header = unpack_body(data[body_start:body_end])
    return OpenedHeader(header, seed, body_end + CRC_LEN)


def _check_version(version: int) -> None:
    if version > VERSION:
        raise UnsupportedVersionError(
            f"the format version must be at most {VERSION}, got {version}; install a "
            "newer dynamic-deep"
        )
    if version < 1:
        raise CorruptError("the format version must be at least 1; the file is damaged")
