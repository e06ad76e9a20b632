# SPDX-License-Identifier: Apache-2.0
"""Commands of the cost model."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from costmodel import cli_measure, cli_report
from costmodel.price_files import LATEST, load_prices, price_list_names
from costmodel.prices import all_prices
from dynamic_deep.cli.failures import describe
from dynamic_deep.cli.files import flush_out, print_out, silence_out
from dynamic_deep.errors import DynamicDeepError

PROGRAM = "python -m costmodel"
DESCRIPTION = """\
Estimate what a ward's ECG stream costs in the cloud, by the year.

python -m costmodel report --beds 200     the table, break-even points, emissions
python -m costmodel prices                every price with its source and date
python -m costmodel measure gain          measure what a bound gives in bytes
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: without the program's name; those of the process if None.

    Returns:
        0 done, 1 an error as one line on standard error, 2 wrong usage.
    """
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 2
    try:
        options.do(options)
        flush_out()
    except BrokenPipeError:  # nobody reads on
        silence_out()
        return 1
    except (DynamicDeepError, OSError) as error:
        print(f"costmodel: {describe(error)}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    cli_report.add_command(commands)
    prices = commands.add_parser("prices", help="list prices with source and date")
    prices.add_argument(
        "--prices",
        metavar="NAME|FILE",
        help=f"{', '.join(price_list_names())}, {LATEST} or a .toml file (default: "
        "all that are shipped)",
    )
    prices.add_argument("--json", action="store_true", help="one JSON object")
    prices.set_defaults(do=_prices)
    cli_measure.add_command(commands)
    return parser


def _prices(options: argparse.Namespace) -> None:
    from costmodel.report_text import prices_text

    names = [options.prices] if options.prices else price_list_names()
    lists = [load_prices(name) for name in names]
    if not options.json:
        print_out("\n\n".join(prices_text(prices) for prices in lists))
        return
    facts = {
        prices.name: [
            {
                "price": path,
                "usd": price.usd,
                "unit": price.unit,
                "where": price.source.where,
                "date": str(price.source.date),
                "status": price.source.status,
                "note": price.source.note,
            }
            for path, price in all_prices(prices)
        ]
        for prices in lists
    }
    print_out(json.dumps(facts, indent=2))
