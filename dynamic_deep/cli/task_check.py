# SPDX-License-Identifier: Apache-2.0
"""Runs tasks on the windows of an original and of what was decoded, for `verify`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound import Bound
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.bundle import Bundle
from dynamic_deep.cli.bundles import load_codec
from dynamic_deep.cli.options import DEFAULT_BUNDLE
from dynamic_deep.recording import RecordingInfo
from dynamic_deep.segments import n_segments, to_model_rate
from dynamic_deep.tasks import Task, changed_segments, load_task, task_names

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]

LOSSLESS_ID = 0


def load_tasks(bound: Bound, bundle: Bundle) -> dict[str, Task]:
    """Return the tasks of a bound by the names that the user gave them.

    A file without networks names no bundle; the default one brings the tasks then.

    Raises:
        ConfigError: If there is no such task.
    """
    if not bundle.networks and not task_names(bundle):
        bundle = load_codec(DEFAULT_BUNDLE).bundle
    return {name: load_task(bundle, name) for name in bound.tasks}


def by_own_names(requirement: Requirement, names: Mapping[str, str]) -> Requirement:
    """Return a requirement that calls each task as the task calls itself.

    Args:
        requirement: with the names that the user gave, such as own.py:make.
        names: what the user said -> the task's own name.
    """
    bound = requirement.bound
    renamed = dataclasses.replace(
        bound,
        tasks=tuple(names[name] for name in bound.tasks),
        limits={names[name]: limit for name, limit in bound.limits.items()},
        weights={names[name]: weight for name, weight in bound.weights.items()},
    )
    return dataclasses.replace(requirement, bound=renamed)


class TaskMeter:
    """Takes windows as they come and keeps the error of every task.

    Args:
        requirement: what the errors are held against.
        tasks: by name, as `load_tasks` gives them.
        info: of the original.

    Attributes:
        errors: one array a window, float64 (n_leads, n_tasks).
        changed: one array a window, int (n_leads,): segments whose beats changed, if
            the requirement counts segments.
        n_segments: one number a window: segments of a lead.
    """

    def __init__(
        self, requirement: Requirement, tasks: Mapping[str, Task], info: RecordingInfo
    ) -> None:
        self.requirement = requirement
        self.errors: list[FloatArray] = []
        self.changed: list[IntArray] = []
        self.n_segments: list[int] = []
        self._tasks = [tasks[name] for name in requirement.bound.tasks]
        self._info = info

    def __call__(self, x: IntArray, x_hat: IntArray) -> None:
        """Measure one window: two int arrays (n_samples, n_leads), ADC units."""
        errors = np.zeros((self._info.n_leads, len(self._tasks)))
        changed = np.zeros(self._info.n_leads, dtype=np.int64)
        for lead in range(self._info.n_leads):
            if np.array_equal(x[:, lead], x_hat[:, lead]):
                continue  # the same samples have the same answers
            raw = self._at_model_rate(x[:, lead], lead)
            decoded = self._at_model_rate(x_hat[:, lead], lead)
            for i, task in enumerate(self._tasks):
                reference, answer = task.answer(raw), task.answer(decoded)
                errors[lead, i] = task.error(reference, answer)
                if self.requirement.per_segment and task.name == "rpeaks":
                    parts = changed_segments(reference, answer, len(raw))
                    changed[lead] = parts.sum()
        self.errors.append(errors)
        self.changed.append(changed)
        self.n_segments.append(n_segments(len(x), self._info.fs))

    def _at_model_rate(self, x: IntArray, lead: int) -> npt.NDArray[np.float32]:
        from_baseline = x.astype(np.float64) - self._info.adc_baseline[lead]
        return to_model_rate(from_baseline, self._info.fs)

    def facts(
        self, levels: Mapping[tuple[int, int], int], names: Mapping[int, str]
    ) -> dict[str, Any]:
        """Return what was found, ready for JSON.

        Args:
            levels: (window, lead) -> level id of the frames that were there; those of
                lost frames are not judged.
            names: level id -> name.
        """
        bound, lead_names = self.requirement.bound, self._info.lead_names
        windows = []
        for (window_idx, lead), level_id in sorted(levels.items()):
            errors = self.errors[window_idx][lead]
            n_over = int(level_id != LOSSLESS_ID and bool(bound.is_over(errors)))
            n_parts = 1
            if self.requirement.per_segment:
                n_parts = self.n_segments[window_idx]
                # As the promise counts: all of a window that another task has lost.
                is_over = bound.is_each_over(errors)
                is_lost = any(
                    over
                    for task, over in zip(bound.tasks, is_over, strict=True)
                    if task != "rpeaks"
                )
                if level_id == LOSSLESS_ID:
                    n_over = 0
                else:
                    n_over = n_parts if is_lost else int(self.changed[window_idx][lead])
            windows.append(
                {
                    "window_idx": window_idx,
                    "lead": lead_names[lead],
                    "level": names.get(level_id, f"level {level_id}"),
                    "errors": dict(zip(bound.tasks, errors.tolist(), strict=True)),
                    "n_parts": n_parts,
                    "n_violations": n_over,
                }
            )
        return {
            "bound": bound.limits if bound.total is None else {"total": bound.total},
            "weights": bound.weights,
            "risk": self.requirement.risk,
            "per": "segment" if self.requirement.per_segment else "window",
            **_counts(windows),
            "tasks": [_of_task(name, windows) for name in bound.tasks],
            "leads": [
                {"name": name, **_counts([w for w in windows if w["lead"] == name])}
                for name in lead_names
            ],
            "windows": windows,
        }


def _counts(windows: list[dict[str, Any]]) -> dict[str, Any]:
    n_parts = sum(window["n_parts"] for window in windows)
    n_over = sum(window["n_violations"] for window in windows)
    share = n_over / n_parts if n_parts else 0.0
    return {"n_parts": n_parts, "n_violations": n_over, "share": share}


def _of_task(name: str, windows: list[dict[str, Any]]) -> dict[str, Any]:
    errors = np.array([window["errors"][name] for window in windows])
    if not len(errors):
        return {"name": name}
    worst = windows[int(errors.argmax())]
    where = {key: worst[key] for key in ("window_idx", "lead", "level")}
    return {
        "name": name,
        "mean": float(errors.mean()),
        "median": float(np.median(errors)),
        "p95": float(np.quantile(errors, 0.95)),
        "worst": {**where, "error": float(errors.max())},
    }
