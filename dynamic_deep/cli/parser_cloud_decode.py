# SPDX-License-Identifier: Apache-2.0
"""The options of `cloud decode` and `cloud bench`; nothing here does any work."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from typing import Any

from dynamic_deep.cli.bounds import add_bound, add_choice, add_risk
from dynamic_deep.cli.options import add_bundle, add_json, count

LOCAL = "local"
RUNNERS = (LOCAL, "FnApiRunner", "DataflowRunner", "FlinkRunner", "SparkRunner")
DECODE_EXAMPLES = """\
Beside rows/ the output holds done/, by which the next run passes over what is done,
report.json, and with --wfdb the records. Columns and what they mean: docs/decode.md.

  dynamic-deep cloud decode store -o out --tasks rhythm,rpeaks
  dynamic-deep cloud decode gs://ward-ecg -o gs://ward-rows --from 2026-11-27 \\
      --runner DataflowRunner --beam --region=europe-west4 --project=ward ...

Exit status 1 says that something was damaged or failed; all the rest is done.
"""


def add_decode(commands: Any) -> None:
    """Add `cloud decode`."""
    parser = commands.add_parser(
        "decode",
        help="decode the sessions of a store, run tasks, write rows",
        description="Decode the sessions of a store, run tasks on every window and "
        "write one row a window, as Parquet.",
        epilog=DECODE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(module="dynamic_deep.cli.cloud_decode", parser=parser)
    parser.add_argument("store", metavar="STORE", help="folder or gs://BUCKET/PREFIX")
    parser.add_argument(
        *("-o", "--output"),
        metavar="OUT",
        required=True,
        help="folder or gs://BUCKET/PREFIX for what is made",
    )
    _add_choice(parser)
    _add_making(parser)
    _add_running(parser)
    add_json(parser)
    parser.add_argument(
        "--quiet", action="store_true", help="no result lines and no progress bar"
    )


def _add_choice(parser: Any) -> None:
    parser.add_argument(
        "--from",
        dest="start",
        type=time_utc,
        metavar="TIME",
        help="only sessions that may hold signal from then on, such as "
        "2026-11-27T09:00; in UTC if no zone is stated",
    )
    parser.add_argument(
        "--to",
        dest="end",
        type=time_utc,
        metavar="TIME",
        help="only sessions that began before then",
    )
    parser.add_argument(
        "--devices", type=names, metavar="IDS", help="only these, with commas"
    )


def _add_making(parser: Any) -> None:
    parser.add_argument(
        "--tasks",
        type=names,
        default=("rhythm", "rpeaks"),
        metavar="NAMES",
        help="what to run, with commas: rhythm, rpeaks, FILE.py:FUNCTION, FILE.tflite, "
        "or none (default rhythm,rpeaks)",
    )
    parser.add_argument(
        "--task-bundle",
        metavar="NAME|DIR",
        help="whose networks run the tasks (default: the bundle that a session was "
        "written with, or monitor where that has no tasks)",
    )
    parser.add_argument(
        "--bundle",
        metavar="DIR",
        action="append",
        default=[],
        help="a bundle that is not shipped, for sessions that were written with it; "
        "may be repeated",
    )
    parser.add_argument(
        "--wfdb", action="store_true", help="write each session as a WFDB record, too"
    )


def _add_running(parser: Any) -> None:
    parser.add_argument(
        "--again", action="store_true", help="also what is done already"
    )
    parser.add_argument(
        "--jobs",
        type=count,
        metavar="N",
        help="processes that share the sessions (default: one a core)",
    )
    parser.add_argument(
        "--runner",
        choices=RUNNERS,
        default=LOCAL,
        help="what runs the job: processes here, or a runner of Apache Beam",
    )
    parser.add_argument(
        "--beam",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="OPTION",
        help="all that follows are Beam's own options",
    )


def add_bench(commands: Any) -> None:
    """Add `cloud bench`."""
    parser = commands.add_parser(
        "bench",
        help="measure how fast this machine decodes and runs tasks",
        description="Code recordings as a session, and measure how fast it is decoded "
        "and judged: by task, by level, by size of objects, by processes, and where "
        "the time goes.",
        epilog="Figures and what they mean: docs/decode.md.",
        allow_abbrev=False,
    )
    parser.set_defaults(module="dynamic_deep.cli.cloud_bench", parser=parser)
    parser.add_argument(
        "inputs",
        metavar="RECORD",
        nargs="+",
        help="recordings of one rate; the first lead of each is taken",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE.json", help="write the figures there, too"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite what is there already"
    )
    _add_coding(parser)
    _add_extent(parser)
    add_json(parser)


def _add_coding(parser: Any) -> None:
    add_bundle(parser, "monitor")
    parser.add_argument("--task-bundle", metavar="NAME|DIR", help="as for cloud decode")
    parser.add_argument(
        "--level",
        metavar="NAME",
        help="code every window at this level (default: as --bound says)",
    )
    add_bound(parser, "choose the level of each window by this bound; see encode")
    add_risk(parser, "the share of windows that may break the bound")
    add_choice(parser)


def _add_extent(parser: Any) -> None:
    parser.add_argument(
        "--max-windows",
        type=count,
        default=12,
        metavar="N",
        help="windows of each recording, its first (default 12)",
    )
    parser.add_argument(
        "--repeats", type=count, default=3, help="runs of each measurement (default 3)"
    )
    parser.add_argument(
        "--sizes",
        type=count,
        nargs="*",
        default=[1, 10, 120, 480],
        metavar="N",
        help="windows of the objects that are compared (default 1 10 120 480)",
    )
    parser.add_argument(
        "--processes",
        type=count,
        nargs="*",
        default=[1, 2],
        metavar="N",
        help="numbers of processes that are compared (default 1 2)",
    )
    parser.add_argument(
        "--sessions",
        type=count,
        default=8,
        metavar="N",
        help="sessions that the processes share (default 8)",
    )


def names(text: str) -> tuple[str, ...]:
    """Return the names of a list with commas; none for "none", for argparse."""
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise argparse.ArgumentTypeError(
            f"must be names with commas between, or none; got {text!r}"
        )
    return () if parts == ("none",) else parts


def time_utc(text: str) -> datetime:
    """Return a time with its zone, UTC if none is stated, for argparse."""
    time = datetime.fromisoformat(text)
    return time if time.utcoffset() is not None else time.replace(tzinfo=UTC)


def n_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


COMMANDS = (add_decode, add_bench)
