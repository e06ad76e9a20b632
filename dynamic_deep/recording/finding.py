# SPDX-License-Identifier: Apache-2.0
"""Every recording below a folder.

A WFDB record counts once, by its header, and its segments do not count beside it. A
table (CSV, NPY, NPZ, MAT) counts when its beginning looks like a signal, so that the
label files that lie beside data sets are passed over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dynamic_deep.errors import DynamicDeepError, InvalidSignalError
from dynamic_deep.recording import text
from dynamic_deep.recording.wfdb_header import read_header_text, split_record_line


def find_recordings(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the recordings below a folder, sorted; hidden files are passed over.

    Args:
        folder: Where to look, at any depth.

    Returns:
        Paths that `open_recording` takes; WFDB records by their `.hea`.

    Raises:
        InvalidSignalError: If there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InvalidSignalError(
            f"A folder of recordings must exist, got none at {root}; check the path."
        )
    paths = sorted(_walk(root))
    segments: set[Path] = set()
    for path in paths:
        if path.suffix == ".hea":
            segments |= _segments_of(path)
    return [path for path in paths if path not in segments and _is_recording(path)]


def _walk(root: Path) -> Iterator[Path]:
    """Yield all files that are not hidden, through links too, each folder once."""
    seen: set[Path] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = Path(folder).resolve()
        if real in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _segments_of(header: Path) -> set[Path]:
    try:
        content = read_header_text(header)
        number, fields, _ = split_record_line(content)
    except DynamicDeepError:
        return set()
    if "/" not in fields.split()[0]:
        return set()
    lines = content.splitlines()[number + 1 :]
    names = [line.split()[0] for line in lines if line.strip()]
    return {header.with_name(f"{name}.hea") for name in names if name[0] not in "#~"}


def _is_recording(path: Path) -> bool:
    suffix = path.suffix.lower()
    try:
        if suffix == ".hea":
            fields = split_record_line(read_header_text(path))[1].split()
            return len(fields) > 1 and fields[1] != "0"
        if suffix in (".csv", ".tsv"):
            return bool(text.sniff(path).leads)
    except DynamicDeepError:
        return False
    if suffix == ".mat":
        return not path.with_suffix(".hea").is_file()
    if suffix == ".npy":
        return _is_signal_array(path)
    return suffix in (".edf", ".bdf", ".npz")


def _is_signal_array(path: Path) -> bool:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError):
        return False
    return array.ndim in (1, 2) and array.dtype.kind in "iuf"
