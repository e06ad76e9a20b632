# SPDX-License-Identifier: Apache-2.0
"""`measure`: makes the files of measured times and gains that `report` reads."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from dynamic_deep.cli.files import whole_file
from dynamic_deep.errors import ConfigError


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `measure decode` and `measure gain`."""
    parser = commands.add_parser("measure", help="measure decode times and gains")
    kinds = parser.add_subparsers(dest="kind", required=True)
    decode = kinds.add_parser("decode", help="time the decoder and the tasks")
    decode.add_argument("records", nargs="+", metavar="RECORD", help="at 300 Hz")
    decode.add_argument(
        "--bundle", default="monitor", help="name or folder (default monitor)"
    )
    decode.add_argument(
        "--windows", type=int, default=40, help="in the file (default 40)"
    )
    decode.add_argument(
        "--repeats", type=int, default=5, help="the fastest counts (default 5)"
    )
    _add_output(decode)
    decode.set_defaults(do=_decode)
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
    _add_output(gain)
    gain.set_defaults(do=_gain)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="JSON file"
    )


def _decode(options: argparse.Namespace) -> None:
    from costmodel.measure_decode import Timing, time_decoder

    timing = Timing(
        bundle=options.bundle, n_windows=options.windows, n_repeats=options.repeats
    )
    command = (
        f"python -m costmodel measure decode RECORDS --bundle {options.bundle} "
        f"--windows {options.windows} --repeats {options.repeats}"
    )
    _write({"command": command} | time_decoder(options.records, timing), options.output)


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
