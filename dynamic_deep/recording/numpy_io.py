# SPDX-License-Identifier: Apache-2.0
"""NPY and NPZ in and out; never a pickle.

An NPZ file of ours holds `samples`, and `recording` with the description as JSON. An
NPY file holds the samples alone: fs, gain, baseline, units, names and start time do
not survive in it and have to be given again.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from dynamic_deep.errors import CorruptError
from dynamic_deep.recording.base import IntArray, RecordingInfo
from dynamic_deep.recording.streams import PendingFile, RecordingWriter
from dynamic_deep.recording.table import (
    Table,
    TableReader,
    check_options,
    info_from_json,
    info_to_json,
)

SAMPLES_KEY = "samples"
INFO_KEY = "recording"


def open_npy(path: Path, **options: Any) -> TableReader:
    """Open an NPY file; it is mapped, not loaded."""
    check_options(options)
    array = _load(path)
    return TableReader(
        lambda block_len: _cut(array, block_len),
        stated={"name": path.stem},
        options=options,
    )


def open_npz(path: Path, **options: Any) -> TableReader:
    """Open an NPZ file: ours, or one with a single array and perhaps `fs`."""
    check_options(options)
    with path.open("rb") as stream, _load(path, stream) as archive:
        stated = _read_stated(path, archive)
        spare = {INFO_KEY, "fs", *stated}
        keys = [key for key in archive.files if key not in spare]
        key = SAMPLES_KEY if SAMPLES_KEY in keys else (keys[0] if keys else "")
        if not key or (key != SAMPLES_KEY and len(keys) > 1):
            raise CorruptError(
                f"An NPZ recording must hold an array named {SAMPLES_KEY!r}, got "
                f"{', '.join(archive.files) or 'none'} in {path}; rename it."
            )
        array = _take(path, archive, key)
    stated["name"] = path.stem
    return TableReader(
        lambda block_len: _cut(array, block_len), stated=stated, options=options
    )


class NpyWriter(RecordingWriter):
    """Write the samples, and nothing else, as an NPY file."""

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        """Open the file and keep room for its header."""
        super().__init__(info)
        self._file = PendingFile(path)
        self._write_header()

    def _write_header(self) -> None:
        # numpy pads the header so that the first axis may grow to any length.
        header = {
            "descr": np.lib.format.dtype_to_descr(self.info.dtype),
            "fortran_order": False,
            "shape": (self.n_samples, self.info.n_leads),
        }
        self._file.stream.seek(0)
        np.lib.format.write_array_header_1_0(self._file.stream, header)

    def _append(self, samples: IntArray) -> None:
        self._file.stream.write(samples.tobytes())

    def _finish(self) -> None:
        self._write_header()
        self._file.commit()

    def _discard(self) -> None:
        self._file.discard()


class NpzWriter(NpyWriter):
    """Write samples and description as an NPZ file."""

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        """Open the archive, and the table of samples beside it."""
        super().__init__(path, info)
        self._path = path

    def _finish(self) -> None:
        self._write_header()
        self._file.stream.flush()
        archive = PendingFile(self._path)
        try:
            self._fill(archive.stream)
            archive.commit()
        finally:
            archive.discard()
            self._file.discard()

    def _fill(self, stream: BinaryIO) -> None:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(self._file.path, f"{SAMPLES_KEY}.npy")
            with archive.open(f"{INFO_KEY}.npy", "w") as entry:
                np.lib.format.write_array(
                    entry, np.array(info_to_json(self.info)), allow_pickle=False
                )


def _load(path: Path, stream: BinaryIO | None = None) -> Any:
    """Map an NPY file, or open the NPZ file behind a stream."""
    try:
        if stream is None:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        return np.lib.npyio.NpzFile(stream, allow_pickle=False)
    except Exception as error:  # numpy's parsers raise whatever they meet
        raise _corrupt(path, error) from error


def _take(path: Path, archive: Any, key: str) -> Table:
    try:
        array: Table = archive[key]
    except Exception as error:  # zlib, zipfile and numpy, each with errors of its own
        raise _corrupt(path, error) from error
    return array


def _corrupt(path: Path, error: Exception) -> CorruptError:
    return CorruptError(
        "A recording in numpy form must be an array of numbers without pickled "
        f"objects, got {str(error)[:120]!r} in {path}; save it as plain numbers."
    )


def _read_stated(path: Path, archive: Any) -> dict[str, Any]:
    if INFO_KEY in archive.files:
        return info_from_json(str(_take(path, archive, INFO_KEY)))
    fields = ("fs", "adc_gain", "adc_baseline", "units", "lead_names")
    found = [name for name in fields if name in archive.files]
    return {name: _take(path, archive, name).tolist() for name in found}


def _cut(array: Table, block_len: int) -> Iterator[Table]:
    for start in range(0, len(array) if array.ndim else 1, block_len):
        yield array[start : start + block_len] if array.ndim else array
