# SPDX-License-Identifier: Apache-2.0
"""The commands of `dynamic-deep cloud`; nothing here does any work."""

from __future__ import annotations

import argparse
from typing import Any

from dynamic_deep.cli import parser_cloud_decode

DESCRIPTION = "Work on sessions in a store: a folder, or gs://BUCKET/PREFIX."


def add_cloud(commands: Any) -> None:
    """Add `cloud`, a command of commands."""
    parser = commands.add_parser(
        "cloud",
        help="work on sessions in a store",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    inner = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in parser_cloud_decode.COMMANDS:
        add(inner)


COMMANDS = (add_cloud,)
