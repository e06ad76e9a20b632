# SPDX-License-Identifier: Apache-2.0
"""The options of `report`, with the defaults of a ward of 200 beds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from costmodel.bill import BROKER, FREE_INGEST, KEY_FOLDER, KEY_STORES
from costmodel.measured import DECODE_SPEED, GAINS
from costmodel.price_files import LATEST, price_list_names
from costmodel.workload import Workload

DEFAULT_PRICES = "gcp_2021"  # the paper's time, so that its figure can be compared
DEFAULT_TASKS = "rhythm,rpeaks"
DEFAULT_REGION = "us-central1"
USUAL = Workload()
Group = argparse._ArgumentGroup  # argparse has no public name for it


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add every option of `report`, in groups."""
    _add_ward(parser.add_argument_group("ward"))
    _add_cloud(parser.add_argument_group("cloud"))
    _add_measured(parser.add_argument_group("measured"))
    _add_output(parser.add_argument_group("output"))


def _add_ward(group: Group) -> None:
    number: dict[str, Any] = {"type": float, "metavar": "N"}
    group.add_argument("--beds", default=USUAL.beds, help="devices", **number)
    group.add_argument("--leads", default=USUAL.leads, type=int, help="of a device")
    group.add_argument("--fs", default=USUAL.fs, help="Hz", **number)
    group.add_argument(
        "--bytes-per-sample", default=USUAL.bytes_per_sample, help="raw", **number
    )
    group.add_argument(
        "--hours-per-day", default=USUAL.hours_per_day, help="recorded", **number
    )
    group.add_argument(
        "--windows-per-message",
        default=USUAL.windows_per_message,
        help="of each lead",
        **number,
    )
    group.add_argument(
        "--object-minutes", default=USUAL.object_s / 60, help="of signal", **number
    )
    group.add_argument(
        "--fetch", default=0.1, help="share of a year's recordings", **number
    )
    group.add_argument(
        "--tasks", default=DEFAULT_TASKS, help='run on every window, or "none"'
    )


def _add_cloud(group: Group) -> None:
    group.add_argument(
        "--prices",
        default=DEFAULT_PRICES,
        metavar="NAME|FILE",
        help=f"{', '.join(price_list_names())}, {LATEST} or a .toml file",
    )
    group.add_argument(
        "--retention-years", default=1.0, type=float, metavar="N", help="kept"
    )
    group.add_argument(
        "--bill-year",
        type=int,
        metavar="N",
        help="year of operation, from 1; without it the steady state",
    )
    group.add_argument(
        "--lifecycle",
        default="standard",
        metavar="CLASS:DAYS,...",
        help="such as nearline:30,coldline:90,archive:365",
    )
    group.add_argument(
        "--ingest",
        default=BROKER,
        help=f"{BROKER}, {FREE_INGEST}, or a messaging service such as pubsub",
    )
    group.add_argument("--keys", default=KEY_FOLDER, choices=KEY_STORES, help="where")
    group.add_argument(
        "--egress",
        default=0.0,
        type=float,
        metavar="N",
        help="share of what is fetched",
    )
    group.add_argument(
        "--region", default=DEFAULT_REGION, help="whose grid the emissions are of"
    )


def _add_measured(group: Group) -> None:
    group.add_argument(
        "--measured", type=Path, default=DECODE_SPEED, metavar="FILE", help="times"
    )
    group.add_argument(
        "--gains", type=Path, default=GAINS, metavar="FILE", help="gains by bound"
    )
    group.add_argument(
        "--bound", metavar="BOUND", help="which of them; the first if not given"
    )
    group.add_argument(
        "--slowdown",
        type=float,
        default=1.0,
        metavar="N",
        help="of the worker against the machine that times were measured on",
    )


def _add_output(group: Group) -> None:
    group.add_argument("--json", action="store_true", help="print one JSON object")
    group.add_argument("--csv", type=Path, metavar="FILE", help="the table as CSV")
    group.add_argument(
        "--plot", type=Path, metavar="FILE", help="cost against what is fetched"
    )
    group.add_argument(
        "--plot-sensitivity", type=Path, metavar="FILE", help="batching and gain"
    )
    group.add_argument(
        "--out", type=Path, metavar="DIR", help="all of these into a folder"
    )
