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
    beside.write_text(json.dumps({"made_by": made_by, **results}, indent=1) + "\n")
    os.replace(beside, path)
