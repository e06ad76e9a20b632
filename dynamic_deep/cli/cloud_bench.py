# SPDX-License-Identifier: Apache-2.0
"""`cloud bench`: how fast this machine decodes sessions and runs tasks on them."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from dynamic_deep import __version__
from dynamic_deep.bench.decode_growth import machine, measure_processes, measure_sizes
from dynamic_deep.bench.decode_inputs import joined
from dynamic_deep.bench.decode_speed import SpeedOptions, measure_speed
from dynamic_deep.cli import text
from dynamic_deep.cli.bounds import USUAL_BOUND
from dynamic_deep.cli.bundles import load_codec
from dynamic_deep.cli.cloud_bench_report import speed_text
from dynamic_deep.cli.files import print_out, require_free, whole_file
from dynamic_deep.cli.policies import calibrated
from dynamic_deep.cli.requirements import bound_text, requirement_of
from dynamic_deep.policy import Fixed, Policy
from dynamic_deep.recording import read_recording

CLOCK = "processor time of one thread, least of the runs; for processes, wall time"


def run(args: argparse.Namespace) -> int:
    """Measure."""
    if args.output is not None:
        require_free([Path(args.output)], force=args.force)
    recordings = [read_recording(path) for path in args.inputs]
    recording = joined(recordings, args.max_windows)
    options = SpeedOptions(
        bundle=args.bundle, task_bundle=args.task_bundle, n_repeats=args.repeats
    )
    policy, policy_text = _policy(args)
    facts = measure_speed(recording, policy, options)
    data = load_codec(args.bundle).encode(recording, policy=policy)
    facts |= {
        "policy": policy_text,
        "object_sizes": measure_sizes(recording, policy, options, args.sizes),
        "processes": measure_processes(
            data, options, args.processes, n_sessions=args.sessions
        ),
        "n_recordings": len(recordings),
        "n_repeats": args.repeats,
        "clock": CLOCK,
        "machine": machine(),
        "version": __version__,
        "command": "dynamic-deep cloud bench " + shlex.join(_shown(args)),
    }
    if args.output is not None:
        with whole_file(Path(args.output)) as stream:
            stream.write(text.as_json(facts).encode() + b"\n")
    print_out(text.as_json(facts) if args.json else speed_text(facts))
    return 0


def _policy(args: argparse.Namespace) -> tuple[Policy, str]:
    """Return how the levels of the measured session are chosen, and in words."""
    if args.level is not None:
        load_codec(args.bundle).bundle.level(args.level)  # a wrong name is one error
        return Fixed(level=args.level), f"--level {args.level}"
    values = args.bound if args.bound is not None else USUAL_BOUND
    requirement = requirement_of(values, args)
    policy = calibrated(args.bundle, requirement, args.calibration)
    said = f"{bound_text(requirement.bound)}, risk {requirement.risk:g}"
    return policy, f"{said}, fallback {requirement.fallback}"


def _shown(args: argparse.Namespace) -> list[str]:
    """Return the arguments that decide the figures, as a user would type them."""
    words = [*args.inputs, "--bundle", args.bundle]
    for name in ("task_bundle", "level", "risk", "fallback", "calibration"):
        value = getattr(args, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    if args.bound is not None:
        bound = ",".join(f"{k}={v:g}" if k else f"{v:g}" for k, v in args.bound.items())
        words += ["--bound", bound]
    words += ["--max-windows", str(args.max_windows)]
    words += ["--repeats", str(args.repeats), "--sessions", str(args.sessions)]
    for name in ("sizes", "processes"):
        words += [f"--{name}", *map(str, getattr(args, name))]
    return words
