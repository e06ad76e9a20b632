# SPDX-License-Identifier: Apache-2.0
"""What took long to measure is kept in a folder, and made again when its key changes.

So a run that was stopped goes on where it was, and a second run takes seconds. A key
holds everything that decides the arrays: it is for the caller to name it all.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]

# Raise it when what is measured changes meaning though no key does.
VERSION = 1
VARIABLE = "DYNAMIC_DEEP_KEPT"
DEFAULT_FOLDER = Path("runs") / "experiments"


def kept_folder() -> Path:
    """Return the folder: that of DYNAMIC_DEEP_KEPT, or runs/experiments."""
    return Path(os.environ.get(VARIABLE, DEFAULT_FOLDER))


def kept_path(name: str, key: Mapping[str, Any]) -> Path:
    """Return where arrays of a key are kept; `name` is for the reader of the folder."""
    text = json.dumps({"version": VERSION, **key}, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    plain = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    return kept_folder() / f"{plain}-{digest}.npz"


def is_kept(name: str, key: Mapping[str, Any]) -> bool:
    """Tell whether arrays of a key are there."""
    return kept_path(name, key).is_file()


def keep(name: str, key: Mapping[str, Any], make: Callable[[], Arrays]) -> Arrays:
    """Return arrays, from the folder or made and put there.

    Args:
        name: what they are.
        key: plain values that decide them.
        make: measures them; no objects among the arrays.
    """
    path = kept_path(name, key)
    try:
        with np.load(path, allow_pickle=False) as found:
            return dict(found)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError):
        arrays = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as stream:
            np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return arrays
