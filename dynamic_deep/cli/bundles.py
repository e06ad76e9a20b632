# SPDX-License-Identifier: Apache-2.0
"""The codec that a command works with, loaded once a process."""

from __future__ import annotations

import functools

from dynamic_deep.codec import Codec
from dynamic_deep.container import FileHeader


@functools.cache
def load_codec(bundle: str, precision: str = "float") -> Codec:
    """Return the codec of a bundle by its name or folder, encoding in a precision."""
    return Codec.load(bundle, precision=precision)


def codec_for(header: FileHeader, bundle: str | None) -> Codec:
    """Return the codec that decodes a file.

    Args:
        header: The file's header.
        bundle: The user's choice; None finds the bundle that the file names.

    Raises:
        ModelError: If the file names a bundle that is none of the shipped ones.
    """
    return _codec_of(header.model_id) if bundle is None else load_codec(bundle)


@functools.cache
def _codec_of(model_id: bytes) -> Codec:
    return Codec.for_model(model_id)
