# SPDX-License-Identifier: Apache-2.0
"""The codec that a command works with, loaded once a process."""

from __future__ import annotations

import functools
from typing import BinaryIO

from dynamic_deep.bundle import find_bundle
from dynamic_deep.codec import Codec
from dynamic_deep.container import ContainerReader

CLASSICAL = "classical"  # the codec without networks; it decodes files of no model


@functools.cache
def load_codec(bundle: str) -> Codec:
    """Return the codec of a bundle by its name or folder."""
    return Codec.load(bundle)


def codec_for(stream: BinaryIO, bundle: str | None) -> Codec:
    """Return the codec that decodes a file.

    Args:
        stream: The coded file, seekable and at its beginning; it is left there.
        bundle: The user's choice; None finds the bundle that the file names.

    Raises:
        ModelError: If the file names a bundle that is none of the shipped ones.
        FormatError: If the file's header can't be read.
    """
    stream.seek(0)
    model_id = ContainerReader(stream).header.model_id
    stream.seek(0)
    if bundle is not None:
        return load_codec(bundle)
    if not any(model_id):
        return load_codec(CLASSICAL)
    return load_codec(find_bundle(model_id))
