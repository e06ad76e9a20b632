# SPDX-License-Identifier: Apache-2.0
"""What `verify` and `demo` find out: a coded file, decoded, against its original."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from dynamic_deep.bound_odds import Requirement
from dynamic_deep.cli import text
from dynamic_deep.cli.batch import Progress
from dynamic_deep.cli.bundles import codec_for
from dynamic_deep.cli.compare import (
    PRD_NAMES,
    PRDN_IDX,
    Comparison,
    percent,
    uv_per_adu,
)
from dynamic_deep.cli.inspection import damage_summary, describe_damage
from dynamic_deep.cli.task_check import TaskMeter, load_tasks
from dynamic_deep.cli.task_report import task_problems
from dynamic_deep.codec import StreamDecoder
from dynamic_deep.container import ContainerReader
from dynamic_deep.errors import InvalidSignalError, TruncatedError
from dynamic_deep.recording import RecordingInfo, RecordingReader

LOSSLESS_ID = 0


def measure(
    stream: BinaryIO,
    original: RecordingReader,
    *,
    bundle: str | None = None,
    requirement: Requirement | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Decode a coded file and measure it against the original.

    Args:
        stream: The coded file, seekable.
        original: What it was made from.
        bundle: The bundle to decode with; None finds the one that the file names.
        requirement: The task error that windows may have; None runs no task.
        progress: Called with (done, total).

    Returns:
        What `verify --json` prints, but for the requirements on single samples.

    Raises:
        InvalidSignalError: If the two can't be compared sample by sample.
        TruncatedError: If the file is cut.
        ModelError: If no bundle here decodes the file.
        ConfigError: If the bound names a task that there is not.
    """
    container = ContainerReader(stream)
    levels = {(f.window_idx, f.lead): f.level_id for f in container.frames()}
    require_same_shape(container, original)
    n_bytes = container.summary.n_bytes
    codec = codec_for(container.header, bundle)
    meter = None
    if requirement is not None:
        tasks = load_tasks(requirement.bound, codec.bundle)
        meter = TaskMeter(requirement, tasks, original.info)
    comparison = Comparison(original, meter)
    decoder = StreamDecoder(codec.windows, container, progress=progress)
    summary = decoder.run(comparison.write)
    info = original.info
    damage = describe_damage(summary.damage, info)
    raw_bytes = original.n_samples * info.n_leads * info.adc_bits // 8
    problems = [damage_summary(damage)] if damage else []
    problems += _changed_fields(container.header.info, info)
    problems += _inexact(levels, comparison, info)
    names = container.header.level_names
    facts = {
        "n_bytes": n_bytes,
        "raw_bytes": raw_bytes,
        "compression_gain": raw_bytes / n_bytes,
        "levels": _level_shares(levels, names),
        **_distortion(comparison, info),
        "damage": damage,
        "problems": problems,
    }
    if meter is not None:
        facts["tasks"] = meter.facts(levels, names)
        problems += task_problems(facts["tasks"], meter.requirement)
    return facts


def require_same_shape(container: ContainerReader, original: RecordingReader) -> None:
    """Refuse to compare two recordings of different shape.

    Raises:
        TruncatedError: If the file is cut, so that its length is not known.
        InvalidSignalError: If leads, rate or length differ.
    """
    if not container.is_complete:
        raise TruncatedError(
            "a file must be whole at its end to be compared, got one without its end "
            "mark; `dynamic-deep decode` gives what is there"
        )
    info = container.header.info
    ours = (info.n_leads, info.fs, container.n_samples)
    theirs = (original.info.n_leads, original.info.fs, original.n_samples)
    if ours != theirs:
        raise InvalidSignalError(
            "the two must have the same leads, rate and length, got "
            f"{_shape(*ours)} coded and {_shape(*theirs)} in the original; name the "
            "recording that the file was made from"
        )


def _shape(n_leads: int, fs: float, n_samples: int) -> str:
    return f"{text.plural(n_leads, 'lead')} x {n_samples:,} samples at {fs:g} Hz"


def _changed_fields(ours: RecordingInfo, theirs: RecordingInfo) -> list[str]:
    names = ("adc_gain", "adc_baseline", "units", "lead_names", "start_time")
    return [
        f"{name} is {getattr(ours, name)}, but {getattr(theirs, name)} in the original"
        for name in names
        if getattr(ours, name) != getattr(theirs, name)
    ]


def _inexact(
    levels: dict[tuple[int, int], int], comparison: Comparison, info: RecordingInfo
) -> list[str]:
    """Return a line if a lossless frame did not give back every sample."""
    wrong = [
        (window_idx, lead)
        for (window_idx, lead), level_id in sorted(levels.items())
        if level_id == LOSSLESS_ID
        and comparison.windows[window_idx].max_error[lead] > 0
    ]
    if not wrong:
        return []
    window_idx, lead = wrong[0]
    return [
        f"a lossless frame must be exact, got errors in {len(wrong)} of them, first in "
        f"window {window_idx} of {info.lead_names[lead]}"
    ]


def _level_shares(
    levels: dict[tuple[int, int], int], names: dict[int, str]
) -> dict[str, int]:
    ids = list(levels.values())
    return {names.get(i, f"level {i}"): ids.count(i) for i in sorted(set(ids))}


def _distortion(comparison: Comparison, info: RecordingInfo) -> dict[str, Any]:
    """Return the PRDs and the largest error: of each lead, all, the worst window."""
    windows = comparison.windows
    errors = np.array([window.error_energy for window in windows])
    energies = np.array([window.energies for window in windows])
    peaks_adu = np.array([window.max_error for window in windows])
    peaks_uv = peaks_adu.max(axis=0) * uv_per_adu(info)
    by_lead = percent(errors.sum(axis=0), energies.sum(axis=0))
    overall = percent(errors.sum(axis=(0, 1)), energies.sum(axis=(0, 2)))
    prdn = percent(errors, energies[:, PRDN_IDX])
    window_idx, lead = np.unravel_index(np.argmax(prdn), prdn.shape)
    return {
        **dict(zip(PRD_NAMES, map(float, overall), strict=True)),
        "max_error_adu": float(peaks_adu.max()),
        "max_error_uv": float(peaks_uv.max()),
        "exact": not bool(errors.any()),
        "worst_window": {
            "prdn": float(prdn[window_idx, lead]),
            "window_idx": int(window_idx),
            "lead": info.lead_names[int(lead)],
        },
        "leads": [
            {
                "name": name,
                **dict(zip(PRD_NAMES, map(float, by_lead[:, lead_idx]), strict=True)),
                "max_error_adu": float(peaks_adu[:, lead_idx].max()),
                "max_error_uv": float(peaks_uv[lead_idx]),
            }
            for lead_idx, name in enumerate(info.lead_names)
        ],
    }
