# SPDX-License-Identifier: Apache-2.0
"""Results of an experiment as a small JSON file, with what made them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"


def results_path(name: str) -> Path:
    """Return the file of an experiment's results."""
    return RESULTS / f"{name}.json"


def read_results(name: str) -> dict[str, Any] | None:
    """Return the results of an experiment, or None if it was not run yet."""
    path = results_path(name)
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def commit() -> str:
    """Return the commit of the checkout, "+" after it if files differ from it."""
    git = ["git", "-C", str(CHECKOUT)]
    try:
        name = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name + ("+" if changed else "")


def write_results(path: Path, results: dict[str, Any], argv: Sequence[str]) -> None:
    """Write results beside, then rename.

    Args:
        path: of the file.
        results: plain values.
        argv: the arguments of `python -m experiments`.
    """
    made_by = {
        "command": f"python -m experiments {shlex.join(argv)}",
        "commit": commit(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    known = _known({"made_by": made_by, **results})
    beside.write_text(json.dumps(known, indent=1, allow_nan=False) + "\n")
    os.replace(beside, path)


def _known(value: Any) -> Any:
    """Return plain values with None for NaN, which JSON has no word for."""
    if isinstance(value, dict):
        return {name: _known(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and value != value else value
