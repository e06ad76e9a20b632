# SPDX-License-Identifier: Apache-2.0
"""The options that bound a task's error, and what they say together."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dynamic_deep.cli.failures import UsageError
from dynamic_deep.cli.options import not_negative

REFERENCES = ("raw", "label")
DEFAULT_TASKS = ("rhythm",)
DEFAULT_RISK = 0.05
DEFAULT_FALLBACK = "lossless"
EXAMPLE = "one number, or NAME=NUMBER with commas such as rhythm=0.1,rpeaks=0"
UNITS = "rhythm: divergence in nats; rpeaks: 1 - F1 of the beats, 0 = the same beats"
UNNAMED = ""  # in what --bound holds: the number that names no task


@dataclass(frozen=True, kw_only=True)
class TaskBound:
    """The task error that a user accepts.

    Attributes:
        tasks: whose error, each once.
        values: the bound of each task; or one number, the bound on their weighted sum.
        reference: what the error is measured against, raw or label.
        risk: the share of windows that may break the bound.
    """

    tasks: tuple[str, ...]
    values: dict[str, float] | float
    reference: str = "raw"
    risk: float = DEFAULT_RISK

    def __str__(self) -> str:
        """Return it as a person reads it, such as "rhythm <= 0.1, rpeaks <= 0"."""
        if isinstance(self.values, dict):
            return ", ".join(f"{name} <= {v:g}" for name, v in self.values.items())
        return f"{' + '.join(self.tasks)} <= {self.values:g}"


def bound_values(text: str) -> dict[str, float]:
    """Return the numbers of a bound by task, for argparse; `UNNAMED` names no task."""
    if "=" not in text:
        return {UNNAMED: _number(text, text)}
    values: dict[str, float] = {}
    for part in text.split(","):
        # From the right: the file of a user's own task may have "=" in its name.
        name, _, number = (piece.strip() for piece in part.rpartition("="))
        if not name:
            raise argparse.ArgumentTypeError(f"must be {EXAMPLE}; got {text}")
        if name in values:
            raise argparse.ArgumentTypeError(f"must name {name} once, got {text}")
        values[name] = _number(number, text)
    return values


def _number(number: str, text: str) -> float:
    try:
        return not_negative(number)
    except ValueError:
        message = f"must be {EXAMPLE}; got {text}"
        raise argparse.ArgumentTypeError(message) from None


def task_names(text: str) -> tuple[str, ...]:
    """Return the names of a list with commas, for argparse."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(
            f"must be task names with commas, each once, such as rhythm,rpeaks; got "
            f"{text or 'none'}"
        )
    return names


def share(text: str) -> float:
    """Return a share between 0 and 1, for argparse; "5%" is 0.05."""
    number = text.strip().removesuffix("%")
    try:
        value = float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(
            f"must lie between 0 and 1, such as 0.05 for 5 %, got {text}"
        )
    return value


def add_bound(parser: Any, what: str) -> None:
    """Add --bound and --task.

    Args:
        parser: a parser or a group of options.
        what: what the command does with the bound.
    """
    parser.add_argument("--bound", type=bound_values, metavar="E", help=what)
    parser.add_argument(
        "--task",
        type=task_names,
        metavar="NAMES",
        help="whose error: rhythm, rpeaks, both with a comma, or a model of your own "
        "(my_task.py:make or model.tflite); default: those that --bound names, else "
        f"{','.join(DEFAULT_TASKS)}",
    )


def add_risk(parser: Any, what: str) -> None:
    """Add --risk."""
    parser.add_argument(
        "--risk",
        type=share,
        metavar="SHARE",
        help=f"{what}, 0 to 1 (default {DEFAULT_RISK:g})",
    )


def add_choice(parser: Any) -> None:
    """Add how the level that keeps a bound is found."""
    parser.add_argument(
        "--reference",
        choices=REFERENCES,
        help="measure the error against the task's own answer on the signal as "
        "measured, or against the annotated label (default raw)",
    )
    parser.add_argument(
        "--calibration",
        metavar="NAME|FILE",
        help="of the bundle, or a file that `calibrate` wrote (default: the bundle's)",
    )
    parser.add_argument(
        "--fallback",
        metavar="LEVEL",
        help="what a window gets that no lossy level is good enough for (default "
        f"{DEFAULT_FALLBACK})",
    )


def task_bound(args: argparse.Namespace) -> TaskBound | None:
    """Return the bound that the options ask for, or None.

    Raises:
        UsageError: If they contradict each other.
    """
    if args.bound is None:
        forbid(args, BOUND_OPTIONS, "need", "--bound, the task error that you accept")
        return None
    return make_bound(
        args.bound,
        args.task,
        reference=getattr(args, "reference", None),
        risk=args.risk,
    )


def make_bound(
    values: dict[str, float],
    tasks: Sequence[str] | None,
    *,
    reference: str | None = None,
    risk: float | None = None,
) -> TaskBound:
    """Return the bound that one --bound and the other options make together.

    Args:
        values: what `bound_values` made of it.
        tasks: what --task names; None if it is left out.
        reference: raw, label, or None for the default.
        risk: share of windows, or None for the default.

    Raises:
        UsageError: If --bound and --task name different tasks.
    """
    rest = {"reference": reference or "raw", "risk": risk or DEFAULT_RISK}
    if UNNAMED in values:
        number, named = values[UNNAMED], tuple(tasks or DEFAULT_TASKS)
        whole = {named[0]: number} if len(named) == 1 else number
        return TaskBound(tasks=named, values=whole, **rest)
    if tasks is not None and set(tasks) != set(values):
        raise UsageError(
            f"--bound and --task must name the same tasks, got {', '.join(values)} and "
            f"{', '.join(tasks)}; leave --task out"
        )
    return TaskBound(tasks=tuple(values), values=dict(values), **rest)


BOUND_OPTIONS = ("task", "risk", "reference", "calibration", "fallback", "check")


def forbid(
    args: argparse.Namespace, names: Sequence[str], verb: str, what: str
) -> None:
    """Refuse options that make no sense here.

    Args:
        args: the parsed options.
        names: those to refuse, by their attribute; a command may lack some.
        verb: between them and `what`, in the plural.
        what: what the user should do or leave.

    Raises:
        UsageError: If one is given.
    """
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(args, name, 0)]
    if given:
        verb = verb if len(given) > 1 else f"{verb}s"
        raise UsageError(f"{' and '.join(given)} {verb} {what}")
