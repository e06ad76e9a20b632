# SPDX-License-Identifier: Apache-2.0
"""How `encode` and `bench` choose the level of a window, from their options."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dynamic_deep.bound_odds import Requirement
from dynamic_deep.bound_policy import Calibrated, Verify
from dynamic_deep.bundle import Bundle
from dynamic_deep.calibration import calibration_names, load_calibration
from dynamic_deep.cli import text
from dynamic_deep.cli.bounds import DEFAULT_CALIBRATION, USUAL_BOUND
from dynamic_deep.cli.bundles import load_codec
from dynamic_deep.cli.failures import UsageError
from dynamic_deep.cli.options import DEFAULT_BUNDLE, DEFAULT_LEVEL
from dynamic_deep.cli.requirements import (
    asked_requirement,
    bound_text,
    forbid,
    requirement_of,
)
from dynamic_deep.cli.task_check import by_own_names, load_tasks
from dynamic_deep.errors import ModelError
from dynamic_deep.policy import Fixed, MaxPrdn, Policy, RungT
from dynamic_deep.tasks import task_names

NEAR_LOSSLESS = "near_lossless"


def chosen_policy(args: argparse.Namespace) -> Policy:
    """Return how the level of a window is chosen.

    Raises:
        UsageError: If the options contradict each other or name no level.
        ConfigError: If the calibration can't promise what is asked for.
        ModelError: If the bundle has none, or no error heads.
    """
    requirement = asked_requirement(args)
    picks = "level of each window itself; leave it out"
    if requirement is not None:
        rivals: tuple[str, ...] = ("level", "max_prdn", "max_error_uv")
        forbid(args, rivals, "contradict", f"--bound, which picks the {picks}")
        return _bounded(requirement, args)
    if args.max_prdn is not None:
        rivals = ("level", "max_error_uv")
        forbid(args, rivals, "contradict", f"--max-prdn, which picks the {picks}")
        load_codec(args.bundle)  # a wrong name is one error, and not one a file
        return MaxPrdn(percent=args.max_prdn)
    return _fixed(args)


def _fixed(args: argparse.Namespace) -> Fixed:
    level, max_error_uv = args.level, args.max_error_uv
    if level is None:
        level = DEFAULT_LEVEL if max_error_uv is None else NEAR_LOSSLESS
    if max_error_uv is not None and level != NEAR_LOSSLESS:
        raise UsageError(
            f"--max-error-uv is a bound that only {NEAR_LOSSLESS} keeps, got --level "
            f"{level}; leave --level out"
        )
    if level == NEAR_LOSSLESS and max_error_uv is None:
        raise UsageError(f"--level {NEAR_LOSSLESS} needs --max-error-uv, such as 10")
    _require_level(args.bundle, level, "--level")
    return Fixed(level=level)


def _require_level(bundle: str, level: str, option: str) -> None:
    names = [known.name for known in load_codec(bundle).levels]
    if level not in names:
        raise UsageError(
            f"bundle {bundle} has the levels {', '.join(names)}; got {level}; "
            f"choose one with {option}"
        )


def _bounded(requirement: Requirement, args: argparse.Namespace) -> Policy:
    if requirement.fallback == NEAR_LOSSLESS:
        raise UsageError(
            f"--fallback {NEAR_LOSSLESS} has no bound of its own; choose lossless or a "
            "wavelet level of low gain"
        )
    _require_level(args.bundle, requirement.fallback, "--fallback")
    if args.check:
        others = ("risk", "per", "calibration")
        forbid(args, others, "contradict", "--check, which keeps every window to it")
        if requirement.bound.reference != "raw":
            raise UsageError(
                "--check measures against the task's answer on the raw window, since a "
                "recording brings no labels; leave --reference out"
            )
        policy = OnTheSpot(bundle=args.bundle, requirement=requirement)
        policy.ladder(load_codec(args.bundle).levels)  # a task that there is not
        return policy
    return calibrated(args.bundle, requirement, args.calibration)


def calibrated(
    bundle: str, requirement: Requirement, calibration: str | None = None
) -> Calibrated:
    """Return the policy that trusts the error heads of a bundle.

    Args:
        bundle: its name or folder.
        requirement: what is asked for.
        calibration: its name or file; None for the default.

    Raises:
        ConfigError: If the calibration can't promise what is asked for.
        ModelError: If the bundle has none, or no error heads.
    """
    loaded = load_codec(bundle).bundle
    require_heads(loaded)
    unknown = set(requirement.bound.tasks) - set(task_names(loaded))
    if unknown:
        names = ", ".join(task_names(loaded))
        raise UsageError(
            f"bundle {loaded.name} foretells the errors of {names}, got "
            f"{', '.join(sorted(unknown))}; a task of your own needs --check"
        )
    if calibration is None and DEFAULT_CALIBRATION not in _shipped(loaded):
        raise ModelError(
            f"a bound needs a calibration, bundle {loaded.name} ships none named "
            f"{DEFAULT_CALIBRATION}; make one by `dynamic-deep calibrate` and name it "
            "with --calibration"
        )
    chosen = load_calibration(loaded, calibration or DEFAULT_CALIBRATION)
    return Calibrated(requirement, chosen)


def _shipped(bundle: Bundle) -> list[str]:
    return calibration_names(bundle.folder) if bundle.folder else []


def require_heads(bundle: Bundle) -> None:
    """Refuse a bundle without error heads.

    Raises:
        ModelError: If it has none.
    """
    if "heads" not in bundle.networks:
        raise ModelError(
            "a bound needs a bundle that foretells the errors of tasks, got "
            f"{bundle.name}, which has no error heads; choose another bundle, or "
            "decode on the spot with `encode --check`"
        )


def bench_policies(args: argparse.Namespace) -> dict[str, dict[str, Policy]]:
    """Return the rows of `bench` that choose levels: bundle -> name -> policy.

    Without --bound, a bundle that foretells errors gets the usual one.

    Raises:
        UsageError: If the options contradict each other.
        ConfigError: If a calibration can't promise what is asked for.
        ModelError: If a bundle has none, or no error heads.
    """
    if args.bound is None:
        names = ("task", "weights", "risk", "per", "reference", "fallback")
        forbid(args, names, "need", "--bound, the task error that you accept")
    policies: dict[str, dict[str, Policy]] = {}
    for bundle in args.bundle or (DEFAULT_BUNDLE,):
        rows: dict[str, Policy] = {}
        for values in args.bound or _usual_bounds(bundle):
            requirement = requirement_of(values, args)
            name = f"{bound_text(requirement.bound)}, {text.percent(requirement.risk)}"
            rows[name] = calibrated(bundle, requirement, args.calibration)
        if args.max_prdn is not None:
            rows[f"PRDN <= {args.max_prdn:g} %"] = MaxPrdn(percent=args.max_prdn)
        policies[bundle] = rows
    return policies


def _usual_bounds(bundle: str) -> list[dict[str, float]]:
    shipped = _shipped(load_codec(bundle).bundle)
    return [USUAL_BOUND] if DEFAULT_CALIBRATION in shipped else []


@dataclass(frozen=True, kw_only=True)
class OnTheSpot:
    """`Verify` by names, so that every process can load networks of its own.

    Attributes:
        bundle: whose tasks to run, its name or folder.
        requirement: the bound and the fallback; its risk is not used.
    """

    bundle: str
    requirement: Requirement

    @functools.cached_property
    def _policy(self) -> Verify:
        tasks = load_tasks(self.requirement.bound, load_codec(self.bundle).bundle)
        names = {name: task.name for name, task in tasks.items()}
        return Verify(
            bound=by_own_names(self.requirement, names).bound,
            tasks=tuple(tasks.values()),
            fallback=self.requirement.fallback,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave the networks behind."""
        return {"bundle": self.bundle, "requirement": self.requirement}

    def ladder(self, levels: Sequence[RungT]) -> list[RungT]:
        """Return the lossy levels, and the fallback as the last one."""
        return self._policy.ladder(levels)

    def choose(self, window: Any, levels: Sequence[Any]) -> Any:
        """Return the level of the fewest bytes at which no task is over the bound."""
        return self._policy.choose(window, levels)
