# SPDX-License-Identifier: Apache-2.0
"""MATLAB files in and out.

A MAT v4 file with a header beside it is a WFDB record (PhysioNet/CinC) and is left to
the WFDB reader. Without one, and in v5, the matrix `val` (or the only matrix) is read;
leads are its shorter side. Files of v7.3 are HDF5 and are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.config import MAX_LEADS
from dynamic_deep.errors import CorruptError, UnsupportedVersionError
from dynamic_deep.recording.base import IntArray, RecordingInfo
from dynamic_deep.recording.streams import PendingFile, RecordingWriter
from dynamic_deep.recording.table import (
    Table,
    TableReader,
    check_options,
    info_from_json,
    info_to_json,
)

SAMPLES_KEY = "val"
INFO_KEY = "recording"


def is_wfdb(path: Path) -> bool:
    """Tell whether a MAT file is the signal file of a WFDB record beside it."""
    if not path.with_suffix(".hea").is_file():
        return False
    with path.open("rb") as stream:
        # Version 5 begins with a line of text, version 4 with small integers.
        return b"\0" in stream.read(4)


def open_mat(path: Path, **options: Any) -> TableReader:
    """Open a MAT file of version 4 or 5 that has no WFDB header."""
    check_options(options)
    variables = _load(path)
    stated: dict[str, Any] = {}
    if INFO_KEY in variables:
        stated = info_from_json(str(np.asarray(variables[INFO_KEY]).item()))
    elif "fs" in variables and np.size(variables["fs"]) == 1:
        stated["fs"] = float(np.asarray(variables["fs"]).item())
    matrix = _find_matrix(path, variables)
    n_leads = len(stated.get("lead_names", ())) or min(matrix.shape)
    samples = matrix.T if matrix.shape[0] == n_leads <= MAX_LEADS else matrix
    stated["name"] = path.stem

    def open_blocks(block_len: int) -> Any:
        for start in range(0, len(samples), block_len):
            yield samples[start : start + block_len]

    return TableReader(open_blocks, stated=stated, options=options)


class Mat5Writer(RecordingWriter):
    """Write a MAT v5 file with `val` (n_leads, n_samples), `fs`, gain and the rest.

    The format wants the whole matrix, so the samples wait in memory until the end.
    """

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        """Open the file."""
        super().__init__(info)
        self._file = PendingFile(path)
        self._blocks: list[IntArray] = []

    def _append(self, samples: IntArray) -> None:
        self._blocks.append(samples.copy())

    def _finish(self) -> None:
        import scipy.io

        variables = {
            SAMPLES_KEY: np.concatenate(self._blocks).T,
            "fs": self.info.fs,
            "adc_gain": np.array(self.info.adc_gain),
            "adc_baseline": np.array(self.info.adc_baseline, np.int32),
            INFO_KEY: info_to_json(self.info),
        }
        scipy.io.savemat(self._file.stream, variables, do_compression=True)
        self._file.commit()

    def _discard(self) -> None:
        self._blocks.clear()
        self._file.discard()


def _load(path: Path) -> dict[str, Any]:
    import scipy.io

    try:
        variables: dict[str, Any] = scipy.io.loadmat(str(path))
    except NotImplementedError as error:
        raise UnsupportedVersionError(
            f"A MAT file must be of version 4 or 5, got 7.3 in {path}; save it with "
            "-v7 or as NPZ."
        ) from error
    except Exception as error:  # scipy's parser raises whatever it meets
        raise CorruptError(
            f"A MAT file must be readable, got {str(error)[:120]!r} in {path}; save it "
            "again."
        ) from error
    return {k: v for k, v in variables.items() if not k.startswith("__")}


def _find_matrix(path: Path, variables: Mapping[str, Any]) -> Table:
    known = {"fs", "adc_gain", "adc_baseline", INFO_KEY}
    tables = {
        name: value
        for name, value in variables.items()
        if name not in known
        and isinstance(value, np.ndarray)
        and value.ndim == 2
        and value.dtype.kind in "iuf"
    }
    if SAMPLES_KEY in tables:
        return tables[SAMPLES_KEY]
    if len(tables) != 1:
        raise CorruptError(
            f"A MAT recording must hold a matrix named {SAMPLES_KEY!r}, got "
            f"{', '.join(variables) or 'none'} in {path}; rename it."
        )
    return next(iter(tables.values()))
