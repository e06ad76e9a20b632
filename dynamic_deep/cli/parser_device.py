# SPDX-License-Identifier: Apache-2.0
"""The options of the commands for those who build a device."""

from __future__ import annotations

from typing import Any

from dynamic_deep.cli.options import add_command, add_json

DEVICE_BUNDLE = "edge"


def _add_export(commands: Any) -> None:
    parser = add_command(
        commands,
        "export",
        "Write what firmware needs: C sources, tables, the int8 model, test vectors.",
        "The folder's README.md says how to build it; see docs/firmware.md, too.",
    )
    parser.add_argument(
        "--c", metavar="DIR", required=True, help="the folder to write, a new one"
    )
    parser.add_argument(
        "--bundle",
        metavar="NAME|DIR",
        default=DEVICE_BUNDLE,
        help=f"one with an int8 encoder (default {DEVICE_BUNDLE})",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace an earlier export in DIR"
    )
    add_json(parser)


COMMANDS = (_add_export,)
