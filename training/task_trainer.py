# SPDX-License-Identifier: Apache-2.0
"""Train a task network, with checkpoints, and resume.

    python -m training task rhythm_compact --codec BUNDLE --run runs/rhythm

Half of the windows are raw and half as the codec of phase 1 gives them back, so that
the answer hangs on the heart and not on what compression takes away.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.tasks.peaks import find_peaks
from training.averaged import compile_averaged, cosine
from training.datasets import Lead, load_leads
from training.decoded import decoded_versions, long_enough
from training.task_networks import build_task_network
from training.task_presets import TaskPreset, find_task_preset
from training.task_windows import (
    PeakWindows,
    RhythmWindows,
    beat_times,
    rhythm_labels,
)
from training.trainer import (
    keep_settings,
    load_checkpoint,
    run_steps,
    save_checkpoint,
)

Windows = RhythmWindows | PeakWindows
PeakTimes = list[npt.NDArray[np.float64]]


def masked_cross_entropy(
    classes: keras.KerasTensor, answer: keras.KerasTensor
) -> keras.KerasTensor:
    """Return the cross entropy of each output; 0 where `classes` is all zeros.

    Keras' own takes the gradient of softmax for granted, which is right only where the
    classes sum to 1.

    Args:
        classes: float32 (n_windows, n_outputs, 4), one-hot, mixed, or zeros.
        answer: float32, the same shape, probabilities.

    Returns:
        float32 (n_windows, n_outputs), nats.
    """
    log_answer = keras.ops.log(keras.ops.clip(answer, 1e-7, 1.0))
    return -keras.ops.sum(classes * log_answer, axis=-1)


LOSSES = {"rhythm": masked_cross_entropy, "rpeaks": "huber"}


def cosine_rate(step: int, preset: TaskPreset) -> float:
    """Return the learning rate of a step: warm up, then a cosine to zero, or two."""
    n_first = preset.n_first_cycle
    if step < n_first:
        at, highest = step / n_first, preset.learning_rate
    else:
        at = (step - n_first) / (preset.n_steps - n_first)
        highest = preset.learning_rate / 2.0
    warm = min(1.0, (step + 1) / preset.n_warmup_steps)
    return highest * warm * cosine(at)


def build_task(preset: TaskPreset) -> keras.Model:
    """Return the network of a preset, compiled, with every weight and slot built."""
    keras.utils.set_random_seed(preset.seed)
    model = build_task_network(preset.task, preset.size)
    compile_averaged(
        model,
        np.zeros((1, WINDOW_LEN, 1), np.float32),
        learning_rate=preset.learning_rate,
        weight_decay=preset.weight_decay,
        ema_momentum=preset.ema_momentum,
        loss=LOSSES[preset.task],
    )
    return model


def trained_task(preset: TaskPreset, run: Path) -> keras.Model:
    """Return the network of a run: the moving average of its weights.

    Args:
        preset: what was trained.
        run: the run folder; its last checkpoint counts.

    Raises:
        ConfigError: If the folder holds no checkpoint.
    """
    model = build_task(preset)
    load_checkpoint(run / "checkpoint.npz", model)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def trained_tasks(
    names: Iterable[str], runs: Path, *, size: str = "compact"
) -> dict[str, keras.Model]:
    """Return the trained networks of some tasks by name.

    Args:
        names: of the tasks.
        runs: a folder that holds a run folder of the name of each task.
        size: compact or paper.

    Raises:
        ConfigError: If there is no such task or size, or no run of it.
    """
    return {
        name: trained_task(find_task_preset(f"{name}_{size}"), runs / name)
        for name in names
    }


def fit_task(
    preset: TaskPreset,
    bundle: Bundle,
    run: Path,
    *,
    log: Callable[[dict[str, Any]], None],
) -> keras.Model:
    """Train a preset to its last step and return the averaged network.

    Args:
        preset: what to train.
        bundle: the codec of phase 1, whose reconstructions it learns to bear.
        run: the run folder; made if it isn't there, resumed if it is.
        log: gets a row of metrics now and then.

    Raises:
        ConfigError: If there is no such network, the records are missing, or the run
            was begun with other settings.
    """
    run.mkdir(parents=True, exist_ok=True)
    keep_settings(run / "config.json", preset)
    model = build_task(preset)
    windows: list[Windows] = []
    n_labelled = round(preset.labelled_share * preset.n_steps)

    def train_step(step: int) -> Any:
        if not windows:  # decoded for a step that is to be taken, not before
            windows.append(labelled_windows(preset, bundle))
        labelled = windows[0]
        is_due = step >= n_labelled and len(windows) == 1
        if is_due and isinstance(labelled, PeakWindows):
            save_checkpoint(run / "checkpoint.npz", model, step)
            with _averaged(model):
                windows.append(taught_windows(model, labelled, bundle, run))
        model.optimizer.learning_rate = cosine_rate(step, preset)
        return model.train_on_batch(*windows[-1].batch(step, preset.batch_size))

    run_steps(model, run, train_step, n_steps=preset.n_steps, log=log)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def labelled_windows(preset: TaskPreset, bundle: Bundle) -> Windows:
    """Return windows of the records that have labels for the task."""
    if preset.task == "rhythm":
        leads = load_leads("cinc2017", "train")
        labels = rhythm_labels()
        classes = [labels[lead.record] for lead in leads]
        return RhythmWindows(decoded_versions(leads, bundle), classes, preset)
    leads = load_leads("mitdb", "train")
    peaks = [beat_times(lead.record) for lead in leads]
    source = decoded_versions(leads, bundle), peaks
    return PeakWindows([source], [1.0], seed=preset.seed)


@contextlib.contextmanager
def _averaged(model: keras.Model) -> Iterator[None]:
    """Let a model in training have its averaged weights for a while."""
    kept = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, kept, strict=True):
            variable.assign(value)


def taught_windows(
    model: keras.Model, labelled: PeakWindows, bundle: Bundle, run: Path
) -> PeakWindows:
    """Return the labelled windows, and of CinC with the peaks the model finds.

    Args:
        model: the network that finds them on the raw leads.
        labelled: windows with annotated peaks, half of those to come.
        bundle: the codec whose reconstructions are seen, too.
        run: the folder that keeps the peaks, so that a resumed run has the same.
    """
    leads = long_enough(load_leads("cinc2017", "train"))
    found = _own_peaks(model, leads, run / "own_peaks.npz")
    sources = [*labelled.sources, (decoded_versions(leads, bundle), found)]
    return PeakWindows(sources, [0.5, 0.5], seed=labelled.seed)


def _own_peaks(model: keras.Model, leads: list[Lead], path: Path) -> PeakTimes:
    """Return the peaks the network finds; they are kept in `path`."""
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            return [stored[lead.record] for lead in leads]
    peaks = []
    for lead in leads:
        x = lead.x[: len(lead.x) // 64 * 64, None]
        distance = model(x[None], training=False)
        peaks.append(find_peaks(keras.ops.convert_to_numpy(distance)[0, :, 0]))
    found = {lead.record: at for lead, at in zip(leads, peaks, strict=True)}
    np.savez_compressed(path, **found)  # type: ignore[arg-type]
    return peaks
