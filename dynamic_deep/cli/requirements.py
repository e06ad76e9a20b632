# SPDX-License-Identifier: Apache-2.0
"""What the options that bound a task's error say together."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from dynamic_deep.bound import Bound
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.cli.bounds import (
    DEFAULT_FALLBACK,
    DEFAULT_RISK,
    DEFAULT_TASKS,
    UNNAMED,
)
from dynamic_deep.cli.failures import UsageError

# What makes no sense without --bound, by attribute.
BOUND_OPTIONS = (
    *("task", "weights", "risk", "per"),
    *("reference", "calibration", "fallback", "check"),
)


def asked_requirement(args: argparse.Namespace) -> Requirement | None:
    """Return what one --bound and its options ask for; None without --bound.

    Raises:
        UsageError: If they contradict each other.
        ConfigError: If they ask for what can't be.
    """
    if args.bound is None:
        forbid(args, BOUND_OPTIONS, "need", "--bound, the task error that you accept")
        return None
    return requirement_of(args.bound, args)


def requirement_of(
    values: Mapping[str, float], args: argparse.Namespace
) -> Requirement:
    """Return what a bound asks for, with the options beside it.

    Args:
        values: what `bound_values` made of --bound.
        args: the options; a command may lack some.

    Raises:
        UsageError: If they contradict each other.
        ConfigError: If they ask for what can't be.
    """
    return Requirement(
        bound=_bound(values, args),
        risk=getattr(args, "risk", None) or DEFAULT_RISK,
        fallback=getattr(args, "fallback", None) or DEFAULT_FALLBACK,
        per_segment=getattr(args, "per", None) == "segment",
    )


def _bound(values: Mapping[str, float], args: argparse.Namespace) -> Bound:
    tasks: Sequence[str] | None = args.task
    weights = dict(getattr(args, "weights", None) or {})
    reference = getattr(args, "reference", None) or "raw"
    if UNNAMED in weights:
        raise UsageError(
            "--weights must name the tasks, such as rhythm=1,rpeaks=0.5, got one "
            f"number, {weights[UNNAMED]:g}"
        )
    if UNNAMED in values:
        names, number = tuple(tasks or DEFAULT_TASKS), values[UNNAMED]
        _require_same("--weights", weights or names, names)
        if len(names) > 1:
            return Bound(
                tasks=names, total=number, weights=weights, reference=reference
            )
        values = {names[0]: number}
    if weights:
        raise UsageError(
            "--weights is for one number that bounds several tasks together, got a "
            "bound for each; leave --weights out"
        )
    _require_same("--bound", values, tasks or tuple(values))
    return Bound(tasks=tuple(values), limits=dict(values), reference=reference)


def _require_same(
    option: str, given: Mapping[str, float] | Sequence[str], tasks: Sequence[str]
) -> None:
    if set(given) != set(tasks):
        raise UsageError(
            f"{option} and --task must name the same tasks, got {', '.join(given)} and "
            f"{', '.join(tasks)}; name each in both"
        )


def bound_text(bound: Bound) -> str:
    """Return a bound as a person reads it, such as "rhythm <= 0.1, rpeaks <= 0"."""
    if bound.total is None:
        parts = (f"{name} <= {bound.limits[name]:g}" for name in bound.tasks)
        text = ", ".join(parts)
    else:
        weighted = (
            name if bound.weights.get(name, 1.0) == 1.0
            else f"{bound.weights[name]:g} {name}"
            for name in bound.tasks
        )  # fmt: skip
        text = f"{' + '.join(weighted)} <= {bound.total:g}"
    return text if bound.reference == "raw" else f"{text} against the label"


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
    values = {name: getattr(args, name, None) for name in names}
    given = [
        f"--{name.replace('_', '-')}"
        for name, value in values.items()
        if value is not None and value is not False
    ]
    if given:
        verb = verb if len(given) > 1 else f"{verb}s"
        raise UsageError(f"{' and '.join(given)} {verb} {what}")
