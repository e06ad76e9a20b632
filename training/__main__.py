# SPDX-License-Identifier: Apache-2.0
"""Commands of training.

python -m training fit PRESET --run RUN --out BUNDLE     train, go on, make a bundle
python -m training export PRESET --run RUN --out BUNDLE  a bundle of a run as it stands
python -m training contexts BUNDLE --run RUN --out BUNDLE
                                                         fewer bytes for its levels
python -m training task PRESET --codec BUNDLE --run RUN  train a task network
python -m training aware PRESET --phase-1 RUN --tasks RUNS --run RUN
                                                         phase 2, with frozen tasks
python -m training aware PRESET --from-bundle BUNDLE --task-bundle BUNDLE --run RUN
                                                         the same, from a bundle
python -m training adapt TASK --codec BUNDLE --tasks RUNS --run RUN
                                                         phase 2b, with frozen codec
python -m training heads PRESET --run RUN --tasks RUNS --out BUNDLE
                                                         phase 3, error heads
python -m training calibrate BUNDLE                      the calibrations it ships
python -m training pipeline PRESET --runs RUNS --out BUNDLE
                                                         all of these, in order
python -m training int8 BUNDLE                           its encoder in integers
python -m training classical --out BUNDLE                the bundle without networks
python -m training beats BUNDLE                          R peaks against annotations
python -m training records mitdb|cinc2017 SPLIT          the paths of a split's records
"""

from __future__ import annotations

import argparse
import logging
import sys

from training import cli_codec, cli_heads, cli_int8, cli_tasks


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for module in (cli_codec, cli_tasks, cli_heads, cli_int8):
        module.add_commands(commands)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status."""
    from dynamic_deep.cli.files import flush_out, silence_out
    from dynamic_deep.errors import DynamicDeepError

    options = _parser().parse_args(arguments)
    log = logging.getLogger("training")
    log.setLevel(logging.INFO)
    if not log.handlers:
        log.addHandler(logging.StreamHandler())
    try:
        options.do(options)
        flush_out()
    except BrokenPipeError:  # nobody reads on, as behind `head`
        silence_out()
        return 1
    except DynamicDeepError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
