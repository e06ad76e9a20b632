# SPDX-License-Identifier: Apache-2.0
"""`cloud check`: is every object of a store what its name says, and whole."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict

from dynamic_deep.cli import text
from dynamic_deep.cli.failures import report
from dynamic_deep.cli.files import print_out
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.cloud.check import ObjectReport, check_store
from dynamic_deep.cloud.store import open_store


def run(args: argparse.Namespace) -> int:
    """Check a store."""
    store = open_store(args.store)
    with ProgressBar(f"checking {args.store}", quiet=args.quiet or args.json) as bar:
        n_objects = n_frames = n_bytes = 0
        told = list[ObjectReport]()
        for found in check_store(store):
            n_objects += 1
            n_frames += found.n_frames
            n_bytes += found.n_bytes
            if found.faults or found.notes:
                told.append(found)
            bar(n_objects, 0)
    n_bad = sum(bool(found.faults) for found in told)
    if args.json:
        facts = {
            "store": args.store,
            "n_objects": n_objects,
            "n_frames": n_frames,
            "n_bytes": n_bytes,
            "n_faulty": n_bad,
            "objects": [asdict(found) for found in told],
        }
        print_out(text.as_json(facts))
    else:
        for line in _lines(told):
            print_out(line)
        print_out(
            f"{text.plural(n_objects, 'object')}, {text.plural(n_frames, 'frame')}, "
            f"{n_bytes:,} bytes: {n_objects - n_bad:,} sound, {n_bad:,} faulty"
        )
    if not n_bad:
        return 0
    report(f"{args.store}: {text.plural(n_bad, 'object')} at fault")
    return 1


def _lines(told: Iterable[ObjectReport]) -> Iterable[str]:
    for found in told:
        for fault in found.faults:
            yield f"FAULT {found.name!r}: {' '.join(fault.split())}"
        for note in found.notes:
            yield f"note  {found.name!r}: {note}"
