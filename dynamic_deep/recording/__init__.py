# SPDX-License-Identifier: Apache-2.0
"""Recordings in and out: one door for WFDB, EDF, CSV, MAT, NPY and NPZ files.

Which format a file has follows from its suffix; a path without one is a WFDB record.
The libraries behind the formats load when a file is opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dynamic_deep.errors import ConfigError, InvalidSignalError
from dynamic_deep.recording import (
    edf,
    edf_write,
    mat,
    numpy_io,
    text,
    text_write,
    wfdb_io,
    wfdb_write,
)
from dynamic_deep.recording.base import (
    UNKNOWN_DATE,
    FloatArray,
    IntArray,
    Recording,
    RecordingInfo,
    check_samples,
    mv_per_unit,
    with_samples,
)
from dynamic_deep.recording.finding import find_recordings
from dynamic_deep.recording.streams import (
    READ_BLOCK_LEN,
    PendingFile,
    RecordingReader,
    RecordingWriter,
)

__all__ = [
    "FORMATS",
    "UNKNOWN_DATE",
    "FloatArray",
    "IntArray",
    "PendingFile",
    "Recording",
    "RecordingInfo",
    "RecordingReader",
    "RecordingWriter",
    "check_samples",
    "create_recording",
    "find_recordings",
    "mv_per_unit",
    "open_recording",
    "read_recording",
    "with_samples",
    "write_recording",
]

StrPath = str | os.PathLike[str]

_FORMAT_OF_SUFFIX = {
    "": "wfdb",
    ".hea": "wfdb",
    ".dat": "wfdb",
    ".edf": "edf",
    ".bdf": "edf",
    ".csv": "csv",
    ".tsv": "csv",
    ".mat": "mat",
    ".npy": "npy",
    ".npz": "npz",
}


def _create_mat4(path: Path, info: RecordingInfo) -> RecordingWriter:
    return wfdb_write.WfdbWriter(path, info, as_mat=True)


_TABLES: dict[str, Callable[..., RecordingReader]] = {
    "csv": text.open_text,
    "mat": mat.open_mat,
    "npy": numpy_io.open_npy,
    "npz": numpy_io.open_npz,
}
_WRITERS: dict[str, Callable[[Path, RecordingInfo], RecordingWriter]] = {
    "wfdb": wfdb_write.WfdbWriter,
    "edf": edf_write.EdfWriter,
    "csv": text_write.TextWriter,
    "mat": _create_mat4,
    "mat5": mat.Mat5Writer,
    "npy": numpy_io.NpyWriter,
    "npz": numpy_io.NpzWriter,
}
FORMATS = tuple(_WRITERS)


def open_recording(path: StrPath, **options: Any) -> RecordingReader:
    """Open a recording to read it block by block.

    Args:
        path: A file, or a WFDB record with or without `.hea`.
        **options: For CSV, TSV, NPY, NPZ and MAT without a header: `fs`, `adc_gain`,
            `adc_baseline`, `units`, `lead_names`; one value stands for all leads.

    Raises:
        InvalidSignalError: If the file is missing or holds no usable signal.
        FormatError: If its bytes can't be read.
        ConfigError: If the suffix or an option is unknown.
    """
    path = Path(path)
    kind = _format_of(path)
    if kind == "mat" and path.is_file() and mat.is_wfdb(path):
        kind = "wfdb"
    if kind == "wfdb":
        _refuse_options(kind, options)
        return wfdb_io.WfdbReader(path)
    _check_file(path)
    if kind == "edf":
        _refuse_options(kind, options)
        return edf.EdfReader(path)
    return _TABLES[kind](path, **options)


def read_recording(path: StrPath, **options: Any) -> Recording:
    """Return a whole recording; see `open_recording`."""
    with open_recording(path, **options) as reader:
        return reader.read()


def create_recording(
    path: StrPath, info: RecordingInfo, fmt: str | None = None
) -> RecordingWriter:
    """Open a new recording to write it block by block.

    Args:
        path: Where to write. An existing file is replaced when the new one is whole.
        info: Everything but the samples. NPY keeps none of it; EDF needs short ASCII
            names and at most 24 bit; the others keep all.
        fmt: One of `FORMATS`; without it the suffix decides. `mat` is MAT v4 with a
            WFDB header beside it, as CinC 2017 has it, `mat5` stands alone.

    Raises:
        ConfigError: If the suffix, the format or the folder is unknown, or the format
            can't hold `info`.
    """
    path = Path(path)
    kind = fmt or _format_of(path)
    if kind not in _WRITERS:
        raise ConfigError(
            f"A format must be one of {', '.join(FORMATS)}, got {kind!r}; choose one."
        )
    return _WRITERS[kind](path, info)


def write_recording(
    path: StrPath, recording: Recording, fmt: str | None = None
) -> None:
    """Write a whole recording; see `create_recording`."""
    with create_recording(path, recording.info, fmt) as writer:
        for start in range(0, recording.n_samples, READ_BLOCK_LEN):
            writer.write(recording.samples[start : start + READ_BLOCK_LEN])


def _format_of(path: Path) -> str:
    kind = _FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if kind is None and path.with_name(path.name + ".hea").is_file():
        return "wfdb"  # a record whose name has a dot
    if kind is None:
        raise ConfigError(
            "A recording's suffix must be one of "
            f"{', '.join(s for s in _FORMAT_OF_SUFFIX if s)} (none: WFDB), got "
            f"{path.suffix!r}; convert or rename {path.name}."
        )
    return kind


def _check_file(path: Path) -> None:
    if not path.is_file() or not path.stat().st_size:
        state = "an empty one" if path.is_file() else "none"
        raise InvalidSignalError(
            f"A recording must be a file with content, got {state} at {path}; check "
            "the path."
        )


def _refuse_options(kind: str, options: dict[str, Any]) -> None:
    if options:
        raise ConfigError(
            f"A file of format {kind} describes itself, got {', '.join(options)}; "
            "leave the option out."
        )
