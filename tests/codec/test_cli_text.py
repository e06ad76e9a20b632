# SPDX-License-Identifier: Apache-2.0
"""How the command line writes numbers, tables, JSON and errors."""

from __future__ import annotations

import doctest
import json
import math
from pathlib import Path

import numpy as np

from dynamic_deep.cli import text
from dynamic_deep.cli.failures import describe
from dynamic_deep.errors import ConfigError, CorruptError


def test_examples_run() -> None:
    assert doctest.testmod(text).failed == 0


def test_columns_are_aligned() -> None:
    lines = text.table(["name", "bytes"], [["a", "1"], ["longer", "1,000"]]).split("\n")
    assert lines == ["name    bytes", "a           1", "longer  1,000"]


def test_json_holds_no_nan_and_no_numpy() -> None:
    value = {"a": math.nan, "b": [np.float64(2.5), np.int64(3), math.inf], "c": None}
    expected = {"a": None, "b": [2.5, 3, None], "c": None}
    assert json.loads(text.as_json(value)) == expected


def test_an_error_names_the_file_it_is_about() -> None:
    path = Path("in", "a.ddc")
    assert describe(CorruptError("bad\nfield"), path) == f"{path}: bad field"
    assert describe(ConfigError("no such level"), path) == "no such level"
    missing = FileNotFoundError(2, "No such file or directory", "b.ddc")
    assert describe(missing, path) == "b.ddc: No such file or directory"
