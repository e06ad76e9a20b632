# SPDX-License-Identifier: Apache-2.0
"""Commands of training.

python -m training fit PRESET --run runs/PRESET     phase 1, resumable
python -m training export PRESET --run ... --out DIR    a bundle from a run
python -m training classical --out DIR              the bundle without networks
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from pathlib import Path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    fit = commands.add_parser("fit", help="train a preset, or go on with it")
    fit.add_argument("preset")
    fit.add_argument("--run", type=Path, required=True, help="the run folder")
    fit.add_argument("--steps", type=int, help="steps in all (default: the preset's)")
    fit.add_argument("--threads", type=int, default=1, help="of the CPU (default: 1)")
    export = commands.add_parser("export", help="make a bundle of a run")
    export.add_argument("preset")
    export.add_argument("--run", type=Path, required=True, help="the run folder")
    export.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    classical = commands.add_parser(
        "classical", help="make the bundle without networks"
    )
    classical.add_argument("--out", type=Path, required=True, help="its folder")
    return parser


def _classical(options: argparse.Namespace) -> None:
    from training.classical import make_classical

    make_classical(options.out)


def _fit(options: argparse.Namespace) -> None:
    # Both must be set before the backend is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    from training.presets import find_preset
    from training.trainer import fit

    preset = find_preset(options.preset)
    if options.steps:
        preset = dataclasses.replace(preset, n_steps=options.steps)
    _limit_threads(options.threads)
    fit(preset, options.run, log=lambda row: print(row, flush=True))


def _export(options: argparse.Namespace) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from training.export import export_bundle
    from training.presets import find_preset

    print(export_bundle(find_preset(options.preset), options.run, options.out))


def _limit_threads(n_threads: int) -> None:
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        tf.config.threading.set_inter_op_parallelism_threads(n_threads)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status."""
    from dynamic_deep.errors import DynamicDeepError

    options = _parser().parse_args(arguments)
    try:
        commands = {"fit": _fit, "export": _export, "classical": _classical}
        commands[options.command](options)
    except DynamicDeepError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
