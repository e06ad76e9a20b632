# SPDX-License-Identifier: Apache-2.0
"""`measure`: makes the file of measured gains that `report` reads.

Decode times are measured by `dynamic-deep cloud bench`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from dynamic_deep.cli.files import whole_file
from dynamic_deep.errors import ConfigError


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `measure gain`."""
    parser = commands.add_parser("measure", help="measure gains")
    kinds = parser.add_subparsers(dest="kind", required=True)
    gain = kinds.add_parser(
        "gain",
        help="measure what bounds give in bytes",
        description="Runs `dynamic-deep evaluate` on the recordings, and adds the "
        "result to the file. What follows -- are its options.",
    )
    gain.add_argument("records", nargs="+", metavar="RECORD", help="a recording")
    gain.add_argument(
        "--name", required=True, help='of the recordings, such as "cinc2017 test"'
    )
    gain.add_argument(
        "--result",
        type=Path,
        metavar="FILE",
        help="what `evaluate --json` printed already with these options; run it not",
    )
    gain.add_argument(
        "--with",
        dest="options",
        default="",
        metavar="OPTIONS",
        help='options of evaluate in one text, such as "--bundle monitor --bound 0.1"',
    )
    gain.add_argument("--new", action="store_true", help="begin the file anew")
    gain.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="JSON file"
    )
    gain.set_defaults(do=_gain)


def _gain(options: argparse.Namespace) -> None:
    from costmodel.measure_gain import as_run, run_evaluate

    words = options.options.split()
    if options.result is None:
        run = run_evaluate(options.records, words, options.name)
    else:
        try:
            result = json.loads(options.result.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ConfigError(
                f"--result must be what `evaluate --json` printed, got {error}"
            ) from None
        run = as_run(result, options.records, words, options.name)
    runs = []
    if options.output.exists() and not options.new:
        runs = json.loads(options.output.read_text(encoding="utf-8"))["runs"]
    _write({"runs": [*runs, run]}, options.output)


def _write(content: dict[str, Any], path: Path) -> None:
    with whole_file(path) as stream:
        stream.write((json.dumps(content, indent=1) + "\n").encode("utf-8"))
