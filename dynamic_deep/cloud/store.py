# SPDX-License-Identifier: Apache-2.0
"""A store of named objects: one interface over a folder and over Google Cloud Storage.

The door to it: what a store promises stands in `store_base.py`, the layout of the
objects in `objects.py`.
"""

from __future__ import annotations

import os
import re

from dynamic_deep.cloud.folder_store import FolderStore
from dynamic_deep.cloud.gcs_store import GcsStore
from dynamic_deep.cloud.store_base import (
    ABSENT,
    Store,
    StoreConflictError,
    StoredObject,
    StoreError,
    StoreMissingError,
    check_name,
)
from dynamic_deep.errors import ConfigError

__all__ = [
    "ABSENT",
    "Store",
    "StoreConflictError",
    "StoreError",
    "StoreMissingError",
    "StoredObject",
    "check_name",
    "open_store",
]

_GCS = "gs://"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def open_store(url: str | os.PathLike[str]) -> Store:
    """Open a store.

    Args:
        url: a folder, made when the first object is put, or gs://BUCKET/PREFIX.

    Raises:
        ConfigError: If it is neither, or the extra `cloud` is not installed.
    """
    text = os.fspath(url)
    if text.startswith(_GCS):
        return GcsStore(text)
    if _SCHEME.match(text) or not text:
        raise ConfigError(
            f"a store must be a folder or gs://BUCKET/PREFIX, got {text!r}; give one"
        )
    return FolderStore(text)
