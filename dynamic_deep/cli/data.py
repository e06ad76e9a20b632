# SPDX-License-Identifier: Apache-2.0
"""`data fetch`: the public data sets."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dynamic_deep.cli import text
from dynamic_deep.cli.files import naming, print_out
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.fetch import fetch
from dynamic_deep.recording import find_recordings

DATA_VARIABLE = "DYNAMIC_DEEP_DATA"
DATA_FOLDER = ".data"


def run(args: argparse.Namespace) -> int:
    """Fetch a data set, or what is missing of it."""
    dest = Path(args.dest or os.environ.get(DATA_VARIABLE) or DATA_FOLDER)
    with ProgressBar(f"fetching {args.dataset}", quiet=args.quiet) as bar:

        def progress(what: str, done: int, total: int) -> None:
            bar.relabel(f"fetching {what}")
            bar(done, total)

        with naming(dest):
            folder = fetch(args.dataset, dest, progress=progress)
    n_recordings = len(find_recordings(folder))
    facts = {"dataset": args.dataset, "folder": str(folder), "n_records": n_recordings}
    if args.json:
        print_out(text.as_json(facts))
    else:
        print_out(f"{folder}: {text.plural(n_recordings, 'record')}, every sum right")
    return 0
