# SPDX-License-Identifier: Apache-2.0
"""Runs tasks on the windows of an original and of what was decoded, for `verify`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle
from dynamic_deep.cli import text
from dynamic_deep.cli.bounds import TaskBound
from dynamic_deep.cli.bundles import load_codec
from dynamic_deep.cli.options import DEFAULT_BUNDLE
from dynamic_deep.recording import RecordingInfo
from dynamic_deep.segments import to_model_rate
from dynamic_deep.tasks import Task, load_task, task_names

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]

LOSSLESS_ID = 0
TOLERANCE = 1e-9  # relative, of a bound that is met exactly before rounding


def load_tasks(bound: TaskBound, bundle: Bundle) -> dict[str, Task]:
    """Return the tasks of a bound by the names that the user gave them.

    A file without networks names no bundle; the default one brings the tasks then.

    Raises:
        ConfigError: If there is no such task.
    """
    if not task_names(bundle) and not bundle.networks:
        bundle = load_codec(DEFAULT_BUNDLE).bundle
    return {name: load_task(bundle, name) for name in bound.tasks}


class TaskMeter:
    """Takes windows as they come and keeps the error of every task.

    Args:
        bound: what the errors are held against.
        tasks: by name, as `load_tasks` gives them.
        info: of the original.

    Attributes:
        errors: one array a window, float64 (n_leads, n_tasks).
    """

    def __init__(
        self, bound: TaskBound, tasks: Mapping[str, Task], info: RecordingInfo
    ) -> None:
        self.bound = bound
        self.errors: list[FloatArray] = []
        self._tasks = [tasks[name] for name in bound.tasks]
        self._info = info

    def __call__(self, x: IntArray, x_hat: IntArray) -> None:
        """Measure one window: two int arrays (n_samples, n_leads), ADC units."""
        errors = np.zeros((self._info.n_leads, len(self._tasks)))
        for lead in range(self._info.n_leads):
            if np.array_equal(x[:, lead], x_hat[:, lead]):
                continue  # the same samples have the same answers
            raw = self._at_model_rate(x[:, lead], lead)
            decoded = self._at_model_rate(x_hat[:, lead], lead)
            for i, task in enumerate(self._tasks):
                errors[lead, i] = task.error(task.answer(raw), task.answer(decoded))
        self.errors.append(errors)

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
        windows = []
        for (window_idx, lead), level_id in sorted(levels.items()):
            errors = self.errors[window_idx][lead]
            windows.append(
                {
                    "window_idx": window_idx,
                    "lead": self._info.lead_names[lead],
                    "level": names.get(level_id, f"level {level_id}"),
                    "errors": dict(zip(self.bound.tasks, errors.tolist(), strict=True)),
                    "violates": level_id != LOSSLESS_ID and self._is_over(errors),
                }
            )
        n_over = sum(window["violates"] for window in windows)
        values = self.bound.values
        return {
            "bound": values if isinstance(values, dict) else {"sum": values},
            "reference": self.bound.reference,
            "risk": self.bound.risk,
            "n_windows": len(windows),
            "n_violations": n_over,
            "share": n_over / max(1, len(windows)),
            "tasks": [_of_task(name, windows) for name in self.bound.tasks],
            "leads": [_of_lead(name, windows) for name in self._info.lead_names],
            "windows": windows,
        }

    def _is_over(self, errors: FloatArray) -> bool:
        values = self.bound.values
        if isinstance(values, dict):
            limits = np.array([values[name] for name in self.bound.tasks])
            return bool((errors > limits * (1 + TOLERANCE)).any())
        return bool(errors.sum() > values * (1 + TOLERANCE))


def _of_task(name: str, windows: list[dict[str, Any]]) -> dict[str, Any]:
    errors = np.array([window["errors"][name] for window in windows])
    if not len(errors):
        return {"name": name}
    worst = windows[int(errors.argmax())]
    return {
        "name": name,
        "mean": float(errors.mean()),
        "median": float(np.median(errors)),
        "p95": float(np.quantile(errors, 0.95)),
        "worst": {key: worst[key] for key in ("window_idx", "lead", "level")}
        | {"error": float(errors.max())},
    }


def _of_lead(name: str, windows: list[dict[str, Any]]) -> dict[str, Any]:
    of_lead = [window for window in windows if window["lead"] == name]
    n_over = sum(window["violates"] for window in of_lead)
    share = n_over / max(1, len(of_lead))
    counts = {"n_windows": len(of_lead), "n_violations": n_over, "share": share}
    return {"name": name, **counts}


def task_problems(facts: dict[str, Any], bound: TaskBound) -> list[str]:
    """Return a line if more windows break the bound than the risk allows."""
    if facts["share"] <= bound.risk * (1 + TOLERANCE):
        return []
    first = next(window for window in facts["windows"] if window["violates"])
    errors = ", ".join(f"{name} {v:.3g}" for name, v in first["errors"].items())
    return [
        f"at most {percent(bound.risk)} of the windows may break {bound}, got "
        f"{facts['n_violations']} of {facts['n_windows']} ({percent(facts['share'])}), "
        f"first window {first['window_idx']} of {first['lead']} with {errors}; encode "
        "with a smaller --risk, or with --check"
    ]


def percent(part: float) -> str:
    """Return a share as a person reads it.

    Example:
        >>> percent(0.05), percent(1 / 60), percent(0.0)
        ('5 %', '1.7 %', '0 %')
    """
    return f"{100 * part:.3g} %" if part >= 0.1 else f"{100 * part:.2g} %"


def task_text(facts: dict[str, Any], bound: TaskBound) -> str:
    """Return two small tables, by task and by lead, and one line that sums up."""
    rows = [
        [
            task["name"],
            *(f"{task[key]:.3g}" for key in ("mean", "median", "p95")),
            f"{task['worst']['error']:.3g} (window {task['worst']['window_idx']} of "
            f"{task['worst']['lead']}, {task['worst']['level']})",
        ]
        for task in facts["tasks"]
        if "worst" in task
    ]
    parts = [text.table(["task error", "mean", "median", "p95", "worst"], rows)]
    if len(facts["leads"]) > 1:
        of_leads = [
            [
                lead["name"],
                f"{lead['n_windows']:,}",
                f"{lead['n_violations']:,}",
                percent(lead["share"]),
            ]
            for lead in facts["leads"]
        ]
        header = ["lead", "windows", "over the bound", "share"]
        parts.append(text.table(header, of_leads))
    kept = "kept" if facts["share"] <= bound.risk * (1 + TOLERANCE) else "BROKEN"
    parts.append(
        f"bound {bound}: {facts['n_violations']:,} of "
        f"{text.plural(facts['n_windows'], 'window')} over it "
        f"({percent(facts['share'])}, {percent(bound.risk)} allowed): {kept}"
    )
    return "\n\n".join(parts)
