# SPDX-License-Identifier: Apache-2.0
"""Tries every level on the windows of recordings, for `calibrate` and `evaluate`."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.bundle import Bundle
from dynamic_deep.cli.batch import Progress, run_batch
from dynamic_deep.cli.bundles import load_codec
from dynamic_deep.cli.plan import Job, bare_name
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.errors import InvalidSignalError
from dynamic_deep.recording import find_recordings, read_recording
from dynamic_deep.segments import window_bounds
from dynamic_deep.subjects import subjects_of
from dynamic_deep.tasks import load_task
from dynamic_deep.trials import LevelTrier, Trials


@dataclass(frozen=True, kw_only=True)
class TryOptions:
    """What to try, the same for every recording.

    Attributes:
        bundle: name or folder.
        tasks: whose errors to measure, as `load_task` takes them.
        names: path -> what to call the recording.
        labels: what it is called -> rhythm class.
        leads: which leads, from 0; all if None.
        max_windows: at most this many of a recording, evenly spread; None: all.
        precision: of the encoder, float or int8.
    """

    bundle: str
    tasks: tuple[str, ...]
    names: dict[str, str]
    labels: dict[str, str] = field(default_factory=dict)
    leads: tuple[int, ...] | None = None
    max_windows: int | None = None
    precision: str = "float"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of it.

    Attributes:
        trials: all windows.
        n_left_out: windows that are always sent lossless, flat or with gaps.
        problems: recordings that could not be read, one line each.
    """

    trials: Trials
    n_left_out: int
    problems: tuple[str, ...]


def find_inputs(inputs: Sequence[str]) -> list[Path]:
    """Return the recordings that files and folders name, each once.

    Raises:
        InvalidSignalError: If a folder holds none.
    """
    paths: list[Path] = []
    for name in inputs:
        found = find_recordings(Path(name)) if Path(name).is_dir() else [Path(name)]
        if not found:
            raise InvalidSignalError(f"{name}: there is nothing below it to read")
        paths += found
    return list(dict.fromkeys(paths))


def record_names(paths: Sequence[Path]) -> dict[str, str]:
    """Return what to call each recording: its file's name, with folders if need be."""
    names = {str(path): bare_name(path).name for path in paths}
    shared = Counter(names.values())
    return {
        path: str(bare_name(Path(path))) if shared[name] > 1 else name
        for path, name in names.items()
    }


def lossy_levels(bundle: Bundle) -> tuple[str, ...]:
    """Return the levels that a bundle's error heads know; without heads all lossy."""
    if "heads" in bundle.config:
        return tuple(str(name) for name in bundle.config["heads"]["levels"])
    lossy = (level for level in bundle.levels if level.kind in ("wavelet", "neural"))
    return tuple(level.name for level in lossy)


def try_recordings(
    paths: Sequence[Path], options: TryOptions, *, n_workers: int, bar: ProgressBar
) -> Tried:
    """Try all windows of all recordings.

    Args:
        paths: the recordings.
        options: what to try.
        n_workers: processes that share the work.
        bar: shows how far it is.

    Raises:
        InvalidSignalError: If no window could be tried.
    """
    jobs = [Job(source=path, target=None) for path in paths]
    work = functools.partial(_try_one, options)
    found: dict[Path, dict[str, Any]] = {}
    problems: list[str] = []
    for outcome in run_batch(jobs, work, n_workers=n_workers, bar=bar):
        if outcome.result is None:
            problems.append(outcome.error or f"{outcome.job.source}: failed")
        else:
            found[outcome.job.source] = outcome.result
    results = [found[path] for path in paths if path in found]
    parts = [result["trials"] for result in results if result["trials"] is not None]
    if not parts:
        why = problems[0] if problems else "every window is flat or has gaps"
        raise InvalidSignalError(f"at least one window must be tried, got none: {why}")
    return Tried(
        trials=Trials.joined(parts),
        n_left_out=sum(result["n_left_out"] for result in results),
        problems=tuple(problems),
    )


@functools.cache
def _trier(bundle: str, tasks: tuple[str, ...], precision: str) -> LevelTrier:
    codec = load_codec(bundle, precision)
    return LevelTrier(
        codec.windows,
        [load_task(codec.bundle, name) for name in tasks],
        lossy_levels(codec.bundle),
        has_forecast="heads" in codec.bundle.networks,
    )


def _try_one(options: TryOptions, job: Job, progress: Progress) -> dict[str, Any]:
    recording = read_recording(job.source)
    name = options.names[str(job.source)]
    subjects = list(
        subjects_of(
            recording,
            record=name,
            leads=options.leads,
            label=options.labels.get(name),
        )
    )
    n_leads = recording.n_leads if options.leads is None else len(options.leads)
    n_windows = len(window_bounds(recording.n_samples, recording.fs)) * n_leads
    n_left_out = n_windows - len(subjects)
    if options.max_windows is not None and len(subjects) > options.max_windows:
        at = np.linspace(0, len(subjects) - 1, options.max_windows).round().astype(int)
        subjects = [subjects[i] for i in at]
    trier, parts = _trier(options.bundle, options.tasks, options.precision), []
    for done, subject in enumerate(subjects, start=1):
        parts.append(trier.try_window(subject))
        progress(done, len(subjects))
    trials = Trials.joined(parts) if parts else None
    return {"trials": trials, "n_left_out": n_left_out}
