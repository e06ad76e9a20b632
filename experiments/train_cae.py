# SPDX-License-Identifier: Apache-2.0
"""Train the autoencoder of Yildirim et al. 2018, with checkpoints, and resume.

    python -m experiments train cae --level 32 --data mitdb --run runs/cae/32_mitdb
    python -m experiments train cae --level 32 --data cinc \
        --from runs/cae/32_mitdb --run runs/cae/32_cinc

`mitdb` learns from MIT-BIH alone, as published; `cinc` goes on from such a run with
CinC 2017 beside it. `--from` takes over every weight of another run that has the same
layer, so that levels 16 and 64 can begin from 32. Training records only.

Known of the original: mean squared error, 2000 samples scaled to [0, 1]. Not known, or
other here: records are split by patient instead of at random by segment; segments begin
anywhere instead of at multiples of 2000; both leads are learned from; Adam at a rate of
1e-3 that falls to 0 along a cosine, batches of 32 and the numbers of steps below are
ours (re-implementations use Adadelta or Adam; epochs are not published).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamic_deep.errors import ConfigError
from experiments.train_cae_data import RandomSegments, load_native_leads

if TYPE_CHECKING:
    import keras

DATA_SETS = {"mitdb": ("mitdb",), "cinc": ("mitdb", "cinc2017")}
# Enough for the curve to flatten within the hour that all six take on two cores.
N_STEPS = {
    ("mitdb", 16): 700,
    ("mitdb", 32): 2500,
    ("mitdb", 64): 700,
    ("cinc", 16): 400,
    ("cinc", 32): 1000,
    ("cinc", 64): 400,
}
WEIGHTS = "weights.npz"  # of a run
WEIGHTS_FOLDER = Path(__file__).parent / "weights"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CaeTraining:
    """One training.

    Attributes:
        level: 16, 32 or 64.
        data: mitdb or cinc.
        n_steps: batches.
        begin: the run whose weights it begins with; empty for none.
        learning_rate: the highest, of Adam.
        n_warmup_steps: until then.
        batch_size: segments.
        seed: of weights and batches.
    """

    level: int
    data: str
    n_steps: int
    begin: str = ""
    learning_rate: float = 1e-3
    n_warmup_steps: int = 100
    batch_size: int = 32
    seed: int = 2018

    def __post_init__(self) -> None:
        """Check that there is such a network and such data."""
        if (self.data, self.level) not in N_STEPS:
            raise ConfigError(
                "level and data must be 16, 32 or 64 and mitdb or cinc, got "
                f"{self.level} and {self.data!r}"
            )
        if self.n_steps < 1:
            raise ConfigError(f"n_steps must be at least 1, got {self.n_steps}")


def learning_rate_at(step: int, training: CaeTraining) -> float:
    """Return the learning rate of a step: warm up, then a cosine to 0."""
    warm = min(1.0, (step + 1) / training.n_warmup_steps)
    fall = 0.5 * (1.0 + np.cos(np.pi * step / training.n_steps))
    return float(training.learning_rate * warm * fall)


def build_trainable(training: CaeTraining) -> keras.Model:
    """Return the network of a training, compiled, with every weight and slot built.

    Raises:
        ConfigError: If the run it begins from has no weights.
    """
    import keras

    from experiments.yildirim2018 import build_autoencoder

    keras.utils.set_random_seed(training.seed)
    model = build_autoencoder(training.level)
    # Compiled by XLA a step takes 0.6 s of one core instead of 1.6 s.
    model.compile(
        optimizer=keras.optimizers.Adam(training.learning_rate),
        loss="mse",
        jit_compile=True,
    )
    model.optimizer.build(model.trainable_variables)
    if training.begin:
        take_weights(model, Path(training.begin) / WEIGHTS)
    return model


def take_weights(model: keras.Model, path: Path) -> list[str]:
    """Take over the weights of layers that another run has, too.

    Of the last dense layer as many rows as both have, which belong to the same samples;
    the others begin at 0.

    Args:
        model: an autoencoder.
        path: what `save_weights` wrote.

    Returns:
        The names of the weights that were not there.

    Raises:
        ConfigError: If there is no such file.
    """
    if not path.is_file():
        raise ConfigError(
            f"a run to begin from must hold {path.name}, got {str(path.parent)!r}; "
            "let it end first"
        )
    missing = []
    with np.load(path, allow_pickle=False) as stored:
        for name, variable in named_weights(model).items():
            if name not in stored:
                missing.append(name)
            elif stored[name].shape == tuple(variable.shape):
                variable.assign(stored[name])
            else:
                value = np.zeros(variable.shape, np.float32)
                n_rows = min(len(value), len(stored[name]))
                value[:n_rows] = stored[name][:n_rows]
                variable.assign(value)
    return missing


def named_weights(model: keras.Model) -> dict[str, Any]:
    """Return the weights of an autoencoder by the names of part, layer and weight."""
    return {
        f"{part.name}/{layer.name}/{variable.name}": variable
        for part in (model.get_layer("encoder"), model.get_layer("decoder"))
        for layer in part.layers
        for variable in layer.weights
    }


def save_weights(path: Path, model: keras.Model) -> None:
    """Write the weights by name beside `path`, then rename."""
    import keras

    arrays = {
        name: keras.ops.convert_to_numpy(variable)
        for name, variable in named_weights(model).items()
    }
    beside = path.with_suffix(".part.npz")
    np.savez(beside, **arrays)
    os.replace(beside, path)


def fit(training: CaeTraining, run: Path) -> keras.Model:
    """Train to the last step, or what is left of it, and return the network.

    Args:
        training: what to train.
        run: the run folder; made if it isn't there, resumed if it is.

    Raises:
        ConfigError: If the records are missing, or the run began with other settings.
    """
    from training.trainer import keep_settings, run_steps

    run.mkdir(parents=True, exist_ok=True)
    keep_settings(run / "config.json", training)
    model = build_trainable(training)
    names = DATA_SETS[training.data]
    sets = [load_native_leads(name, "train") for name in names]
    segments = RandomSegments(sets, seed=training.seed)

    def train_step(step: int) -> Any:
        model.optimizer.learning_rate = learning_rate_at(step, training)
        x = segments.batch(step, training.batch_size)
        return model.train_on_batch(x, x)

    run_steps(
        model,
        run,
        train_step,
        n_steps=training.n_steps,
        log=lambda row: print(json.dumps(row), file=sys.stderr, flush=True),
    )
    save_weights(run / WEIGHTS, model)
    return model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a training needs to know."""
    parser.add_argument("--level", type=int, choices=(16, 32, 64), default=32)
    parser.add_argument("--data", choices=tuple(DATA_SETS), default="mitdb")
    parser.add_argument(
        "--from", dest="begin", default="", metavar="RUN", help="run to begin from"
    )
    parser.add_argument(
        "--steps", type=int, help="batches of 32 (default: as the shipped weights)"
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument(
        "--out", type=Path, default=WEIGHTS_FOLDER, help="folder of the small weights"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train, and write what the coder needs to `experiments/weights`."""
    key = options.data, options.level
    training = CaeTraining(
        level=options.level,
        data=options.data,
        n_steps=options.steps or N_STEPS[key],
        begin=options.begin,
    )
    model = fit(training, options.run)

    from experiments.train_cae_export import write_weights

    words = ["--level", str(training.level), "--data", training.data]
    words += ["--from", training.begin] if training.begin else []
    command = f"python -m experiments train cae {shlex.join(words)}"
    described = {"command": command, **dataclasses.asdict(training)}
    return write_weights(
        model, options.out, f"cae{training.level}_{training.data}", described
    )
