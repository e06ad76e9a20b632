# SPDX-License-Identifier: Apache-2.0
"""Train the paper's codec (levels 32 and 64) through its three phases, and ship it.

    python -m experiments train paper --run runs/paper

Phase 1 learns to reconstruct, phase 2 keeps what a frozen rhythm network needs, phase 3
trains the error heads. The same command again goes on where the last checkpoint stands.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dynamic_deep.bundle import load_bundle
from experiments.networks.paper import PAPER_WEIGHTS
from experiments.networks.paper_segments import SEGMENT_LEN, split_segments
from experiments.train.paper_data import LabelledWindows, RandomSegments, native_leads
from experiments.train.paper_model import (
    PaperCodec,
    even_out,
    freeze_norms,
    start_locally,
)
from experiments.train.paper_ship import ship
from training.averaged import cosine
from training.restore_task import restore_task
from training.trainer import keep_settings, load_checkpoint, run_steps

TASK_BUNDLE = "monitor"


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A phase that trains the codec.

    Attributes:
        n_steps: of Adam, whose rate falls by a cosine to zero.
        batch: segments a step in phase 1, windows in phase 2.
        weights: of the mean square error and of the cross entropy, each level's.
    """

    n_steps: int
    batch: int
    learning_rate: float = 1e-3
    weights: tuple[float, float] = (0.5, 0.0)
    seed: int = 20266


PHASES = {
    1: Phase(n_steps=2200, batch=16),
    2: Phase(n_steps=2400, batch=4, weights=(0.4, 0.1)),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this training."""
    parser.add_argument("--run", type=Path, default=Path("runs/paper"), metavar="DIR")
    parser.add_argument(
        "--weights", type=Path, default=PAPER_WEIGHTS, metavar="DIR", help="to write to"
    )
    parser.add_argument(
        "--until", choices=("1", "2", "ship"), default="ship", help="stop after it"
    )


def build(phase: Phase, rhythm: keras.Model | None = None) -> PaperCodec:
    """Return the codec compiled for a phase, with every weight and slot built."""
    keras.utils.set_random_seed(phase.seed)
    codec = PaperCodec(rhythm, weights=phase.weights)
    codec(np.zeros((1, SEGMENT_LEN, 1), np.float32))
    if rhythm is not None:
        freeze_norms(codec)
    optimizer = keras.optimizers.Adam(phase.learning_rate, clipnorm=1.0)
    codec.compile(optimizer=optimizer, jit_compile=False)
    optimizer.build(codec.trainable_variables)
    return codec


def _fit(codec: PaperCodec, run: Path, phase: Phase, batch_of: Any) -> None:
    """Take the steps of a phase; `batch_of` gives x and y of a step."""
    run.mkdir(parents=True, exist_ok=True)
    keep_settings(run / "config.json", phase)
    since: list[dict[str, float]] = []

    def train_step(step: int) -> float:
        rate = phase.learning_rate * cosine(step / phase.n_steps)
        codec.optimizer.learning_rate = rate
        figures = codec.train_on_batch(*batch_of(step), return_dict=True)
        since.append({name: float(value) for name, value in figures.items()})
        if (step + 1) % 50 == 0:
            means = {
                k: round(float(np.mean([r[k] for r in since])), 4) for k in figures
            }
            print(step + 1, json.dumps(means), flush=True)
            since.clear()
        return float(figures["loss"])

    run_steps(codec, run, train_step, n_steps=phase.n_steps, log=lambda row: None)


def fit_phase_1(run: Path) -> None:
    """Learn to reconstruct segments of both data sets."""
    phase = PHASES[1]
    codec = build(phase)
    sets = [
        native_leads(name, "train", kept_in=run.parent / "leads")
        for name in ("cinc2017", "mitdb")
    ]
    segments = RandomSegments(sets, seed=phase.seed)

    y_32, y_64 = even_out(codec.encoder, segments.batch(phase.n_steps, phase.batch))
    even_out(codec.decoder_32, y_32)
    even_out(codec.decoder_64, y_64)
    start_locally(codec.decoder_32)
    start_locally(codec.decoder_64)

    def batch_of(step: int) -> tuple[Any, Any]:
        x = segments.batch(step, phase.batch)
        return x, x

    _fit(codec, run, phase, batch_of)


def fit_phase_2(run: Path, begun: Path) -> None:
    """Go on from phase 1 with the frozen rhythm network in the loss."""
    phase = PHASES[2]
    windows = LabelledWindows.of_split(
        "train", seed=phase.seed, kept_in=run.parent / "leads"
    )
    codec = build(phase, frozen_rhythm())
    take_weights(codec, begun)

    def batch_of(step: int) -> tuple[Any, Any]:
        x, classes = windows.batch(step, phase.batch)
        segments, scales = split_segments(x)
        flat = segments.reshape(-1, SEGMENT_LEN, 1)
        return flat, (scales.reshape(-1, 2), classes)

    _fit(codec, run, phase, batch_of)


def frozen_rhythm() -> keras.Model:
    """Return the rhythm network of the shipped bundle."""
    return restore_task(load_bundle(TASK_BUNDLE), "rhythm")


def take_weights(codec: PaperCodec, run: Path) -> None:
    """Give a codec the weights that another phase ended with."""
    begun = build(PHASES[1])
    load_checkpoint(run / "checkpoint.npz", begun)
    for mine, other in zip(
        (codec.encoder, codec.decoder_32, codec.decoder_64),
        (begun.encoder, begun.decoder_32, begun.decoder_64),
        strict=True,
    ):
        mine.set_weights(other.get_weights())


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run what is left of the phases and write the weights."""
    fit_phase_1(options.run / "phase1")
    if options.until != "1":
        fit_phase_2(options.run / "phase2", options.run / "phase1")
    if options.until == "ship":
        return ship(trained(options.run), options.run, options.weights)
    return {}


def trained(run: Path) -> PaperCodec:
    """Return the codec as phase 2 left it."""
    codec = build(PHASES[2], frozen_rhythm())
    load_checkpoint(run / "phase2" / "checkpoint.npz", codec)
    return codec


if __name__ == "__main__":
    _parser = argparse.ArgumentParser()
    add_arguments(_parser)
    run(_parser.parse_args())
