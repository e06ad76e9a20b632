# SPDX-License-Identifier: Apache-2.0
"""The runtime stays light: no TensorFlow or Keras, and a fast `info`.

Each check runs in a process of its own, since the test process may have imported
anything by now.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dynamic_deep import Recording

HEAVY = ["tensorflow", "keras", "jax", "torch"]
MAX_INFO_CPU_S = 0.5
SHOW_HEAVY = (
    "\nimport sys, json\n"
    f"print(json.dumps([n for n in {HEAVY!r} if n in sys.modules]), file=sys.stderr)\n"
)

MakeEnv = Callable[..., dict[str, str]]


@pytest.fixture(scope="module", params=["lossless", "gain_64"])
def coded_path(
    request: pytest.FixtureRequest,
    recording: Recording,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    from dynamic_deep import Codec

    path = tmp_path_factory.mktemp("coded") / "record.ddc"
    path.write_bytes(Codec.load("standard").encode(recording, level=request.param))
    return path


def heavy_modules_after(code: str, env: dict[str, str], cwd: Path) -> list[str]:
    """Run code in a fresh interpreter, and return the heavy modules it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", code + SHOW_HEAVY],
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stderr.splitlines()[-1])
    assert isinstance(loaded, list)
    return loaded


def main_call(*arguments: object) -> str:
    line = [str(argument) for argument in arguments]
    return f"from dynamic_deep.cli import main\nassert main({line!r}) in (0, None)\n"


def test_the_check_sees_what_it_looks_for(command_env: MakeEnv, tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text("")
    assert heavy_modules_after("import keras", command_env(), tmp_path) == ["keras"]


def test_import_is_light(command_env: MakeEnv, tmp_path: Path) -> None:
    code = "import dynamic_deep\nfrom dynamic_deep import *\n"
    assert heavy_modules_after(code, command_env(), tmp_path) == []


def test_info_is_light(command_env: MakeEnv, tmp_path: Path, coded_path: Path) -> None:
    code = main_call("info", coded_path)
    assert heavy_modules_after(code, command_env(), tmp_path) == []


def test_decode_is_light(
    command_env: MakeEnv, tmp_path: Path, coded_path: Path
) -> None:
    code = main_call("decode", coded_path, "-o", tmp_path / "back.hea")
    assert heavy_modules_after(code, command_env(), tmp_path) == []
    assert (tmp_path / "back.hea").exists()


def test_info_starts_fast(
    command_env: MakeEnv, command_dir: Path, coded_path: Path
) -> None:
    """Processor time, not wall time: a loaded machine is no failure."""
    command = [str(command_dir / "dynamic-deep"), "info", str(coded_path)]
    env = command_env(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    times_s = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=env, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        user_s = after.ru_utime - before.ru_utime
        times_s.append(user_s + after.ru_stime - before.ru_stime)
    assert min(times_s) < MAX_INFO_CPU_S
