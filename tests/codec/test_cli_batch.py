# SPDX-License-Identifier: Apache-2.0
"""Many files: a bad one is an outcome, a full disk an end."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from dynamic_deep.cli.batch import Progress, run_batch
from dynamic_deep.cli.plan import Job
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.errors import InvalidSignalError

JOBS = [Job(source=Path(name), target=None) for name in ("a", "bad", "c", "full", "e")]


def work(job: Job, progress: Progress) -> dict[str, Any]:
    """Fail as the name says."""
    progress(1, 2)
    if job.source.name == "bad":
        raise InvalidSignalError("a lead must have samples")
    if job.source.name == "strange":
        raise RuntimeError("from a library")
    if job.source.name == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out/full.ddc")
    return {"name": job.source.name}


@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_bad_file_does_not_stop_the_rest(n_workers: int) -> None:
    outcomes = list(
        run_batch(JOBS[:3], work, n_workers=n_workers, bar=ProgressBar("test"))
    )
    errors = {str(o.job.source): o.error for o in outcomes}
    assert errors == {"a": None, "bad": "bad: a lead must have samples", "c": None}
    assert {o.result["name"] for o in outcomes if o.result} == {"a", "c"}


def test_a_full_disk_stops() -> None:
    outcomes = list(run_batch(JOBS, work, n_workers=1, bar=ProgressBar("test")))
    assert [str(o.job.source) for o in outcomes] == ["a", "bad", "c", "full"]
    assert outcomes[-1].error == "out/full.ddc: No space left on device"


def test_an_unforeseen_error_names_its_kind() -> None:
    jobs = [Job(source=Path("strange"), target=None)]
    (outcome,) = run_batch(jobs, work, n_workers=1, bar=ProgressBar("test"))
    assert outcome.error == "strange: RuntimeError: from a library"
