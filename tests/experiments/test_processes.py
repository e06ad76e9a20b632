# SPDX-License-Identifier: Apache-2.0
"""`experiments.processes`: a command, its end, and what it needed."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest

from experiments.processes import Step, StepError, run_step

GROWS = "import time; x = bytes(60_000_000); x = x[1:]; time.sleep(0.4); print('done')"


def test_a_step_is_charged_with_its_own_memory_alone(tmp_path: Path) -> None:
    grown = np.ones(50_000_000)
    said, cost = run_step(["-c", GROWS], tmp_path / "step.log")
    assert said == "done\n"
    assert cost.status == 0
    assert 60 < cost.peak_memory_mb < grown.nbytes / 2e6
    assert cost.wall_s >= 0.4
    assert 0 < cost.cpu_s < cost.wall_s  # it sleeps


def test_a_step_is_charged_with_the_largest_of_its_processes(tmp_path: Path) -> None:
    starts = "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]])"
    command = ["-c", starts, "-c", starts, "-c", GROWS]
    assert run_step(command, tmp_path / "step.log")[1].peak_memory_mb > 60


def test_a_signal_ends_a_step(tmp_path: Path) -> None:
    step = Step(["-c", "import time; time.sleep(60)"], tmp_path / "step.log")
    assert step.end(signal.SIGTERM).status == -signal.SIGTERM


def test_a_step_that_fails_says_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"-c .* ended with 1: SystemExit: no luck"):
        run_step(["-c", "raise SystemExit('SystemExit: no luck')"], tmp_path / "a.log")
