# SPDX-License-Identifier: Apache-2.0
"""Commands of training.

python -m training fit PRESET --run RUN --out BUNDLE     train, go on, make a bundle
python -m training export PRESET --run RUN --out BUNDLE  a bundle of a run as it stands
python -m training classical --out BUNDLE                the bundle without networks
python -m training records mitdb|cinc2017 SPLIT          the paths of a split's records
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from pathlib import Path
from typing import Any


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    fit = commands.add_parser("fit", help="train a preset, or go on with it")
    fit.add_argument("preset")
    fit.add_argument("--run", type=Path, required=True, help="the run folder")
    fit.add_argument("--steps", type=int, help="steps in all (default: the preset's)")
    fit.add_argument("--out", type=Path, help="then make a bundle in this folder")
    fit.add_argument("--threads", type=int, default=1, help="of the CPU (default: 1)")
    export = commands.add_parser("export", help="make a bundle of a run")
    export.add_argument("preset")
    export.add_argument("--run", type=Path, required=True, help="the run folder")
    export.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    classical = commands.add_parser(
        "classical", help="make the bundle without networks"
    )
    classical.add_argument("--out", type=Path, required=True, help="its folder")
    records = commands.add_parser("records", help="print the paths of a split")
    records.add_argument("data_set", help="mitdb or cinc2017")
    records.add_argument("split", help="train, validation, calibration or test")
    return parser


def _records(options: argparse.Namespace) -> None:
    from training.datasets import record_paths

    for path in record_paths(options.data_set, options.split):
        print(path)


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
    fit(
        preset,
        options.run,
        log=lambda row: print(_line(row, preset.n_steps), flush=True),
    )
    if options.out:
        _export(options)


def _export(options: argparse.Namespace) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from training.export import export_bundle
    from training.presets import find_preset

    reached = export_bundle(find_preset(options.preset), options.run, options.out)
    print(f"{options.out}: {options.preset} after {reached['n_steps']} steps")
    for name, figures in reached["validation"].items():
        note = "" if name in reached["levels"] else ": left out"
        print(
            f"  {name:9} {figures['bits_per_sample']:.4f} b/s, "
            f"PRDN {figures['prdn']} %, {figures['advantage']:.2f} x the wavelet{note}"
        )


def _line(row: dict[str, Any], n_steps: int) -> str:
    """Return a row of metrics as a person reads it."""
    names = [key.removeprefix("prdn_") for key in row if key.startswith("prdn_")]
    levels = [f"{n} {row[f'prdn_{n}']:.1f}% {row[f'bps_{n}']:.3f}b" for n in names]
    seconds_a_step = row["seconds"] / max(row["n_new"], 1)
    minutes_left = (n_steps - row["step"]) * seconds_a_step / 60
    left = f"{minutes_left:.0f} min left"
    return f"{row['step']}/{n_steps}, {left}: " + ", ".join(levels)


def _limit_threads(n_threads: int) -> None:
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        tf.config.threading.set_inter_op_parallelism_threads(n_threads)


_COMMANDS = {
    "fit": _fit,
    "export": _export,
    "classical": _classical,
    "records": _records,
}


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status."""
    from dynamic_deep.errors import DynamicDeepError

    options = _parser().parse_args(arguments)
    try:
        _COMMANDS[options.command](options)
    except DynamicDeepError as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
