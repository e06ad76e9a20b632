# SPDX-License-Identifier: Apache-2.0
"""What all tests share: fixed seeds, synthetic recordings, the real data if present.

Nothing heavy is imported here: a test that needs no codec must not pay for one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("MPLBACKEND", "Agg")

import hypothesis
import numpy as np
import pytest

if TYPE_CHECKING:
    from dynamic_deep import Codec, Recording

CHECKOUT = Path(__file__).resolve().parents[1]

# The same examples on every machine; a slow machine is no failure.
hypothesis.settings.register_profile(
    "project", deadline=None, derandomize=True, database=None, max_examples=50
)
hypothesis.settings.load_profile("project")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the checkout."""
    return CHECKOUT


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(20210600)


@pytest.fixture(scope="session")
def recording() -> Recording:
    """Seventy seconds of one simulated lead at 300 Hz: two windows and a part."""
    from dynamic_deep.synthetic import simulate_ecg

    return simulate_ecg(70.0, seed=1)


@pytest.fixture(scope="session")
def two_lead_recording() -> Recording:
    """Forty seconds of two simulated leads at 360 Hz, the rate of MIT-BIH."""
    from dynamic_deep.synthetic import simulate_ecg

    return simulate_ecg(40.0, fs=360.0, n_leads=2, seed=2)


@pytest.fixture(scope="session")
def codec() -> Codec:
    """The kept bundle of tests/make_bundle.py: every kind of level, no training."""
    from dynamic_deep import Codec
    from tests.signals import COSINE

    return Codec.load(COSINE)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of the real records; a test that asks for it is skipped without."""
    folder = Path(os.environ.get("DYNAMIC_DEEP_DATA", CHECKOUT / ".data"))
    if not (folder / "mitdb").is_dir():
        pytest.skip("needs the real records; DYNAMIC_DEEP_DATA names their folder")
    return folder


@pytest.fixture(scope="session")
def command_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `dynamic-deep` is this checkout's, installed or not."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "dynamic-deep"
    script.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from dynamic_deep.cli import main\n"
        "sys.exit(main())\n"
    )
    script.chmod(0o755)
    return folder


@pytest.fixture
def command_env(command_dir: Path) -> Callable[..., dict[str, str]]:
    """Make the environment of a subprocess that uses this checkout."""

    def make(**changes: str) -> dict[str, str]:
        env = dict(os.environ, PYTHONPATH=str(CHECKOUT), PYTHONDONTWRITEBYTECODE="")
        first = [str(command_dir), str(Path(sys.executable).parent)]
        env["PATH"] = os.pathsep.join([*first, env.get("PATH", "")])
        return env | changes

    return make
