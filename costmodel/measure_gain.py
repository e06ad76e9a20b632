# SPDX-License-Identifier: Apache-2.0
"""Runs `dynamic-deep evaluate` and keeps its result with the command that made it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dynamic_deep.cli import main as dynamic_deep
from dynamic_deep.errors import ConfigError


def run_evaluate(
    paths: Sequence[str], options: Sequence[str], name: str
) -> dict[str, Any]:
    """Evaluate bounds on recordings; return the result, ready for JSON.

    Args:
        paths: recordings.
        options: of `dynamic-deep evaluate`.
        name: what the recordings are called, such as "cinc2017 test".

    Raises:
        ConfigError: If it fails.
    """
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        status = dynamic_deep(["evaluate", *paths, *options, "--json", "--quiet"])
    if status != 0:
        raise ConfigError(
            f"evaluate must succeed, got exit status {status}; see its message above"
        )
    return as_run(json.loads(output.getvalue()), paths, options, name)


def as_run(
    result: dict[str, Any], paths: Sequence[str], options: Sequence[str], name: str
) -> dict[str, Any]:
    """Return a result of `evaluate --json` with what it was made from.

    Args:
        result: what was printed.
        paths: recordings.
        options: beside them.
        name: what the recordings are called.
    """
    stems = "\n".join(sorted(Path(path).stem for path in paths))
    digest = hashlib.sha256(stems.encode()).hexdigest()
    return {
        "command": f"dynamic-deep evaluate RECORDS {' '.join(options)} --json",
        "records": {"name": name, "n": len(paths), "sha256_of_names": digest},
        "result": result,
    }
