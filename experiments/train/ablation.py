# SPDX-License-Identifier: Apache-2.0
"""Train one of the ablations and write its bundle.

    python -m experiments train ablation --name edge --run runs/ablation/edge

The run folder is as in `training.trainer`: the same command again goes on where the
last checkpoint stands. Ablation `no_rate` is measured against `edge`, whose run must be
finished beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.ablations.names import NO_RATE
from experiments.ablations.presets import (
    PRESETS,
    AblationPreset,
    find_ablation,
)
from experiments.weights_folder import ABLATIONS

if TYPE_CHECKING:
    from training.model import CodecModel

AGAINST = "edge"  # has the rate that the ablation without a rate term must meet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which ablation, and where its run and its bundle go."""
    parser.add_argument("--name", choices=list(PRESETS), required=True)
    parser.add_argument("--run", type=Path, metavar="DIR", help="the run folder")
    parser.add_argument("--out", type=Path, metavar="BUNDLE", help="its bundle")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")


def run(options: argparse.Namespace) -> None:
    """Train or go on, then write the bundle; say what it reached on validation."""
    from training.cli_backend import show_progress, start_backend

    start_backend(options.threads)
    from experiments.ablations.export import export_ablation

    preset = find_ablation(options.name)
    folder = options.run or Path("runs") / "ablation" / options.name
    model = train(preset, folder, log=show_progress(preset.n_steps))
    against = load(AGAINST, folder.parent) if options.name == NO_RATE else None
    bundle = options.out or ABLATIONS / options.name
    reached = export_ablation(preset, model, bundle, against=against)
    print(f"{bundle}: {reached['macs']:,} multiply-accumulates a segment")
    for level, figures in reached["validation"].items():
        print(
            f"  {level:9} {figures['bits_per_sample']:.4f} bits a sample, "
            f"PRDN {figures['prdn']} %"
        )


def build(preset: AblationPreset) -> CodecModel:
    """Return the model of an ablation, compiled, with every weight and slot built."""
    import keras
    import numpy as np

    from dynamic_deep.config import WINDOW_LEN
    from training.model import CodecModel, LossSettings

    keras.utils.set_random_seed(preset.seed)
    settings = LossSettings(
        n_ramp_steps=preset.n_ramp_steps, steer_rate=preset.steer_rate
    )
    model = CodecModel(preset.networks, seed=preset.seed, loss=settings)
    model.compile(
        optimizer=keras.optimizers.Adam(preset.learning_rate, clipnorm=1.0),
        jit_compile=False,
    )
    model(np.zeros((len(preset.networks.latents), WINDOW_LEN, 1), np.float32))
    model.optimizer.build(model.trainable_variables)
    if not preset.has_rate_term:
        # A weight of 0, and steering adds to its logarithm: it stays there.
        model.log_lmbda.assign(np.full(model.log_lmbda.shape, -np.inf, np.float32))
    return model


def train(preset: AblationPreset, folder: Path, *, log: Any) -> CodecModel:
    """Train an ablation to its last step.

    Args:
        preset: what to train.
        folder: of the run; made if it isn't there, resumed if it is.
        log: gets a row of metrics now and then.
    """
    from training.trainer import fit_model

    return fit_model(build(preset), preset, folder, log=log)


def load(name: str, runs: Path) -> CodecModel:
    """Return the model of an ablation whose run stands in a folder of runs."""
    from training.trainer import load_checkpoint

    model = build(find_ablation(name))
    load_checkpoint(runs / name / "checkpoint.npz", model)
    return model
