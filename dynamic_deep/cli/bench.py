# SPDX-License-Identifier: Apache-2.0
"""`bench`: every level beside general-purpose coders."""

from __future__ import annotations

import argparse
from pathlib import Path

from dynamic_deep.bench import (
    BenchOptions,
    format_table,
    run_bench,
    to_json,
)
from dynamic_deep.bench.report_html import format_html
from dynamic_deep.cli.failures import UsageError, report
from dynamic_deep.cli.files import print_out, require_free, whole_file
from dynamic_deep.cli.policies import bench_policies
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.cli.trying import find_inputs

N_EXAMPLES = 3  # best, median and worst window on the page


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the page."""
    page = None if args.html is None else Path(args.html)
    if page is not None:
        if page.is_dir():
            raise UsageError(f"--html names a file, got the folder {page}")
        require_free([page], force=args.force)  # before minutes of work
    options = BenchOptions(
        bundles=tuple(args.bundle or ("standard",)),
        levels=_names(args.levels) or (),
        baselines=_names(args.baselines),
        near=tuple(args.near),
        precisions=tuple(dict.fromkeys(args.precision)),
        max_windows=args.max_windows,
        jobs=args.jobs,
        n_examples=0 if page is None else N_EXAMPLES,
        policies=bench_policies(args),
    )
    with ProgressBar("measuring", quiet=args.quiet) as bar:

        def progress(done: float, total: int, name: str) -> None:
            bar.relabel(f"measuring {name}")
            bar(done, total)

        result = run_bench(find_inputs(args.inputs), options, progress)
    if page is not None:
        with whole_file(page) as stream:
            stream.write(format_html(result).encode("utf-8"))
    print_out(to_json(result) if args.json else format_table(result), end="")
    for problem in result.problems:
        report(problem)
    if page is not None and not args.json:
        print_out(f"\npage with plots: {page}")
    return 1 if result.problems else 0


def _names(text: str | None) -> tuple[str, ...] | None:
    """Return the names of a list with commas; "none" is an empty one."""
    if text is None:
        return None
    names = (name.strip() for name in text.split(","))
    return () if text == "none" else tuple(name for name in names if name)
