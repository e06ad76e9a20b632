# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import argparse
import math
from typing import Any

DEFAULT_LEVEL = "gain_64"
DEFAULT_BUNDLE = "standard"


def positive(text: str) -> float:
    """Return a finite number above zero, for argparse."""
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"must be above 0, got {text}")
    return value


def not_negative(text: str) -> float:
    """Return a finite number of zero or more, for argparse."""
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {text}")
    return value


def count(text: str) -> int:
    """Return a whole number above zero, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text}")
    return value


def lead_numbers(text: str) -> tuple[int, ...]:
    """Return the leads of a list with commas, from 0, for argparse."""
    parts = text.split(",")
    if not all(part.strip().isdigit() for part in parts):
        raise argparse.ArgumentTypeError(
            f"must be whole numbers from 0, with commas, such as 0 or 0,1; got {text}"
        )
    return tuple(dict.fromkeys(int(part) for part in parts))


def add_command(commands: Any, name: str, text: str, epilog: str = "") -> Any:
    """Add a command; the module that runs it has its name.

    Args:
        commands: what `add_subparsers` returned.
        name: what a user types.
        text: what it does, a sentence.
        epilog: what the help ends with.

    Returns:
        Its parser.
    """
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


def add_extent(parser: Any) -> None:
    """Add which leads and how many windows of each recording."""
    parser.add_argument(
        "--lead",
        type=lead_numbers,
        metavar="N",
        help="only these leads, from 0, with commas (default: all)",
    )
    parser.add_argument(
        "--max-windows",
        type=count,
        metavar="N",
        help="only N windows of each recording, evenly spread (default: all)",
    )


def add_bundle(parser: Any, default: str | None = DEFAULT_BUNDLE) -> None:
    """Add --bundle."""
    shown = f"default {default}" if default else "default: the one the file names"
    parser.add_argument(
        "--bundle",
        metavar="NAME|DIR",
        default=default,
        help=f"standard, edge, classical (no networks) or a folder ({shown})",
    )


def add_precision(parser: Any) -> None:
    """Add --precision."""
    parser.add_argument(
        "--precision",
        choices=("float", "int8"),
        default="float",
        help="of the encoder; int8 is what a microcontroller computes, and decodes "
        "alike (default float)",
    )


def add_reading(parser: Any) -> None:
    """Add what an input without a header needs."""
    parser.add_argument(
        "--fs",
        type=positive,
        metavar="HZ",
        help="sampling frequency of a CSV or NPY input that does not state it",
    )
    parser.add_argument(
        "--gain",
        type=positive,
        metavar="ADU",
        help="ADC units per mV of a CSV or NPY input",
    )


def add_output(parser: Any, what: str) -> None:
    """Add where to write, and how to report."""
    parser.add_argument("-o", "--output", metavar="OUT", help=what)
    parser.add_argument(
        "--force", action="store_true", help="overwrite what is there already"
    )
    add_jobs(parser, "files of a folder")
    add_json(parser)
    parser.add_argument(
        "--quiet", action="store_true", help="no result lines and no progress bar"
    )


def add_jobs(parser: Any, what: str) -> None:
    """Add --jobs."""
    parser.add_argument(
        "--jobs",
        type=count,
        default=1,
        metavar="N",
        help=f"processes that share the {what} (default 1)",
    )


def add_json(parser: Any) -> None:
    """Add --json."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object instead of text"
    )


def add_requirement(parser: Any, *, max_prdn: str, max_error_uv: str) -> None:
    """Add the bounds that a user can ask for, with what they do here."""
    parser.add_argument("--max-prdn", type=positive, metavar="P", help=max_prdn)
    parser.add_argument(
        "--max-error-uv", type=not_negative, metavar="UV", help=max_error_uv
    )
