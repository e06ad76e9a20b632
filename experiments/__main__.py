# SPDX-License-Identifier: Apache-2.0
"""Experiments that can be run again.

    python -m experiments list
    python -m experiments run NAME [--out FILE.json] ...    --help lists its options

Exit status: 0 done, 1 an error as one line on standard error, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dynamic_deep.errors import DynamicDeepError
from experiments import registry
from experiments.results_file import write_results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what there is")
    run = commands.add_parser("run", help="run one")
    names = run.add_subparsers(dest="name", required=True, metavar="NAME")
    for name in registry.NAMES:
        one = names.add_parser(name, help=registry.summary_of(name))
        one.add_argument("--out", metavar="FILE", type=Path, help="results as JSON")
        registry.find_experiment(name).add_arguments(one)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    options = _parser().parse_args(words)
    if options.command == "list":
        for name in registry.NAMES:
            print(f"{name:16} {registry.summary_of(name)}")
        return 0
    try:
        results = registry.find_experiment(options.name).run(options)
    except DynamicDeepError as error:
        print(f"experiments: {error}", file=sys.stderr)
        return 1
    if options.out is not None:
        write_results(options.out, results, words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
