# SPDX-License-Identifier: Apache-2.0
"""What README.md shows works: each block marked `<!-- run -->` is run, in order.

The two commands that set up an environment are marked `<!-- set-up -->`; installing
again inside the tests would cost minutes, so these are only checked to be there.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"^<!-- (?P<mark>run|set-up|shown) -->\n```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
BLOCKS = [match.groupdict() for match in BLOCK.finditer(README)]
RUNNABLE = [block for block in BLOCKS if block["mark"] == "run"]


def test_every_block_of_code_is_marked() -> None:
    opened = re.findall(r"^```(bash|python|console)$", README, re.MULTILINE)
    assert len(opened) == len(BLOCKS), "mark each block: run, set-up or shown"
    assert {block["language"] for block in RUNNABLE} == {"bash", "python"}


def test_the_blocks_run_in_order(
    tmp_path: Path, command_env: Callable[..., dict[str, str]]
) -> None:
    interpreters = {"python": [sys.executable, "-"], "bash": ["bash", "-eu", "-"]}
    for block in RUNNABLE:
        done = subprocess.run(
            interpreters[block["language"]],
            input=block["code"],
            cwd=tmp_path,
            env=command_env(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{block['code']}\n{done.stdout}{done.stderr}"


def test_the_two_set_up_commands_are_there() -> None:
    commands = [block["code"].strip() for block in BLOCKS if block["mark"] == "set-up"]
    assert len(commands) == 2
    main_job, test_run = commands
    for command in commands:
        assert "\n" not in command, "one command, one line"
        assert command.startswith("python3 -m venv .venv && ")
    assert main_job.endswith(".venv/bin/dynamic-deep demo")
    assert test_run.endswith("bash scripts/test")
    assert (CHECKOUT / "scripts" / "test").is_file()


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (CHECKOUT / target).exists()


def test_no_placeholder_is_left() -> None:
    assert "TABLE" not in README
