# SPDX-License-Identifier: Apache-2.0
"""The command line: `dynamic-deep encode | decode | info | verify | ...`.

Exit status: 0 done, 1 an error of the package or of the system as one line on
standard error, 2 wrong usage, 130 interrupted. Results go to standard output; progress
and problems to standard error. A command's module, and with it whatever is slow to
import, is loaded only when that command runs.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence

from dynamic_deep.cli.failures import UsageError, describe, report
from dynamic_deep.cli.files import flush_out, silence_out
from dynamic_deep.cli.parser import build_parser
from dynamic_deep.cli.signals import ending_on_sigterm
from dynamic_deep.errors import DynamicDeepError

__all__ = ["main"]

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_BROKEN_PIPE = 128 + 13  # SIGPIPE, by number because Windows has no such signal


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    Args:
        argv: The arguments without the program's name; those of the process if None.

    Returns:
        0 done, 1 an error, 2 wrong usage, 130 interrupted.
    """
    # The codec's matrix products are tiny: more BLAS threads only spin, and take from
    # the processes of --jobs. It counts only before NumPy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        with ending_on_sigterm():
            return _guarded(argv)
    except KeyboardInterrupt:
        report("interrupted, nothing half-written is left")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        silence_out()
        return EXIT_BROKEN_PIPE
    except OSError as exc:  # of standard output; those of files are reported below
        silence_out()
        report(describe(exc))
        return EXIT_ERROR


def _guarded(argv: Sequence[str] | None) -> int:
    """Parse and run; usage errors become a status, the others pass through."""
    try:
        args = build_parser().parse_args(argv)
    except SystemExit as exc:  # argparse has written its message already
        flush_out()
        return exc.code if isinstance(exc.code, int) else EXIT_USAGE
    command: Callable[..., int] = importlib.import_module(args.module).run
    try:
        status = command(args)
    except UsageError as exc:
        args.parser.print_usage(sys.stderr)
        print(f"{args.parser.prog}: error: {exc}", file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:
        raise
    except (DynamicDeepError, OSError) as exc:
        report(describe(exc, getattr(args, "input", None)))
        status = EXIT_ERROR
    flush_out()
    return status
