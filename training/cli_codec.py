# SPDX-License-Identifier: Apache-2.0
"""Commands of phase 1, of bundles and of the records."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from training.cli_backend import add_run_options, show_progress, start_backend


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add `fit`, `export`, `contexts`, `classical`, `records` and `beats`."""
    fit = commands.add_parser("fit", help="train a preset, or go on with it")
    fit.add_argument("preset")
    add_run_options(fit)
    fit.add_argument("--out", type=Path, help="then make a bundle in this folder")
    fit.set_defaults(do=_fit)
    export = commands.add_parser("export", help="make a bundle of a run")
    export.add_argument("preset")
    export.add_argument("--run", type=Path, required=True, help="the run folder")
    export.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    export.set_defaults(do=_export)
    contexts = commands.add_parser(
        "contexts",
        help="fit networks that foretell a bundle's symbols: fewer bytes, same samples",
    )
    contexts.add_argument("bundle", help="name or folder")
    contexts.add_argument("--run", type=Path, required=True, help="the run folder")
    contexts.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    contexts.set_defaults(do=_contexts)
    classical = commands.add_parser(
        "classical", help="make the bundle without networks"
    )
    classical.add_argument("--out", type=Path, required=True, help="its folder")
    classical.set_defaults(do=_classical)
    records = commands.add_parser("records", help="print the paths of a split")
    records.add_argument("data_set", help="mitdb or cinc2017")
    records.add_argument("split", help="train, validation, calibration or test")
    records.set_defaults(do=_records)
    beats = commands.add_parser(
        "beats", help="score the R peaks of a bundle on the raw signal of MIT-BIH"
    )
    beats.add_argument("bundle", help="name or folder")
    beats.add_argument("--split", default="test", help="train or test (default)")
    beats.set_defaults(do=_beats)


def _records(options: argparse.Namespace) -> None:
    from training.datasets import record_paths

    for path in record_paths(options.data_set, options.split):
        print(path)


def _beats(options: argparse.Namespace) -> None:
    from dynamic_deep.bundle import load_bundle
    from training.beats import score_beats, summed_up

    scores = score_beats(load_bundle(options.bundle), options.split)
    print(f"{options.bundle}, MIT-BIH {options.split}, lead 0, {len(scores)} records")
    for name, found in summed_up(scores).items():
        print(f"  {name:26} {found.value:.4f} ({found.low:.4f}-{found.high:.4f})")


def _classical(options: argparse.Namespace) -> None:
    from training.classical import make_classical

    make_classical(options.out)


def _fit(options: argparse.Namespace) -> None:
    start_backend(options.threads)
    from training.presets import find_preset
    from training.trainer import fit

    preset = find_preset(options.preset)
    if options.steps:
        preset = dataclasses.replace(preset, n_steps=options.steps)
    fit(preset, options.run, log=show_progress(preset.n_steps))
    if options.out:
        _make_bundle(options)


def _export(options: argparse.Namespace) -> None:
    start_backend()
    _make_bundle(options)


def _contexts(options: argparse.Namespace) -> None:
    start_backend()
    from training.contexts import fit_contexts

    reached = fit_contexts(
        options.bundle,
        options.run,
        options.out,
        log=lambda line: print(line, flush=True),
    )
    print(f"{options.out}: bytes of a window of CinC 2017 validation, before and after")
    for name, (before, after) in reached.items():
        change = 100.0 * (after / before - 1.0)
        print(f"  {name:11} {before:7.1f} {after:7.1f}  {change:+.1f} %")


def _make_bundle(options: argparse.Namespace) -> None:
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
