# SPDX-License-Identifier: Apache-2.0
"""`evaluate`: what bounds cost and whether they are kept, on any folder of records."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.bound_odds import LOSSLESS, Requirement
from dynamic_deep.bundle import Bundle
from dynamic_deep.calibration import Calibration, calibration_names, load_calibration
from dynamic_deep.cli import text
from dynamic_deep.cli.bounds import DEFAULT_CALIBRATION, USUAL_BOUND
from dynamic_deep.cli.bundles import load_codec
from dynamic_deep.cli.evaluate_report import ORACLE, as_text
from dynamic_deep.cli.failures import UsageError, report
from dynamic_deep.cli.files import print_out
from dynamic_deep.cli.labels import read_labels
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.cli.requirements import requirement_of
from dynamic_deep.cli.task_check import by_own_names
from dynamic_deep.cli.trying import (
    TryOptions,
    find_inputs,
    record_names,
    try_recordings,
)
from dynamic_deep.errors import ConfigError
from dynamic_deep.evaluation import (
    Outcome,
    assess,
    assess_calibrated,
    best_fixed,
    choose_fixed,
    choose_oracle,
)
from dynamic_deep.tasks import load_task, task_names
from dynamic_deep.trials import Trials

PAPER_GAINS = (64.0, 32.0)  # of the levels that the paper's oracles choose among


def run(args: argparse.Namespace) -> int:
    """Try all levels on the recordings, and print what each choice comes to."""
    wanted = [requirement_of(values, args) for values in args.bound or [USUAL_BOUND]]
    bundle = load_codec(args.bundle).bundle
    calibration = _calibration(bundle, args.calibration)
    paths = find_inputs(args.inputs)
    names = record_names(paths)
    labels = {} if args.labels is None else read_labels(Path(args.labels))
    n_labelled = sum(name in labels for name in names.values())
    if args.labels is not None and not n_labelled:
        raise ConfigError(
            f"labels must name some of the recordings, got none of them in "
            f"{args.labels}; a recording is called by its file, such as "
            f"{next(iter(names.values()))}"
        )
    if n_labelled < len(paths) and any(r.bound.reference == "label" for r in wanted):
        raise UsageError(
            "--reference label needs the label of every recording, got "
            f"{n_labelled} of {len(paths)}; name them with --labels"
        )
    tasks, wanted = _resolved_tasks(bundle, wanted)
    options = TryOptions(
        bundle=args.bundle,
        tasks=tasks,
        names=names,
        labels=labels,
        leads=args.lead,
        max_windows=args.max_windows,
        precision=args.precision,
    )
    with ProgressBar("evaluating", quiet=args.quiet) as bar:
        tried = try_recordings(paths, options, n_workers=args.jobs, bar=bar)
    problems = list(tried.problems)
    blocks = [_block(bundle, r, tried.trials, calibration, problems) for r in wanted]
    facts = {
        "bundle": args.bundle,
        "precision": args.precision,
        "model_id": bundle.model_id.hex(),
        "tasks": list(tasks),
        "n_recordings": len(np.unique(tried.trials.records)),
        "n_windows": len(tried.trials),
        "n_left_out": tried.n_left_out,
        "n_labelled": n_labelled,
        "calibration": calibration and calibration.name,
        "n_calibration_windows": len(calibration.trials) if calibration else 0,
        "bounds": blocks,
        "problems": problems,
    }
    print_out(text.as_json(facts) if args.json else as_text(facts))
    for problem in problems:
        report(problem)
    return 1 if problems else 0


def _calibration(bundle: Bundle, asked: str | None) -> Calibration | None:
    shipped = calibration_names(bundle.folder) if bundle.folder else []
    if asked is None and DEFAULT_CALIBRATION not in shipped:
        return None
    return load_calibration(bundle, asked or DEFAULT_CALIBRATION)


def _resolved_tasks(
    bundle: Bundle, wanted: Sequence[Requirement]
) -> tuple[tuple[str, ...], list[Requirement]]:
    """Return the tasks to run, and the requirements by the names these give themselves.

    All tasks of the bundle are run: scores are of the rhythm, whatever the bound.
    """
    asked = dict.fromkeys(task_names(bundle))
    asked |= dict.fromkeys(name for need in wanted for name in need.bound.tasks)
    own_names = {name: load_task(bundle, name).name for name in asked}
    return tuple(asked), [by_own_names(need, own_names) for need in wanted]


def _block(
    bundle: Bundle,
    need: Requirement,
    trials: Trials,
    calibration: Calibration | None,
    problems: list[str],
) -> dict[str, Any]:
    """Return what every choice comes to under one bound, ready for JSON."""
    exact = dataclasses.replace(need, fallback=LOSSLESS)
    nothing = np.full(len(trials), len(trials.levels))
    outcomes = [assess("raw windows, lossless", exact, trials, nothing)]
    if calibration is not None:
        try:
            outcomes += _by_calibration(need, trials, calibration)
        except ConfigError as error:
            problems.append(f"no calibrated choice: {error}")
    ladders = {ORACLE: None, **paper_ladders(bundle, trials.levels)}
    outcomes += [
        assess(name, need, trials, choose_oracle(need, trials, names=names))
        for name, names in ladders.items()
    ]
    return {
        "tasks": list(need.bound.tasks),
        "limits": need.bound.limits,
        "total": need.bound.total,
        "weights": need.bound.weights,
        "reference": need.bound.reference,
        "risk": need.risk,
        "per": "segment" if need.per_segment else "window",
        "fallback": need.fallback,
        "choices": [dataclasses.asdict(outcome) for outcome in outcomes],
    }


def _by_calibration(
    need: Requirement, trials: Trials, calibration: Calibration
) -> list[Outcome]:
    outcomes = [assess_calibrated(need, trials, calibration)]
    fixed = best_fixed(need, calibration)
    if fixed is not None:
        name = f"fixed {fixed}"
        outcomes.append(assess(name, need, trials, choose_fixed(trials, fixed)))
    return outcomes


def paper_ladders(
    bundle: Bundle, levels: Sequence[str]
) -> dict[str, tuple[str, ...] | None]:
    """Return the paper's oracles: {64, none} and {64, 32, none}, by what they are.

    Args:
        bundle: whose levels they are.
        levels: those that were tried.
    """
    rungs = [bundle.level(name) for name in levels]
    nearest: list[str] = []
    for gain in PAPER_GAINS:
        best = min(
            rungs, key=lambda v: (abs(v.nominal_gain - gain), v.kind != "neural")
        )
        nearest.append(best.name)
    two, three = tuple(nearest[:1]), tuple(dict.fromkeys(nearest))
    ladders = (two, three) if len(three) > len(two) else (two,)
    return {f"oracle, {', '.join(names)}, none": names for names in ladders}
