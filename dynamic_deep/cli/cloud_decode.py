# SPDX-License-Identifier: Apache-2.0
"""`cloud decode`: the sessions of a store to rows, with the tasks' answers."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from dynamic_deep.cli import text
from dynamic_deep.cli.failures import UsageError, report
from dynamic_deep.cli.files import print_out
from dynamic_deep.cli.parser_cloud_decode import LOCAL, n_cores
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.cloud.decode_job import DecodeJob
from dynamic_deep.cloud.decode_report import JobReport, SessionReport
from dynamic_deep.cloud.decode_settings import DecodeSettings


def run(args: argparse.Namespace) -> int:
    """Decode the sessions of a store."""
    if args.runner == LOCAL and args.beam:
        raise UsageError("--beam needs a --runner of Apache Beam")
    if args.runner != LOCAL and args.jobs is not None:
        raise UsageError("--jobs is for --runner local; Beam has options of its own")
    job = DecodeJob(
        store_url=args.store,
        out_url=args.output,
        settings=DecodeSettings(
            tasks=args.tasks,
            task_bundle=args.task_bundle,
            bundles=tuple(args.bundle),
            wfdb=args.wfdb,
        ),
        devices=args.devices,
        start=args.start,
        end=args.end,
        again=args.again,
    )
    began_s = time.monotonic()
    whole = _run_job(job, args)
    facts = {**whole.as_json(), "output": args.output}
    facts["elapsed_s"] = time.monotonic() - began_s
    if args.json:
        print_out(text.as_json(facts))
    elif not args.quiet:
        print_out(summary(whole, args.output, facts["elapsed_s"]))
    for session in whole.incomplete:
        report(problem_line(session))
    n_unnamed = whole.n_failed + whole.n_incomplete - len(whole.incomplete)
    if n_unnamed:
        report(f"and {text.plural(n_unnamed, 'session')} more; see the rows")
    return 0 if whole.is_whole else 1


def _run_job(job: DecodeJob, args: argparse.Namespace) -> JobReport:
    if args.runner != LOCAL:
        from dynamic_deep.cloud.beam_run import run_beam

        return run_beam(job, args.runner, args.beam)
    from dynamic_deep.cloud.pool_run import run_local

    with ProgressBar(f"decoding {job.store_url}", quiet=args.quiet) as bar:
        n_done = 0
        # Counting takes a listing of its own, for a person who waits.
        waits = sys.stderr.isatty() and not args.quiet
        n_all = sum(1 for _ in job.entries()) if waits else 0

        def told(session: SessionReport) -> None:
            nonlocal n_done
            n_done += 1
            bar(n_done, n_all)

        return run_local(job, n_processes=args.jobs or n_cores(), told=told)


def summary(whole: JobReport, output: str, elapsed_s: float) -> str:
    """Return what was done, as a few lines."""
    done = [("done", whole.n_done), ("done before", whole.n_kept)]
    done += [("failed", whole.n_failed), ("incomplete", whole.n_incomplete)]
    counts = ", ".join(f"{n:,} {word}" for word, n in done if n)
    sessions = text.plural(whole.n_sessions, "session")
    lost = [("damaged", whole.n_damaged), ("left out by the sender", whole.n_skipped)]
    losses = "".join(f", {n:,} {word}" for word, n in lost if n)
    return text.fields(
        [
            ("sessions", f"{sessions}: {counts}" if counts else "none found"),
            ("windows", f"{whole.n_windows:,} decoded{losses}"),
            ("signal", text.duration(whole.signal_ms / 1000)),
            ("rows", f"{whole.n_rows:,} in {whole.row_bytes:,} bytes, {output}"),
            ("time", text.duration(elapsed_s)),
        ]
    )


def problem_line(session: SessionReport) -> str:
    """Return what is wrong with a session, in one line."""
    parts: list[Any] = [f"{session.name}: {session.status}"]
    if session.n_damaged:
        parts.append(text.plural(session.n_damaged, "window") + " damaged")
    return "; ".join([*parts, *session.problems])
