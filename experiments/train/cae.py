# SPDX-License-Identifier: Apache-2.0
"""Train the autoencoder of Yildirim et al. 2018, with checkpoints, and resume.

    python -m experiments train cae --level 32 --data mitdb --run runs/cae/32_mitdb
    python -m experiments train cae --level 32 --data cinc --from runs/cae/32_mitdb \
        --run runs/cae/32_cinc

`mitdb` learns from MIT-BIH alone, as published; `cinc` goes on from such a run with
CinC 2017 beside it. `--from` takes over the weights of the layers that both networks
have, so that levels 16 and 64 can begin from 32. Training records only.

Known of the original: mean squared error, 2000 samples scaled to [0, 1]. Not known, or
other here, to be kind to it where there was a choice:

- Records are split by patient, not segments at random; both leads are learned from, and
  segments begin anywhere. Weights begin by He's rule, which suits ReLU.
- Adam at 1e-3 that falls to 0 along a cosine, gradients clipped to a norm of 1 as in
  Dynamic-Deep (re-implementations use Adadelta or Adam).
- Two phases. Trained as it stands the network did not leave the mean signal within
  800 batches of 32. So first a convolution stands in for the dense layer of 15.9
  million weights; then the dense layer begins as that convolution, and all is trained.
- Epochs are not published. Ours are few: see `train_cae_plan`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynamic_deep.errors import ConfigError
from experiments import weights_folder
from experiments.train.cae_data import RandomSegments, load_native_leads
from experiments.train.cae_plan import CaeTraining, Phase, learning_rate_at, plan

if TYPE_CHECKING:
    import keras

DATA_SETS = {"mitdb": ("mitdb",), "cinc": ("mitdb", "cinc2017")}


def compile_network(model: keras.Model, phase: Phase) -> None:
    """Compile a network and build every slot of its optimiser."""
    import keras

    model.compile(
        optimizer=keras.optimizers.Adam(phase.learning_rate, clipnorm=1.0),
        loss="mse",
        jit_compile=phase.is_compiled,
    )
    model.optimizer.build(model.trainable_variables)


def fit(training: CaeTraining, run: Path) -> keras.Model:
    """Train to the last step, or what is left of it, and return the network.

    Args:
        training: what to train.
        run: the run folder; made if it isn't there, resumed if it is.

    Raises:
        ConfigError: If the records are missing, or the run began with other settings.
    """
    from experiments.train.cae_network import (
        WEIGHTS,
        build_network,
        save_weights,
        unfold,
    )
    from training.trainer import keep_settings

    run.mkdir(parents=True, exist_ok=True)
    keep_settings(run / "config.json", training)
    model, convolutional = build_network(training)
    names = DATA_SETS[training.data]
    sets = [load_native_leads(name, "train") for name in names]
    segments = RandomSegments(sets, seed=training.seed)
    fit_phase(convolutional, training.convolutional, segments, run / "convolutional")
    unfold(model, convolutional)
    fit_phase(model, training.dense, segments, run / "dense")
    save_weights(run / WEIGHTS, model, convolutional)
    return model


def fit_phase(
    model: keras.Model, phase: Phase, segments: RandomSegments, folder: Path
) -> None:
    """Take the steps of a phase that are not taken yet.

    Args:
        model: either form of the network; its output may end before the segment.
        phase: how.
        segments: what from.
        folder: of checkpoint and metrics.
    """
    from training.trainer import run_steps

    folder.mkdir(exist_ok=True)
    compile_network(model, phase)

    def train_step(step: int) -> Any:
        model.optimizer.learning_rate = learning_rate_at(step, phase)
        x = segments.batch(step + phase.first_batch, phase.batch_size)
        return model.train_on_batch(x, x[:, : model.output_shape[1]])

    run_steps(
        model,
        folder,
        train_step,
        n_steps=phase.n_steps,
        log=lambda row: print(json.dumps(row), file=sys.stderr, flush=True),
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a training needs to know."""
    parser.add_argument("--level", type=int, choices=(16, 32, 64), default=32)
    parser.add_argument("--data", choices=tuple(DATA_SETS), default="mitdb")
    parser.add_argument(
        "--from", dest="begin", default="", metavar="RUN", help="run to begin from"
    )
    parser.add_argument(
        "--steps", type=int, help="batches of 8 (default: as the shipped weights)"
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument(
        "--out",
        type=Path,
        default=weights_folder.WEIGHTS,
        help="folder of the small weights",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train, and write what the coder needs to `experiments/weights`."""
    training = plan(
        options.level, options.data, n_steps=options.steps, begin=options.begin
    )
    model = fit(training, options.run)

    from experiments.train.cae_export import write_weights

    steps = history(training, options.run)
    described = {
        "commands": [command for command, _ in steps],
        "n_steps_in_all": sum(n_steps for _, n_steps in steps),
        **dataclasses.asdict(training),
    }
    return write_weights(
        model, options.out, f"cae{training.level}_{training.data}", described
    )


def history(training: CaeTraining, run: Path) -> list[tuple[str, int]]:
    """Return the command and the steps of every run that led to this one, in order.

    Raises:
        ConfigError: If a run that one began from is gone.
    """
    words = ["--level", str(training.level), "--data", training.data]
    words += ["--steps", str(training.convolutional.n_steps)]
    words += ["--from", training.begin] if training.begin else []
    words += ["--run", str(run)]
    last = (
        f"python -m experiments train cae {shlex.join(words)}",
        training.convolutional.n_steps,
    )
    if not training.begin:
        return [last]
    before = Path(training.begin)
    return [*history(training_of(before), before), last]


def training_of(run: Path) -> CaeTraining:
    """Return the training that a run folder was made by.

    Raises:
        ConfigError: If there is no such run.
    """
    path = run / "config.json"
    if not path.is_file():
        raise ConfigError(
            f"a run to begin from must be a run folder, got {run} without config.json; "
            "train it first"
        )
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name in ("convolutional", "dense"):
        kept[name] = Phase(**kept[name])
    return CaeTraining(**kept)
