# SPDX-License-Identifier: Apache-2.0
"""Which rhythm a window shows, by the network of the bundle.

An answer holds the probabilities of the four classes every 256 samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import RHYTHM_CLASSES
from dynamic_deep.config import RHYTHM_STEP_LEN as STEP_LEN
from dynamic_deep.engine import Network
from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks.protocol import Answer, FloatArray, checked_window, standardized

CLASSES = RHYTHM_CLASSES
LEAST = 1e-6  # a probability is taken as at least this, so that no error is infinite


class RhythmTask:
    """Classes of rhythm, as in the CinC 2017 challenge.

    Args:
        content: the network, a `.tflite` file.
    """

    name = "rhythm"
    references: tuple[str, ...] = ("raw", "label")

    def __init__(self, content: bytes) -> None:
        """Load the network."""
        self._network = Network(content, "task_rhythm")

    def answer(self, x: FloatArray) -> Answer:
        """Return the probabilities: float32 (n_outputs, 4), in the order of `CLASSES`.

        Samples after the last whole 256 are not looked at.
        """
        x = standardized(checked_window(x))
        x = np.pad(x, (0, max(0, STEP_LEN - len(x))), mode="edge")
        whole = x[: len(x) // STEP_LEN * STEP_LEN]
        (probabilities,) = self._network.run(whole[None, :, None])
        return np.asarray(probabilities[0], dtype=np.float32)

    def decide(self, answer: Answer) -> str:
        """Return the class of a window: the likeliest on average."""
        return CLASSES[int(np.argmax(answer.mean(axis=0)))]

    def error(self, reference: Answer, answer: Answer) -> float:
        """Return KL(reference || answer), mean over the outputs, nats."""
        if reference.shape != answer.shape:
            raise ConfigError(
                f"answers must be of the same window, got {reference.shape} and "
                f"{answer.shape}; give both the same samples"
            )
        p, q = _probabilities(reference), _probabilities(answer)
        divergence = np.sum(p * np.log(p / q), axis=-1)
        # Raised to LEAST the probabilities sum to a little over 1.
        return max(0.0, float(divergence.mean()))

    def label_error(self, label: object, answer: Answer) -> float:
        """Return the cross entropy, mean over the outputs, nats.

        Args:
            label: one of `CLASSES`.
            answer: the probabilities.
        """
        if label not in CLASSES:
            raise ConfigError(
                f"a label of rhythm must be one of {', '.join(CLASSES)}; got {label!r}"
            )
        true = _probabilities(answer)[:, CLASSES.index(str(label))]
        return float(-np.log(true).mean())


def _probabilities(answer: Answer) -> npt.NDArray[np.float64]:
    return np.clip(answer.astype(np.float64), LEAST, 1.0)
