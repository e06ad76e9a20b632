# SPDX-License-Identifier: Apache-2.0
"""Experiments that can be run again.

    python -m experiments list
    python -m experiments run NAME [options]    results and figures of one
    python -m experiments run all               of all, then the page
    python -m experiments page                  docs/results.md and .html, from results
    python -m experiments train NAME [options]  what a rival or an ablation needs

Records are read from DYNAMIC_DEEP_DATA (default .data). What was measured is kept in
DYNAMIC_DEEP_KEPT (default runs/experiments), so that a run that was stopped goes on.

Exit status: 0 done, 1 an error as one line on standard error, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dynamic_deep.errors import DynamicDeepError
from experiments import registry
from experiments.page import write_page
from experiments.results_file import results_path, write_results


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    options = _parser(words).parse_args(words)
    try:
        _run(options, words)
    except DynamicDeepError as error:
        print(f"experiments: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, words: list[str]) -> None:
    if options.command == "list":
        _list()
    elif options.command == "page":
        write_page()
    elif options.command == "train":
        registry.find_trainer(options.training).run(options)
    elif options.name == "all":
        _run_all()
    else:
        results = registry.find_experiment(options.name).run(options)
        path = options.out or results_path(options.name)
        write_results(path, results, words)
        print(f"results: {path}")


def _run_all() -> None:
    names = [name for name in registry.NAMES if registry.is_in_all(name)]
    began_s = time.monotonic()
    for number, name in enumerate(names, start=1):
        print(f"== {number} of {len(names)}: {name}", file=sys.stderr, flush=True)
        found = registry.find_experiment(name).run(registry.default_options(name))
        write_results(results_path(name), found, ["run", name])
    write_page()
    minutes = (time.monotonic() - began_s) / 60.0
    print(f"all done in {minutes:.1f} minutes: docs/results.md, docs/results.html")


def _list() -> None:
    for name in registry.NAMES:
        print(f"{name:16} {registry.summary_of(registry.find_experiment(name))}")
    print(f"\ntrainings: {', '.join(registry.TRAINERS)}")


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what there is")
    commands.add_parser("page", help="write docs/results.md and docs/results.html")
    run = commands.add_parser("run", help="run one, or all")
    names = run.add_subparsers(dest="name", required=True, metavar="NAME")
    names.add_parser("all", help="all but those that need other programs")
    for name in registry.NAMES:
        module = registry.find_experiment(name)
        one = names.add_parser(name, help=registry.summary_of(module))
        one.add_argument(
            "--out", metavar="FILE", type=Path, help="(experiments/results/NAME.json)"
        )
        module.add_arguments(one)
    train = commands.add_parser("train", help="train a rival, a judge or an ablation")
    trainings = train.add_subparsers(dest="training", required=True, metavar="NAME")
    # Only what is asked for is imported: trainings import Keras.
    for name in registry.TRAINERS:
        one = trainings.add_parser(name)
        if "train" in words and name in words:
            registry.find_trainer(name).add_arguments(one)
    return parser


if __name__ == "__main__":
    sys.exit(main())
