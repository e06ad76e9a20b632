# SPDX-License-Identifier: Apache-2.0
"""`cloud list`: the sessions of a store."""

from __future__ import annotations

import argparse
from typing import Any

from dynamic_deep.cli import text
from dynamic_deep.cli.files import print_out
from dynamic_deep.cloud.catalog import CatalogEntry, find_objects
from dynamic_deep.cloud.store import open_store


def run(args: argparse.Namespace) -> int:
    """List sessions."""
    store = open_store(args.store)
    found = [_facts(e) for e in find_objects(store, args.devices, args.start, args.end)]
    if args.json:
        print_out(text.as_json({"store": args.store, "sessions": found}))
        return 0
    rows = [
        [
            facts["device"],
            facts["start_time"] or "unknown",
            facts["session"],
            f"{facts['n_bytes']:,}",
        ]
        for facts in found
    ]
    if rows:
        print_out(text.table(["device", "start", "session", "bytes"], rows, n_left=3))
    n_bytes = sum(facts["n_bytes"] for facts in found)
    n_devices = len({facts["device"] for facts in found})
    print_out(
        f"{text.plural(len(found), 'session')} of {text.plural(n_devices, 'device')}, "
        f"{n_bytes:,} bytes"
    )
    return 0


def _facts(entry: CatalogEntry) -> dict[str, Any]:
    start = entry.start_time
    return {
        "name": entry.name,
        "device": entry.device,
        "start_time": start.isoformat() if start else None,
        "session": entry.session.hex(),
        "n_bytes": entry.size,
        "generation": entry.generation,
    }
