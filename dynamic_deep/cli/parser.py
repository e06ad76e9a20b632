# SPDX-License-Identifier: Apache-2.0
"""The commands and their options; nothing here does any work."""

from __future__ import annotations

import argparse
from typing import Any

import dynamic_deep
from dynamic_deep.cli.options import (
    DEFAULT_LEVEL,
    add_bundle,
    add_jobs,
    add_json,
    add_output,
    add_reading,
    add_requirement,
    count,
)

DESCRIPTION = """\
Compress ECG recordings and restore them.

A recording is a WFDB record (100.hea, or just 100), EDF/EDF+, CSV/TSV, MAT, NPY or
NPZ file. A coded file ends in .ddc. Begin with these:

  dynamic-deep demo                          a first look, without any data
  dynamic-deep encode 100.hea -o 100.ddc     compress
  dynamic-deep info 100.ddc                  what is in it, and is it intact
  dynamic-deep verify 100.ddc 100.hea        how near is it to the original
  dynamic-deep decode 100.ddc -o copy/100    restore, as a WFDB record
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="dynamic-deep",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    version = f"dynamic-deep {dynamic_deep.__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in _COMMANDS:
        add(commands)
    return parser


def _command(commands: Any, name: str, text: str, epilog: str = "") -> Any:
    parser = commands.add_parser(
        name,
        help=text[0].lower() + text[1:].rstrip("."),
        description=text,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(module=f"dynamic_deep.cli.{name}", parser=parser)
    return parser


def _add_encode(commands: Any) -> None:
    parser = _command(
        commands,
        "encode",
        "Compress a recording, or every recording below a folder.",
        "examples:\n"
        "  dynamic-deep encode 100.hea                          -> 100.ddc beside it\n"
        "  dynamic-deep encode 100.hea --level lossless\n"
        "  dynamic-deep encode 100.hea --max-error-uv 10\n"
        "  dynamic-deep encode 100.hea --max-prdn 9\n"
        "  dynamic-deep encode mitdb -o coded --jobs 4          a whole folder\n"
        "  cat a.csv | dynamic-deep encode - --format csv --fs 250 --gain 200 > a.ddc",
    )
    parser.add_argument(
        "input", metavar="IN", help="a recording, a folder, or - for standard input"
    )
    add_output(parser, "the .ddc file or folder to write, or - (default: beside IN)")
    add_bundle(parser)
    parser.add_argument(
        "--level",
        metavar="NAME",
        help="how strongly to compress, see `dynamic-deep levels` (default "
        f"{DEFAULT_LEVEL}; near_lossless if --max-error-uv is given)",
    )
    add_requirement(
        parser,
        max_prdn="give each window the highest gain that keeps its PRDN, the error in "
        "%% of the signal's variation, within P",
        max_error_uv="no sample may be off by more than UV microvolts",
    )
    add_reading(parser)
    parser.add_argument(
        "--format", choices=("csv", "npy"), help="what standard input holds"
    )


def _add_decode(commands: Any) -> None:
    parser = _command(
        commands,
        "decode",
        "Restore a recording from a .ddc file, or all of a folder.",
        "A damaged file gives all that is whole; what is lost is filled with 0 mV,\n"
        "reported on standard error, and the exit status is 1.",
    )
    parser.add_argument(
        "input", metavar="IN", help="a .ddc file, a folder, or - for standard input"
    )
    add_output(parser, "the recording or folder to write, or - (default: beside IN)")
    parser.add_argument(
        "--format",
        choices=("wfdb", "edf", "csv", "mat", "npz"),
        help="what to write (default: as OUT ends, else wfdb; csv on standard output)",
    )
    add_bundle(parser, None)


def _add_info(commands: Any) -> None:
    parser = _command(
        commands,
        "info",
        "Show what is in a .ddc file and check every frame of it.",
        "Nothing is decoded. The exit status is 1 if the file is damaged.",
    )
    parser.add_argument("input", metavar="FILE", help="a .ddc file, or -")
    add_json(parser)


def _add_verify(commands: Any) -> None:
    parser = _command(
        commands,
        "verify",
        "Decode a .ddc file and measure it against the original recording.",
        "The exit status is 1 if a requirement is broken, if frames are lost, or if\n"
        "what was coded as lossless is not exact.",
    )
    parser.add_argument("input", metavar="FILE", help="a .ddc file")
    parser.add_argument("original", metavar="ORIGINAL", help="what it was made from")
    add_requirement(
        parser,
        max_prdn="fail if the PRDN of a window is above P %%",
        max_error_uv="fail if a sample is off by more than UV microvolts",
    )
    add_bundle(parser, None)
    add_reading(parser)
    add_json(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_levels(commands: Any) -> None:
    parser = _command(commands, "levels", "List the levels that a bundle offers.")
    add_bundle(parser)
    add_json(parser)


def _add_bench(commands: Any) -> None:
    parser = _command(
        commands,
        "bench",
        "Compare every level with general-purpose coders on given recordings.",
        "Bytes are counted as written, framing included; gains are sums over sums.",
    )
    parser.add_argument(
        "inputs", metavar="RECORD", nargs="+", help="a recording, or a folder of them"
    )
    _add_entrants(parser)
    parser.add_argument(
        "--max-windows",
        type=count,
        metavar="N",
        help="only N windows of each, evenly spread (default: all)",
    )
    add_jobs(parser, "recordings")
    parser.add_argument("--html", metavar="FILE", help="write a page with plots, too")
    parser.add_argument("--force", action="store_true", help="overwrite that page")
    add_json(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_entrants(parser: Any) -> None:
    parser.add_argument(
        "--bundle",
        metavar="NAME|DIR",
        action="append",
        help="as for encode; may be repeated (default standard)",
    )
    parser.add_argument(
        "--levels",
        metavar="NAMES",
        help="only these, with commas; * for any letters (default: all)",
    )
    parser.add_argument(
        "--baselines",
        metavar="NAMES",
        help="only these, with commas, or none (default: all that are installed)",
    )
    parser.add_argument(
        "--near",
        type=count,
        nargs="+",
        default=[2],
        metavar="ADU",
        help="bounds of near_lossless, ADC units (default 2)",
    )


def _add_data(commands: Any) -> None:
    parser = _command(commands, "data", "Fetch the public data sets from PhysioNet.")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    fetch = actions.add_parser(
        "fetch",
        help="download a data set and check it",
        description="Download a data set from PhysioNet and check it.",
        allow_abbrev=False,
    )
    fetch.set_defaults(parser=fetch)
    fetch.add_argument("dataset", choices=("mitdb", "cinc2017"))
    fetch.add_argument(
        "--dest",
        metavar="DIR",
        help="where to put it (default: the folder in DYNAMIC_DEEP_DATA, else .data)",
    )
    add_json(fetch)
    fetch.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_demo(commands: Any) -> None:
    parser = _command(
        commands,
        "demo",
        "Simulate an ECG, compress it and compare; needs no data.",
    )
    add_bundle(parser)
    parser.add_argument(
        "-o", "--output", metavar="DIR", help="keep the recording and the coded files"
    )
    parser.add_argument("--force", action="store_true", help="overwrite files in DIR")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the simulation (default 0)"
    )
    add_json(parser)


_COMMANDS = (
    _add_encode, _add_decode, _add_info, _add_verify, _add_levels, _add_bench,
    _add_data, _add_demo,
)  # fmt: skip
