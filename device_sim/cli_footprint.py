# SPDX-License-Identifier: Apache-2.0
"""Command `footprint`: what a bundle asks of a device."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

LIMITS = {"macs_per_segment": 1_000_000, "weights_bytes": 65_536, "arena_bytes": 32_768}
MEANING = {
    "macs_per_segment": "multiply-accumulates of the encoder, a segment of 7.47 s",
    "weights_bytes": "bytes of flash for the int8 encoder and the error heads",
    "tables_bytes": "bytes of flash for the tables of all levels",
    "arena_bytes": "bytes of memory, smallest arena of TensorFlow Lite Micro",
    "contexts_bytes": "bytes of memory for what a context network hears",
}


def add_commands(subparsers: Any) -> None:
    """Add `footprint`."""
    parser = subparsers.add_parser(
        "footprint",
        help="measure the work, flash and memory that a bundle asks of a device",
        description="Measure the work, flash and memory that a device needs.",
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="edge, or a folder")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object instead of text"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit with 1 if it is over the budget of an edge device: "
        + ", ".join(f"{name} {limit:,}" for name, limit in LIMITS.items()),
    )
    parser.set_defaults(do=_footprint)


def _footprint(args: argparse.Namespace) -> int:
    from device_sim.footprint import measure_footprint

    measured = dataclasses.asdict(measure_footprint(args.bundle))
    if args.json:
        print(json.dumps(measured, indent=1))
    else:
        for name, value in measured.items():
            limit = f" (budget {LIMITS[name]:,})" if name in LIMITS else ""
            print(f"{value:>10,}  {MEANING[name]}{limit}")
    is_over = any(measured[name] > limit for name, limit in LIMITS.items())
    return 1 if args.check and is_over else 0
