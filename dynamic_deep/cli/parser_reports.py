# SPDX-License-Identifier: Apache-2.0
"""The options of the commands that measure, describe and show."""

from __future__ import annotations

from typing import Any

from dynamic_deep.cli.bounds import add_bound, add_choice, add_risk, add_sum
from dynamic_deep.cli.options import (
    add_bundle,
    add_command,
    add_extent,
    add_jobs,
    add_json,
    add_precision,
    count,
    positive,
)


def _add_levels(commands: Any) -> None:
    parser = add_command(commands, "levels", "List the levels that a bundle offers.")
    add_bundle(parser)
    add_json(parser)


def _add_bench(commands: Any) -> None:
    parser = add_command(
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
    group = parser.add_argument_group(
        "rows that choose a level for each window",
        "the page draws the levels along the recordings",
    )
    add_bound(
        group,
        "as for encode; may be repeated (default rhythm=0.1, if the bundle has a "
        "calibration)",
        several=True,
    )
    add_sum(group)
    add_risk(group, "the share of windows that may break the bound")
    add_choice(group)
    group.add_argument(
        "--max-prdn",
        type=positive,
        metavar="P",
        help="a row whose windows each keep their PRDN within P %%",
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
        "--precision",
        choices=("float", "int8"),
        nargs="+",
        default=["float"],
        help="of the encoder; both give rows of each (default float)",
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


def _add_calibrate(commands: Any) -> None:
    parser = add_command(
        commands,
        "calibrate",
        "Make a calibration of your own recordings, so that bounds hold for them.",
        "The recordings need no labels. Use such as later ones will be like, of as\n"
        "many patients as you can, a recording each: the promise is for patients to\n"
        "come. Then: encode --bound ... --calibration FILE.npz",
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="standard, edge, or a folder")
    _add_tried(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE.npz", required=True, help="the file to write"
    )
    parser.add_argument(
        "--same-patients",
        action="store_true",
        help="promise for later windows of these patients only: windows count, not "
        "recordings, so few of them will do",
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite what is there already"
    )


def _add_evaluate(commands: Any) -> None:
    parser = add_command(
        commands,
        "evaluate",
        "Show what bounds on a task's error cost, and whether they are kept.",
        "Every level is tried on every window. Nothing is chosen on these recordings:\n"
        "thresholds and the best fixed level come from the calibration.",
    )
    _add_tried(parser)
    add_bundle(parser)
    parser.add_argument(
        "--labels",
        metavar="FILE.csv",
        help="rhythm classes, lines of record,label with A, N, O or ~",
    )
    add_bound(
        parser, "as for encode; may be repeated (default rhythm=0.1)", several=True
    )
    add_sum(parser)
    add_risk(parser, "the share of windows that may break the bound")
    add_choice(parser)


def _add_tried(parser: Any) -> None:
    parser.add_argument(
        "inputs", metavar="RECORD", nargs="+", help="a recording, or a folder of them"
    )
    add_extent(parser)
    add_precision(parser)
    add_jobs(parser, "recordings")
    add_json(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_data(commands: Any) -> None:
    parser = add_command(commands, "data", "Fetch the public data sets from PhysioNet.")
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
    parser = add_command(
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


COMMANDS = (
    _add_levels, _add_bench, _add_evaluate, _add_calibrate, _add_data, _add_demo,
)  # fmt: skip
