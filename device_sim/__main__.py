# SPDX-License-Identifier: Apache-2.0
"""Commands of the simulated device; `python -m device_sim COMMAND --help` says more.

Exit status: 0 done, 1 an error as one line on standard error, 2 wrong usage, 130
interrupted. Results go to standard output, progress and problems to standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    from device_sim import cli_energy, cli_footprint, cli_run

    parser = argparse.ArgumentParser(
        prog="python -m device_sim",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # Each gives its parsers the default `do`: a function of the parsed arguments that
    # returns the exit status, or None for 0.
    for module in (cli_run, cli_energy, cli_footprint):
        module.add_commands(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status.

    Args:
        argv: the arguments without the program's name; those of the process if None.
    """
    # More threads of BLAS only spin on matrices this small; counts before NumPy loads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from dynamic_deep.cli.failures import UsageError, describe
    from dynamic_deep.cli.signals import ending_on_sigterm
    from dynamic_deep.errors import DynamicDeepError

    try:
        args = build_parser().parse_args(argv)
    except SystemExit as exc:  # argparse has written its message already
        return exc.code if isinstance(exc.code, int) else EXIT_USAGE
    try:
        with ending_on_sigterm():
            return args.do(args) or 0
    except UsageError as exc:
        print(f"python -m device_sim {args.command}: {exc}", file=sys.stderr)
        return EXIT_USAGE
    except (DynamicDeepError, OSError) as exc:
        print(f"device_sim: {describe(exc)}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("device_sim: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
