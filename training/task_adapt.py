# SPDX-License-Identifier: Apache-2.0
"""Phase 2b: the tasks learn to say of a decoded window what they say of the raw one.

    python -m training adapt rhythm --codec BUNDLE --tasks RUNS --run RUN

BUNDLE is of phase 2, as `aware ... --out BUNDLE` makes it; with several of them the
task learns to bear each.

The codec of phase 2 was trained with the tasks frozen. Here it is the codec that is
frozen, and a task goes on learning from labelled windows as before, and from pairs: its
answer on a decoded window is drawn to its own answer on the raw one. The labels keep
the answers from becoming the same by saying nothing.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import WINDOW_LEN
from training.adapt_windows import PairWindows, pair_windows, voted_windows, voters
from training.averaged import compile_averaged, cosine
from training.task_networks import build_task_network
from training.task_presets import TaskPreset
from training.task_terms import LOSSES, SOFTENED, softened
from training.task_trainer import LOSSES as LABEL_LOSSES
from training.task_trainer import Windows, labelled_windows
from training.task_windows import PeakWindows
from training.trainer import (
    keep_settings,
    load_checkpoint,
    run_steps,
    save_checkpoint,
)

BEFORE = "before.npz"  # in a run folder: the task as phase 2 had it


@dataclass(frozen=True, kw_only=True)
class AdaptPreset:
    """A training run of phase 2b.

    Attributes:
        task: the training that is gone on with.
        n_steps: steps in all.
        n_labelled: windows of a batch with labels.
        n_pairs: pairs of a batch.
        pair_weight: of the pairs' loss.
        learning_rate: the highest.
        highest_gain: of the levels of the pairs; what a level has lost can't be learnt.
        cinc_share: of the windows with labels of R peaks are of CinC, with the beats
            that the network, before it is adapted, finds by a vote.
        label_delta: where the Huber loss of R peaks turns from square to absolute.
        is_mutual: whether the two answers of a pair are drawn to each other, and not
            that on the decoded window alone: of what compression may take away a
            network should not be sure on the raw window either.
        kept_share: how much of each weight as it was before stays in the end. Halfway
            between the two a network may be as robust as after and as accurate as
            before (Wortsman et al. 2022, arXiv 2109.01903).
    """

    task: TaskPreset
    n_steps: int
    n_labelled: int = 16
    n_pairs: int = 16
    pair_weight: float
    learning_rate: float = 7e-4
    highest_gain: float = math.inf
    cinc_share: float = 0.0
    label_delta: float = 1.0
    is_mutual: bool = False
    kept_share: float = 0.0
    seed: int = 31


class _Pairs(keras.Model):
    """The task's network with the loss of labels and pairs."""

    def __init__(self, network: keras.Model, preset: AdaptPreset) -> None:
        super().__init__(name="pairs")
        self.network = network
        self.preset = preset
        self.pair_mean = keras.metrics.Mean("pair_error")

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.network(ops.concatenate(list(inputs)), training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        preset = self.preset
        n_labelled, n_pairs = preset.n_labelled, preset.n_pairs
        task = preset.task.task
        label = ops.mean(_label_loss(preset, y, y_pred[:n_labelled]))
        if not n_pairs:
            return label
        raw = y_pred[n_labelled : n_labelled + n_pairs]
        if not preset.is_mutual:
            raw = ops.stop_gradient(raw)
        error = LOSSES[task](raw, y_pred[n_labelled + n_pairs :])
        self.pair_mean.update_state(ops.mean(error))
        cost = softened(error) if task in SOFTENED else error
        return label + preset.pair_weight * ops.mean(cost)


def _label_loss(preset: AdaptPreset, y: Any, y_pred: Any) -> Any:
    if preset.task.task == "rpeaks":
        loss = keras.losses.huber(y, y_pred, delta=preset.label_delta)
        return loss / preset.label_delta  # as steep as ever where it is absolute
    return keras.losses.get(LABEL_LOSSES[preset.task.task])(y, y_pred)


def build_adapted(preset: AdaptPreset) -> keras.Model:
    """Return the network and its loss, compiled, every weight and slot built."""
    keras.utils.set_random_seed(preset.seed)
    network = build_task_network(preset.task.task, preset.task.size)
    model = _Pairs(network, preset)
    compile_averaged(
        model,
        [np.zeros((1, WINDOW_LEN, 1), np.float32)] * 3,
        learning_rate=preset.learning_rate,
        weight_decay=preset.task.weight_decay,
        ema_momentum=preset.task.ema_momentum,
    )
    return model


def adapted_task(preset: AdaptPreset, run: Path) -> keras.Model:
    """Return the network of a run: the moving average of its weights.

    Of the weights before, which the run folder keeps, some may be in it.
    """
    model = build_adapted(preset)
    before = None
    if preset.kept_share:
        load_checkpoint(run / BEFORE, model)
        before = model.network.get_weights()
    load_checkpoint(run / "checkpoint.npz", model)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    if before is not None:
        share, after = preset.kept_share, model.network.get_weights()
        model.network.set_weights(
            [share * a + (1.0 - share) * b for a, b in zip(before, after, strict=True)]
        )
    return model.network


def fit_adapted(
    preset: AdaptPreset,
    trained: keras.Model,
    bundles: Sequence[Bundle],
    run: Path,
    *,
    log: Callable[[dict[str, Any]], None],
) -> keras.Model:
    """Train phase 2b to its last step and return the averaged network.

    Args:
        preset: what to train.
        trained: the task's network as phase 2 had it.
        bundles: the codecs of phase 2.
        run: the run folder; made if it isn't there, resumed if it is.
        log: gets a row of metrics now and then.
    """
    run.mkdir(parents=True, exist_ok=True)
    keep_settings(run / "config.json", preset)
    model = build_adapted(preset)
    model.network.set_weights(trained.get_weights())
    if preset.kept_share and not (run / BEFORE).exists():
        save_checkpoint(run / BEFORE, model, 0)

    @functools.cache  # decoded for a step that is to be taken, not for a finished run
    def windows() -> tuple[Windows, PairWindows]:
        labelled = labelled_windows(preset.task, bundles[0])
        if preset.cinc_share and isinstance(labelled, PeakWindows):
            versions = voters(bundles, preset.highest_gain)
            voted = voted_windows(
                labelled, versions, trained, run, share=preset.cinc_share
            )
            return voted, PairWindows(versions.decoded, seed=preset.seed)
        return labelled, pair_windows(
            preset.task.task, bundles, preset.highest_gain, seed=preset.seed
        )

    def train_step(step: int) -> Any:
        labelled, pairs = windows()
        warm = min(1.0, (step + 1) / 100)
        share = warm * cosine(step / preset.n_steps)
        model.optimizer.learning_rate = preset.learning_rate * share
        # Of the second cycle, where there is one: the steps after the task's own.
        x, y = labelled.batch(preset.task.n_steps + step, preset.n_labelled)
        raw, decoded = pairs.batch(step, preset.n_pairs)
        return model.train_on_batch([x, raw, decoded], y)

    run_steps(model, run, train_step, n_steps=preset.n_steps, log=log)
    return adapted_task(preset, run)
