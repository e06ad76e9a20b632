# SPDX-License-Identifier: Apache-2.0
"""Rows of README's front table, made of the results of `rate_distortion`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynamic_deep.errors import ConfigError
from experiments.rate_distortion.page import COMMAND, TITLES, rows_of
from experiments.section import number, with_interval

# Coder, and what README calls it.
FRONT = {
    "zlib -9": "zlib -9 (LZ77)",
    "flac": "FLAC",
    "pcodec -12": "pcodec",
    "lossless": "lossless",
    "near_lossless +-2": "near_lossless, every sample within 2 ADC units",
    "wavelet_32": "classical/wavelet_32",
    "wavelet_64": "classical/wavelet_64",
    "standard/wavelet_32": "standard/wavelet_32",
    "standard/wavelet_64": "standard/wavelet_64",
    "standard/gain_64": "standard/gain_64",
    "standard/gain_96": "standard/gain_96",
    "standard/gain_128": "standard/gain_128",
    "standard/gain_256": "standard/gain_256",
    "edge/gain_64": "edge/gain_64",
    "edge/gain_128": "edge/gain_128",
}
FRONT_HEADER = (
    "level",
    "MIT-BIH test, first lead: gain (95 %) at PRDN",
    "CinC 2017 test: gain (95 %) at PRDN",
)


def front_rows(results: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Return the rows of README's front table as text.

    Args:
        results: of `run`.

    Raises:
        ConfigError: If a coder of the table was not measured.
    """
    tables = [rows_of(results, split) for split in TITLES]
    for name in FRONT:
        if any(name not in table for table in tables):
            raise ConfigError(
                f"README's table must have every coder measured, got none of {name}; "
                f"run `{COMMAND}` where it can be run"
            )
    return tuple(
        (title, *(_front_cell(table[name]) for table in tables))
        for name, title in FRONT.items()
    )


def _front_cell(row: Mapping[str, Any]) -> str:
    gain = with_interval(row["gain"])
    return gain if row["is_exact"] else f"{gain} at {number(row['prdn'][0])} %"
