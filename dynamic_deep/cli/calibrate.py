# SPDX-License-Identifier: Apache-2.0
"""`calibrate`: a calibration of a user's own recordings, which need no labels."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.bound_price import rounded_up
from dynamic_deep.calibration import Calibration, save_calibration
from dynamic_deep.cli import text
from dynamic_deep.cli.bundles import load_codec
from dynamic_deep.cli.failures import UsageError, report
from dynamic_deep.cli.files import naming, print_out, require_free
from dynamic_deep.cli.policies import require_heads
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.cli.trying import (
    TryOptions,
    find_inputs,
    record_names,
    try_recordings,
)
from dynamic_deep.tasks import task_names

SUFFIX = ".npz"
FEW_RECORDINGS = 20
USUAL_RISK = 0.05


def run(args: argparse.Namespace) -> int:
    """Try the recordings and write the table."""
    target = Path(args.output)
    if target.suffix != SUFFIX:
        raise UsageError(f"-o must name a file ending in {SUFFIX}, got {target}")
    if not target.parent.is_dir():
        raise UsageError(f"-o must lie in a folder that exists, got {target}")
    require_free([target], force=args.force)  # before minutes of work
    bundle = load_codec(args.bundle).bundle
    require_heads(bundle)
    paths = find_inputs(args.inputs)
    options = TryOptions(
        bundle=args.bundle,
        tasks=tuple(task_names(bundle)),
        names=record_names(paths),
        leads=args.lead,
        max_windows=args.max_windows,
        precision=args.precision,
    )
    with ProgressBar("calibrating", quiet=args.quiet) as bar:
        tried = try_recordings(paths, options, n_workers=args.jobs, bar=bar)
    calibration = Calibration(
        name=target.stem,
        model_id=bundle.model_id,
        trials=tried.trials,
        same_patients=args.same_patients,
    )
    with naming(target):
        save_calibration(target, calibration)
    facts = {
        "calibration": str(target),
        "bundle": args.bundle,
        "model_id": bundle.model_id.hex(),
        "n_recordings": len(np.unique(tried.trials.records)),
        "n_windows": len(tried.trials),
        "n_left_out": tried.n_left_out,
        "same_patients": calibration.same_patients,
        "least_risk": calibration.least_risk,
        "channels": list(tried.trials.channels),
        "problems": list(tried.problems),
    }
    print_out(text.as_json(facts) if args.json else _as_text(facts))
    for problem in tried.problems:
        report(problem)
    return 1 if tried.problems else 0


def _as_text(facts: dict[str, Any]) -> str:
    left_out = ""
    if facts["n_left_out"]:
        what = text.plural(facts["n_left_out"], "window")
        left_out = f", {what} left out (flat or with gaps: always sent lossless)"
    lines = [
        f"{facts['calibration']}: {text.plural(facts['n_windows'], 'window')} of "
        f"{text.plural(facts['n_recordings'], 'recording')}{left_out}",
        f"it can promise any --risk from {text.percent(facts['least_risk'])} up, for "
        f"{'more windows of these' if facts['same_patients'] else 'other'} patients "
        f"and bundle {facts['bundle']} (model {facts['model_id'][:12]})",
    ]
    if facts["n_recordings"] < FEW_RECORDINGS and not facts["same_patients"]:
        lines.append(
            f"note: a patient counts as one, and {facts['n_recordings']} are few; add "
            "recordings of others, or count windows by --same-patients if those to "
            "come are of these patients"
        )
    risk = max(USUAL_RISK, rounded_up(facts["least_risk"]))
    lines.append(
        f"use it: dynamic-deep encode IN --bundle {facts['bundle']} "
        f"--bound rhythm=0.1 --risk {risk:g} --calibration {facts['calibration']}"
    )
    return "\n".join(lines)
