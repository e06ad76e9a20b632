# SPDX-License-Identifier: Apache-2.0
"""Downstream tasks: what is asked of the decoded signal, and how wrong it may be.

    from dynamic_deep.bundle import load_bundle
    from dynamic_deep.tasks import load_task

    rhythm = load_task(load_bundle("standard"), "rhythm")
    error = rhythm.error(rhythm.answer(x), rhythm.answer(x_hat))

A window goes in at the model's rate of 300 Hz. How to bring a task of your own:
docs/tasks.md.
"""

from dynamic_deep.tasks.own import NetworkTask
from dynamic_deep.tasks.peaks import (
    find_peaks,
    join_peaks,
    match_peaks,
    unmatched_peaks,
)
from dynamic_deep.tasks.protocol import Answer, Task
from dynamic_deep.tasks.registry import load_task, task_names
from dynamic_deep.tasks.rhythm import CLASSES, RhythmTask
from dynamic_deep.tasks.rpeaks import Peaks, RPeaksTask, changed_segments
from dynamic_deep.tasks.scores import (
    BeatScores,
    RhythmScores,
    beat_scores,
    rhythm_scores,
)

__all__ = [
    "CLASSES",
    "Answer",
    "BeatScores",
    "NetworkTask",
    "Peaks",
    "RPeaksTask",
    "RhythmScores",
    "RhythmTask",
    "Task",
    "beat_scores",
    "changed_segments",
    "find_peaks",
    "join_peaks",
    "load_task",
    "match_peaks",
    "rhythm_scores",
    "task_names",
    "unmatched_peaks",
]
