# SPDX-License-Identifier: Apache-2.0
"""The options that bound a task's error, and the types of their values."""

from __future__ import annotations

import argparse
from typing import Any

from dynamic_deep.cli.options import not_negative
from dynamic_deep.tasks.protocol import REFERENCES

PARTS = ("window", "segment")
DEFAULT_TASKS = ("rhythm",)
DEFAULT_RISK = 0.05
DEFAULT_CALIBRATION = "cinc2017"
DEFAULT_FALLBACK = "lossless"
EXAMPLE = "one number, or NAME=NUMBER with commas such as rhythm=0.1,rpeaks=0"
USUAL_BOUND = {"rhythm": 0.1}  # where a report shows one without being asked
UNITS = "rhythm: divergence in nats; rpeaks: 1 - F1 of the beats, 0 = the same beats"
UNNAMED = ""  # in what --bound holds: the number that names no task


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


def add_bound(parser: Any, what: str, *, several: bool = False) -> None:
    """Add --bound and --task.

    Args:
        parser: a parser or a group of options.
        what: what the command does with the bound.
        several: whether it may be repeated.
    """
    action = "append" if several else "store"
    parser.add_argument(
        "--bound", type=bound_values, metavar="E", action=action, help=what
    )
    parser.add_argument(
        "--task",
        type=task_names,
        metavar="NAMES",
        help="whose error: rhythm, rpeaks, both with a comma, or a model of your own "
        "(my_task.py:make or model.tflite); default: those that --bound names, else "
        f"{','.join(DEFAULT_TASKS)}",
    )


def add_sum(parser: Any) -> None:
    """Add how the errors of several tasks add up."""
    parser.add_argument(
        "--weights",
        type=bound_values,
        metavar="NAMES",
        help="when one number bounds several tasks: how much each counts in the sum, "
        "such as rhythm=1,rpeaks=0.5 (default 1 each)",
    )


def add_risk(parser: Any, what: str) -> None:
    """Add --risk and --per."""
    parser.add_argument(
        "--risk",
        type=share,
        metavar="SHARE",
        help=f"{what}, 0 to 1 (default {DEFAULT_RISK:g})",
    )
    parser.add_argument(
        "--per",
        choices=PARTS,
        help="what the risk is a share of: windows of 29.9 s, or, for rpeaks, the "
        "segments of 7.5 s in which a beat is lost, moved or made up (default window)",
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
        help="one of the bundle's, or an .npz file that `calibrate` wrote (default "
        f"{DEFAULT_CALIBRATION})",
    )
    parser.add_argument(
        "--fallback",
        metavar="LEVEL",
        help="what a window gets that no lossy level is good enough for (default "
        f"{DEFAULT_FALLBACK})",
    )
