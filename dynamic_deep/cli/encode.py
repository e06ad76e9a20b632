# SPDX-License-Identifier: Apache-2.0
"""`encode`: recordings to .ddc files."""

from __future__ import annotations

import argparse
import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dynamic_deep.cli import text
from dynamic_deep.cli.batch import Progress, run_batch
from dynamic_deep.cli.bundles import load_codec
from dynamic_deep.cli.encode_report import (
    failure,
    result_line,
    total_line,
    total_of,
    warn_left_out,
)
from dynamic_deep.cli.failures import UsageError
from dynamic_deep.cli.files import (
    STANDARD,
    print_out,
    require_free,
    stdin_as_file,
    whole_file,
    whole_stdout,
)
from dynamic_deep.cli.plan import DDC, Job, plan_folder, plan_one
from dynamic_deep.cli.policies import chosen_policy
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.policy import Policy
from dynamic_deep.recording import find_recordings, open_recording


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """What the options of `encode` ask for, the same for every file."""

    bundle: str
    policy: Policy
    max_error_uv: float | None = None
    precision: str = "float"
    reading: dict[str, float] = field(default_factory=dict)
    force: bool = False


def run(args: argparse.Namespace) -> int:
    """Encode a recording, a folder or standard input."""
    options = encode_options(args)
    if args.json and args.output == STANDARD:
        raise UsageError("--json and -o - both write to standard output; choose one")
    if args.input == STANDARD:
        return _run_stdin(args, options)
    if args.format is not None:
        raise UsageError("--format is for standard input; a file says it by its name")
    source = Path(args.input)
    if source.is_dir():
        return _run_folder(args, options)
    return _run_one(args, options, plan_one(source, args.output, DDC))


def encode_options(args: argparse.Namespace) -> EncodeOptions:
    """Return the checked options.

    Raises:
        UsageError: If they contradict each other.
    """
    return EncodeOptions(
        bundle=args.bundle,
        policy=chosen_policy(args),
        max_error_uv=args.max_error_uv,
        precision=args.precision,
        reading=reading_options(args),
        force=args.force,
    )


def reading_options(args: argparse.Namespace) -> dict[str, float]:
    """Return what the options say about an input that does not say it itself."""
    given = {"fs": args.fs, "adc_gain": args.gain}
    return {name: value for name, value in given.items() if value is not None}


def encode_one(options: EncodeOptions, job: Job, progress: Progress) -> dict[str, Any]:
    """Encode one recording.

    Args:
        options: How.
        job: What, and where to.
        progress: Called with (done, total).

    Returns:
        What `--json` prints of it.
    """
    codec = load_codec(options.bundle, options.precision)
    if job.target is not None:
        require_free([job.target], force=options.force)
    with open_recording(job.source, **options.reading) as reader:
        output = whole_stdout() if job.target is None else whole_file(job.target)
        with output as stream:
            summary = codec.encode_file(
                reader,
                stream,
                policy=options.policy,
                max_error_uv=options.max_error_uv,
                progress=progress,
            )
        info = reader.info
    return {
        "source": str(job.source),
        "target": STANDARD if job.target is None else str(job.target),
        "n_leads": info.n_leads,
        "fs": info.fs,
        "n_samples": summary.n_samples,
        "duration_s": summary.n_samples / info.fs,
        "raw_bytes": summary.raw_bytes,
        "n_bytes": summary.coded_bytes,
        "compression_gain": summary.compression_gain,
        "levels": dict(summary.levels),
        "left_out": list(reader.left_out),
    }


def _run_stdin(args: argparse.Namespace, options: EncodeOptions) -> int:
    if args.format is None:
        raise UsageError("standard input needs --format csv or --format npy")
    output = args.output if args.output is not None else STANDARD
    if args.json and output == STANDARD:
        raise UsageError("--json needs -o FILE when standard input is encoded")
    with stdin_as_file(f".{args.format}") as source:
        return _run_one(args, options, plan_one(source, output, DDC))


def _run_one(args: argparse.Namespace, options: EncodeOptions, job: Job) -> int:
    quiet = args.quiet or job.target is None
    with ProgressBar(f"encoding {job.source.name}", quiet=args.quiet) as bar:
        result = encode_one(options, job, bar)
    warn_left_out(result)
    if args.json:
        print_out(text.as_json(result))
    elif not quiet:
        print_out(result_line(result))
    return 0


def _run_folder(args: argparse.Namespace, options: EncodeOptions) -> int:
    folder = Path(args.input)
    jobs = plan_folder(folder, find_recordings(folder), args.output, DDC)
    results: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    work = functools.partial(_encode_in_folder, options)
    with ProgressBar(f"encoding {folder}", quiet=args.quiet) as bar:
        for outcome in run_batch(jobs, work, n_workers=args.jobs, bar=bar):
            if outcome.result is None:
                failed.append(failure(outcome.job, outcome.error))
                continue
            results.append(outcome.result)
            warn_left_out(outcome.result)
            if not (args.quiet or args.json):
                print_out(result_line(outcome.result))
    total = total_of(results, len(failed))
    if args.json:
        files = sorted(results, key=lambda result: str(result["source"]))
        print_out(text.as_json({**total, "files": files, "failed": failed}))
    elif not args.quiet:
        print_out(total_line(total))
    return 1 if failed else 0


def _encode_in_folder(
    options: EncodeOptions, job: Job, progress: Progress
) -> dict[str, Any]:
    if job.target is not None:
        job.target.parent.mkdir(parents=True, exist_ok=True)
    return encode_one(options, job, progress)
