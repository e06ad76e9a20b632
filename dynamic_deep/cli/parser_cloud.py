# SPDX-License-Identifier: Apache-2.0
"""The options of `cloud`: take in, list, check, decode. Nothing here does any work."""

from __future__ import annotations

import argparse
from typing import Any

from dynamic_deep.cli.options import add_command, add_json, count, positive
from dynamic_deep.cli.parser_cloud_decode import add_bench, add_decode, names, time_utc

_STORE = "folder or gs://BUCKET/PREFIX"
DESCRIPTION = """\
Take in what devices send, store it, find it and decode it.

  dynamic-deep cloud ingest --broker mqtts://broker.example --keys keys \\
      --store gs://ward-ecg --state /var/lib/dynamic-deep --password-file secret
  dynamic-deep cloud list gs://ward-ecg --from 2026-11-27T09:00 --devices bed-7
  dynamic-deep cloud check gs://ward-ecg
  dynamic-deep cloud decode gs://ward-ecg -o rows

How to run it all on Google Cloud: docs/cloud.md.
"""


def add_cloud(commands: Any) -> None:
    """Add the group `cloud`."""
    parser = commands.add_parser(
        "cloud",
        help="take in, store, list, check and decode what devices send",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    group = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (_add_ingest, _add_list, _add_check, _add_quarantine):
        add(group)
    add_decode(group)
    add_bench(group)


def _add(group: Any, name: str, text: str, epilog: str = "") -> Any:
    parser = add_command(group, name, text, epilog)
    parser.set_defaults(module=f"dynamic_deep.cli.cloud_{name}")
    return parser


def _add_ingest(group: Any) -> None:
    parser = _add(
        group,
        "ingest",
        "Receive the messages of devices, and store their sessions.",
        "SIGTERM and Ctrl-C make durable what has come, and end it with status 0. One "
        "process\nmay use a state folder at a time; it may be killed at any point and "
        "goes on.",
    )
    parser.add_argument(
        "--broker",
        metavar="URL",
        required=True,
        help="mqtts://HOST[:PORT], mqtt://... without TLS, or embedded[:PORT]: one of "
        "its own, for trials on this machine (127.0.0.1 only, no passwords)",
    )
    parser.add_argument("--store", metavar="STORE", required=True, help=_STORE)
    parser.add_argument(
        "--keys",
        metavar="KEYS",
        required=True,
        help="folder of DEVICE.toml, or gcp-secrets://PROJECT",
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        required=True,
        help="folder for what is not in the store yet, on a disk that keeps it",
    )
    _add_login(parser)
    _add_times(parser)
    _add_watching(parser)


def _add_login(parser: Any) -> None:
    parser.add_argument(
        "--ca", metavar="FILE", help="authority of the broker (default: the system's)"
    )
    parser.add_argument(
        "--user", metavar="NAME", default="ingest", help="user (default ingest)"
    )
    parser.add_argument(
        "--password-file", metavar="FILE", help="holds the password in its first line"
    )


def _add_times(parser: Any) -> None:
    parser.add_argument(
        "--publish-after",
        type=positive,
        metavar="S",
        help="store sessions that go on, too, every S seconds as far as they have come "
        "(default: only when they are whole, at most an hour)",
    )
    parser.add_argument(
        "--give-up-after",
        type=positive,
        metavar="DAYS",
        default=30.0,
        help="store a session without its missing messages when it has been silent for "
        "so long (default 30)",
    )
    parser.add_argument(
        "--until-idle",
        type=positive,
        metavar="S",
        help="end when nothing has come for S seconds (default: go on)",
    )


def _add_watching(parser: Any) -> None:
    parser.add_argument(
        "--metrics-port",
        type=count,
        metavar="N",
        help="serve /metrics and /healthz there (default: not at all)",
    )
    parser.add_argument(
        "--metrics-host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="address to serve them at (default 127.0.0.1)",
    )
    add_json(parser)


def _add_list(group: Any) -> None:
    parser = _add(
        group,
        "list",
        "List the sessions of a store by device and time.",
        "Times are those of the devices' clocks, in UTC. Sessions of unknown time are "
        "listed\nonly if neither --from nor --to is given.",
    )
    parser.add_argument("store", metavar="STORE", help=_STORE)
    parser.add_argument(
        "--from",
        dest="start",
        type=time_utc,
        metavar="TIME",
        help="such as 2026-11-27T09:00, in UTC if no zone is stated",
    )
    parser.add_argument(
        "--to", dest="end", type=time_utc, metavar="TIME", help="itself not in it"
    )
    parser.add_argument(
        "--devices", type=names, metavar="IDS", help="only these, with commas"
    )
    add_json(parser)


def _add_check(group: Any) -> None:
    parser = _add(
        group,
        "check",
        "Check every object of a store: names, headers, checksums, index.",
        "Nothing is decoded. The exit status is 1 if anything is at fault.",
    )
    parser.add_argument("store", metavar="STORE", help=_STORE)
    add_json(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_quarantine(group: Any) -> None:
    parser = _add(
        group,
        "quarantine",
        "Show the messages that ingest did not take, and why.",
        "It may run beside ingest.",
    )
    parser.add_argument("state", metavar="DIR", help="the state folder of ingest")
    parser.add_argument(
        "--limit", type=count, metavar="N", default=100, help="the newest (default 100)"
    )
    parser.add_argument(
        "--dump", metavar="FOLDER", help="write their bytes there, a file each"
    )
    add_json(parser)


COMMANDS = (add_cloud,)
