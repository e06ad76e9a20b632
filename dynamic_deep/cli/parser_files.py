# SPDX-License-Identifier: Apache-2.0
"""The options of the commands that work on coded files."""

from __future__ import annotations

from typing import Any

from dynamic_deep.cli.bounds import UNITS, add_bound, add_choice, add_risk, add_sum
from dynamic_deep.cli.options import (
    DEFAULT_LEVEL,
    add_bundle,
    add_command,
    add_json,
    add_output,
    add_precision,
    add_reading,
    add_requirement,
)


def _add_encode(commands: Any) -> None:
    parser = add_command(
        commands,
        "encode",
        "Compress a recording, or every recording below a folder.",
        "examples:\n"
        "  dynamic-deep encode 100.hea                          -> 100.ddc beside it\n"
        "  dynamic-deep encode 100.hea --level lossless\n"
        "  dynamic-deep encode 100.hea --max-error-uv 10\n"
        "  dynamic-deep encode 100.hea --max-prdn 9\n"
        "  dynamic-deep encode 100.hea --bound rhythm=0.1 --risk 0.05\n"
        "  dynamic-deep encode 100.hea --bound rhythm=0.1,rpeaks=0 --check\n"
        "  dynamic-deep encode mitdb -o coded --jobs 4          a whole folder\n"
        "  cat a.csv | dynamic-deep encode - --format csv --fs 250 --gain 200 > a.ddc",
    )
    parser.add_argument(
        "input", metavar="IN", help="a recording, a folder, or - for standard input"
    )
    add_output(parser, "the .ddc file or folder to write, or - (default: beside IN)")
    add_bundle(parser)
    add_precision(parser)
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
    _add_task_bound(parser)
    add_reading(parser)
    parser.add_argument(
        "--format", choices=("csv", "npy"), help="what standard input holds"
    )


def _add_task_bound(parser: Any) -> None:
    group = parser.add_argument_group(
        "a bound on the error of a task",
        "give each window the highest gain at which a task still answers as it does on "
        "the\nsignal as measured; see docs/tasks.md for the tasks and their errors",
    )
    add_bound(
        group,
        "the task error that you accept in a window: one number, or one a task, such "
        f"as rhythm=0.1,rpeaks=0 ({UNITS})",
    )
    add_sum(group)
    add_risk(group, "the share of windows that may break the bound")
    add_choice(group)
    group.add_argument(
        "--check",
        action="store_true",
        help="decode each window and run the task on it before it is sent, so that "
        "none breaks the bound; slow, and needs neither --risk nor a calibration",
    )


def _add_decode(commands: Any) -> None:
    parser = add_command(
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
    parser = add_command(
        commands,
        "info",
        "Show what is in a .ddc file and check every frame of it.",
        "Nothing is decoded. The exit status is 1 if the file is damaged.",
    )
    parser.add_argument("input", metavar="FILE", help="a .ddc file, or -")
    add_json(parser)


def _add_verify(commands: Any) -> None:
    parser = add_command(
        commands,
        "verify",
        "Decode a .ddc file and measure it against the original recording.",
        "With --bound, tasks are run on every window of both. The exit status is 1 if\n"
        "a requirement is broken, if a larger share than --risk breaks the bound, if\n"
        "frames are lost, or if what was coded as lossless is not exact.",
    )
    parser.add_argument("input", metavar="FILE", help="a .ddc file")
    parser.add_argument("original", metavar="ORIGINAL", help="what it was made from")
    add_requirement(
        parser,
        max_prdn="fail if the PRDN of a window is above P %%",
        max_error_uv="fail if a sample is off by more than UV microvolts",
    )
    add_bound(
        parser,
        "the task error that a window may have: one number, or one a task, such as "
        f"rhythm=0.1,rpeaks=0 ({UNITS})",
    )
    add_sum(parser)
    add_risk(parser, "fail if a larger share of the windows breaks the bound")
    add_bundle(parser, None)
    add_reading(parser)
    add_json(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


COMMANDS = (_add_encode, _add_decode, _add_info, _add_verify)
