# SPDX-License-Identifier: Apache-2.0
"""The codec that a command works with, loaded once a process."""

from __future__ import annotations

import functools
from typing import BinaryIO

from dynamic_deep.bundle import find_bundle
from dynamic_deep.codec import Codec
from dynamic_deep.container import NO_MODEL, ContainerReader, FileHeader

CLASSICAL = "classical"  # the codec without networks; it decodes files of no model


@functools.cache
def load_codec(bundle: str) -> Codec:
    """Return the codec of a bundle by its name or folder."""
    return Codec.load(bundle)


def read_header(stream: BinaryIO) -> FileHeader:
    """Return the header of a coded file and leave the stream at its beginning.

    Args:
        stream: The coded file, seekable.

    Raises:
        FormatError: If the header can't be read.
    """
    stream.seek(0)
    header = ContainerReader(stream).header
    stream.seek(0)
    return header


def codec_for(header: FileHeader, bundle: str | None) -> Codec:
    """Return the codec that decodes a file.

    Args:
        header: The file's header.
        bundle: The user's choice; None finds the bundle that the file names.

    Raises:
        ModelError: If the file names a bundle that is none of the shipped ones.
    """
    if bundle is not None:
        return load_codec(bundle)
    if header.model_id == NO_MODEL:
        return load_codec(CLASSICAL)
    return load_codec(find_bundle(header.model_id))
