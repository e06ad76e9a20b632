# SPDX-License-Identifier: Apache-2.0
"""What docs/tasks.md shows works: its files and its marked blocks, in order."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.bundle import load_bundle
from dynamic_deep.tasks import load_task
from tests.signals import COSINE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tasks.md"
BLOCK = re.compile(
    r"^<!-- (?P<mark>run|file (?P<name>\S+)) -->\n```python\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
BLOCKS = [match.groupdict() for match in BLOCK.finditer(PAGE.read_text("utf-8"))]


def test_the_page_has_its_examples() -> None:
    marks = [block["mark"] for block in BLOCKS]
    assert marks == ["run", "file steepness.py", "run", "file spread.py"]


def test_the_complete_example_runs(
    tmp_path: Path, command_env: Callable[..., dict[str, str]]
) -> None:
    pytest.importorskip("tensorflow", reason="needs the extra `train`")
    for block in BLOCKS:
        if block["name"]:
            (tmp_path / block["name"]).write_text(block["code"])
            continue
        done = subprocess.run(
            [sys.executable, "-"],
            input=block["code"],
            cwd=tmp_path,
            env=command_env(OMP_NUM_THREADS="1"),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{block['code']}\n{done.stdout}{done.stderr}"
    rows = [line.split() for line in done.stdout.splitlines()]
    errors = {row[0]: float(row[-1]) for row in rows}
    assert errors["lossless"] == 0.0
    assert 0.0 < errors["gain_64"] < errors["gain_128"] < 1.0


def test_the_example_without_a_network_works(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    (block,) = [block for block in BLOCKS if block["name"] == "spread.py"]
    (tmp_path / "spread.py").write_text(block["code"])
    task = load_task(load_bundle(COSINE), f"{tmp_path / 'spread.py'}:SpreadTask")
    x = rng.normal(0.0, 1.0, 8960).astype(np.float32)
    reference = task.answer(x)
    assert task.error(reference, task.answer(x)) == 0.0
    # Twice as wide around 0: each end moves by about half of the width.
    assert task.error(reference, task.answer(2.0 * x)) == pytest.approx(0.5, abs=0.02)
