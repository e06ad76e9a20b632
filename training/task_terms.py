# SPDX-License-Identifier: Apache-2.0
"""The task's part of the loss, by frozen task networks (eqs. 2 and 3 of the paper).

    L = w0 L_R + L_w + lambda * bits,   L_w = sum of w_i L_i over the tasks

L_i is measured per window, against the task's own answer on the raw window (reference
`raw`) or against the annotated class (`label`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import keras
from keras import ops

from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks.protocol import REFERENCES
from training.task_weight import WEIGHT_POWER

# Beyond this a window's divergence counts by its logarithm: a lost window should not
# take the attention from those that can still be kept.
KNEE = 0.1


@dataclass(frozen=True, kw_only=True)
class TaskWeights:
    """The weights of the loss.

    Attributes:
        tasks: w_i by the name of the task.
        reference: raw or label; R peaks have labels in no set with rhythm labels, and
            are always measured against raw.
        power: how a task's weight rises with a level's gain; see `share_of_weight`.

    Raises:
        ConfigError: If there is no such reference or task.
    """

    tasks: dict[str, float] = field(default_factory=dict)
    reference: str = "raw"
    power: float = WEIGHT_POWER

    def __post_init__(self) -> None:
        """Check the words."""
        if self.reference not in REFERENCES:
            raise ConfigError(
                f"a reference must be one of raw, label; got {self.reference!r}"
            )
        unknown = set(self.tasks) - set(LOSSES)
        if unknown:
            raise ConfigError(
                f"tasks to train with must be among {', '.join(LOSSES)}; "
                f"got {', '.join(sorted(unknown))}"
            )


def kl_divergence(p: keras.KerasTensor, q: keras.KerasTensor) -> keras.KerasTensor:
    """Return the divergence of each window, nats: mean over its outputs.

    Args:
        p: float32 (n_windows, n_outputs, n_classes), the answer on the raw window.
        q: float32, the same shape, that on the decoded one.
    """
    p, q = ops.clip(p, 1e-6, 1.0), ops.clip(q, 1e-6, 1.0)
    return ops.mean(ops.sum(p * ops.log(p / q), axis=-1), axis=-1)


def cross_entropy(
    classes: keras.KerasTensor, q: keras.KerasTensor
) -> keras.KerasTensor:
    """Return the cross entropy of each window, nats: mean over its outputs.

    Args:
        classes: float32 (n_windows, n_classes), one-hot; zeros cost nothing.
        q: float32 (n_windows, n_outputs, n_classes), the answer on the decoded window.
    """
    q = ops.clip(q, 1e-6, 1.0)
    return -ops.mean(ops.sum(classes[:, None, :] * ops.log(q), axis=-1), axis=-1)


def map_huber(raw: keras.KerasTensor, decoded: keras.KerasTensor) -> keras.KerasTensor:
    """Return the Huber loss of each window's distance map, delta 1.

    Args:
        raw: float32 (n_windows, n_samples, 1), the map of the raw window.
        decoded: float32, the same shape, that of the decoded one.
    """
    gap = ops.abs(raw - decoded)
    huber = ops.where(gap < 1.0, 0.5 * gap * gap, gap - 0.5)
    return ops.mean(huber, axis=(1, 2))


def softened(error: keras.KerasTensor) -> keras.KerasTensor:
    """Return an error that grows as its logarithm beyond the knee."""
    return KNEE * ops.log1p(error / KNEE)


LOSSES = {"rhythm": kl_divergence, "rpeaks": map_huber}
SOFTENED = frozenset({"rhythm"})


class TaskTerms:
    """L_w of a batch. Holds frozen networks, which are no weights of the codec.

    Raises:
        ConfigError: If a task of the loss has no network.
    """

    def __init__(self, networks: dict[str, keras.Model], weights: TaskWeights) -> None:
        """Freeze the networks."""
        without = sorted(set(weights.tasks) - set(networks))
        if without:
            raise ConfigError(
                "each task of the loss must have a trained network, got none for "
                f"{', '.join(without)}; train it with `python -m training task`"
            )
        self.networks = {name: networks[name] for name in weights.tasks}
        self.weights = weights
        for network in self.networks.values():
            network.trainable = False

    def error(
        self,
        task: str,
        x: keras.KerasTensor,
        x_hat: keras.KerasTensor,
        classes: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor:
        """Return L_i of each window.

        Args:
            task: its name.
            x: float32 (n_windows, WINDOW_LEN, 1), raw.
            x_hat: float32, the same, decoded.
            classes: float32 (n_windows, 4), one-hot, or zeros where unknown; needed by
                the reference `label` alone.

        Returns:
            float32 (n_windows,).
        """
        network = self.networks[task]
        answer = network(x_hat, training=False)
        if task == "rhythm" and self.weights.reference == "label":
            return cross_entropy(classes, answer)
        raw = ops.stop_gradient(network(x, training=False))
        return LOSSES[task](raw, answer)

    def cost(self, task: str, error: keras.KerasTensor) -> keras.KerasTensor:
        """Return what an error costs before its weight."""
        return softened(error) if task in SOFTENED else error
