# SPDX-License-Identifier: Apache-2.0
"""`dynamic_deep.peak_memory`: what a process had itself, not what its parent had."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from dynamic_deep.peak_memory import peak_memory_bytes

SLACK = 2**21  # the system counts pages in batches
WAITS = "import sys; sys.stdin.read()"


def test_own_peak_stays_when_the_memory_is_given_back() -> None:
    before = peak_memory_bytes()
    grown = np.ones(before // 8 + 10_000_000)
    after = peak_memory_bytes()
    assert after >= before + 80_000_000 - SLACK
    del grown
    assert peak_memory_bytes(os.getpid()) >= after - SLACK


def test_a_child_does_not_begin_with_its_parents_peak() -> None:
    grown = np.ones(25_000_000)
    command = [sys.executable, "-c", WAITS]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        peak = peak_memory_bytes(child.pid)
        child.communicate()
    assert 0 < peak < grown.nbytes / 4
    assert peak_memory_bytes(child.pid) == 0
