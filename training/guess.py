# SPDX-License-Identifier: Apache-2.0
"""What the error heads are to see in a window: what the tasks make of it, guessed.

Features and summary learn the task's own answer on the raw window, and how near its
beats are to being others. Any signal can teach that, without a level being tried.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from dynamic_deep.config import SEGMENT_LEN, SEGMENTS_PER_WINDOW
from dynamic_deep.networks import build_head_features, build_summary
from dynamic_deep.networks.error_heads import N_CLASSES
from training.beat_doubts import N_DOUBTS
from training.datasets import RandomWindows
from training.head_presets import HeadPreset
from training.head_steps import compile_head, set_rate
from training.head_targets import Lessons
from training.model import CodecModel

FloatArray = npt.NDArray[np.float32]
# Against the cross entropy of the answer, which ends about 0.4.
SEGMENT_WEIGHT, WINDOW_WEIGHT = 2.0, 8.0


class Guess(keras.Model):
    """Head features and summary, trained to guess what tasks make of a window.

    The task's mean answer is a part of the summary. The doubts about its beats are read
    from features and summary by layers that are not shipped.
    """

    def __init__(self, codec: CodecModel) -> None:
        """Build the trainable parts; the codec stays as it is."""
        super().__init__(name="guess")
        n_features = codec.trunk.output_shape[-1]
        self.features = build_head_features(codec.config, n_features)
        self.summary = build_summary(self.features.output_shape[-1])
        self.doubts_of_segment = layers.Dense(N_DOUBTS)
        self.doubts_of_window = layers.Dense(N_DOUBTS)

    def call(self, maps: Any, training: bool = False) -> Any:
        """Return summaries, and the doubts about segments and windows.

        Args:
            maps: of the trunk, (n, 4, n_steps, n_features).
            training: whether there is dropout.

        Returns:
            (n, w), (n, 4, N_DOUBTS) and (n, N_DOUBTS).
        """
        flat = ops.reshape(maps, (-1, *maps.shape[-2:]))
        features = self.features(flat)
        segments = ops.reshape(features, (-1, SEGMENTS_PER_WINDOW, features.shape[-1]))
        summary = self.summary(segments, training=training)
        of_window = self.doubts_of_window(summary[:, :-N_CLASSES])
        return summary, self.doubts_of_segment(segments), of_window

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return cross entropy with the answer, and squared errors of the doubts."""
        answer, doubts = y
        summary, of_segment, of_window = y_pred
        cross = -ops.mean(ops.sum(answer * summary[:, -N_CLASSES:], axis=-1))
        return (
            cross
            + SEGMENT_WEIGHT * ops.mean(ops.square(doubts - of_segment))
            + WINDOW_WEIGHT * ops.mean(ops.square(worst_doubts(doubts) - of_window))
        )


def worst_doubts(doubts: Any) -> Any:
    """Return the doubts about a window: (n, 4, N_DOUBTS) -> (n, N_DOUBTS).

    Of the segments the faintest beat, the highest bump, and the mean of the shares.
    """
    faintest = ops.min(doubts[..., :1], axis=1)
    highest = ops.max(doubts[..., 1:2], axis=1)
    return ops.concatenate(
        [faintest, highest, ops.mean(doubts[..., 2:], axis=1)], axis=-1
    )


def trunk_maps(codec: CodecModel, windows: FloatArray) -> FloatArray:
    """Return the frozen trunk's map of each segment: (n, 4, n_steps, n_features)."""
    found = keras.ops.convert_to_numpy(
        codec.trunk(windows.reshape(-1, SEGMENT_LEN, 1), training=False)
    )
    return np.asarray(found.reshape(-1, SEGMENTS_PER_WINDOW, *found.shape[1:]))


def fit_guess(
    codec: CodecModel,
    lessons_of: Callable[[FloatArray], Lessons],
    windows: RandomWindows,
    preset: HeadPreset,
    *,
    log: Callable[[str], None],
) -> Guess:
    """Train features and summary to guess what `lessons_of` says of raw windows."""
    keras.utils.set_random_seed(preset.seed)
    guess = Guess(codec)
    size, losses = preset.guess_batch, []
    compile_head(guess, preset, trunk_maps(codec, windows.batch(0, 2)))

    @functools.lru_cache(maxsize=preset.guess_pool)
    def drawn(index: int) -> tuple[npt.NDArray[np.float16], Lessons]:
        x = windows.batch(index, size)
        return trunk_maps(codec, x).astype(np.float16), lessons_of(x)

    for step in range(preset.n_guess_steps):
        set_rate(guess, preset, step=step, n_steps=preset.n_guess_steps)
        index = step % preset.guess_pool if preset.guess_pool else step
        maps, lessons = drawn(index)
        loss = guess.train_on_batch(maps.astype(np.float32), lessons)
        losses.append(float(np.ravel(loss)[0]))
        if (step + 1) % 250 == 0:
            log(f"guess {step + 1}/{preset.n_guess_steps}: {np.mean(losses):.4f}")
            losses.clear()
    guess.optimizer.finalize_variable_values(guess.trainable_variables)
    return guess


def summaries(guess: Guess, codec: CodecModel, windows: FloatArray) -> FloatArray:
    """Return the summary of each window, (n, width)."""
    parts = [
        keras.ops.convert_to_numpy(guess(trunk_maps(codec, windows[i : i + 32]))[0])
        for i in range(0, len(windows), 32)
    ]
    return np.concatenate(parts)
