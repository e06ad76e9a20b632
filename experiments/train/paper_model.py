# SPDX-License-Identifier: Apache-2.0
"""The paper's codec as one trainable model, and the losses of its first two phases."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.networks.paper import build_paper_decoder, build_paper_encoder
from experiments.networks.paper_segments import SEGMENT_LEN
from training.task_terms import cross_entropy

LEVELS = (32, 64)
N_LAST = 2  # features of a decoder before its dense layer


class PaperCodec(keras.Model):
    """Encoder and a decoder a level; the loss is the mean square error of both.

    Args:
        rhythm: a frozen network, or none; with it the cross entropy of its answer on
            what each level gives back counts, too.
        weights: of the error and of the cross entropy, at each level.
    """

    def __init__(
        self,
        rhythm: keras.Model | None = None,
        *,
        weights: tuple[float, float] = (0.5, 0.0),
    ) -> None:
        """Build the networks."""
        super().__init__(name="paper_codec")
        self.encoder = build_paper_encoder()
        self.decoder_32 = build_paper_decoder(32)
        self.decoder_64 = build_paper_decoder(64)
        self.weights_of_loss = weights
        # Inside a plain function the network is no weight of the codec.
        self._answer = None if rhythm is None else _frozen(rhythm)
        self.means = [
            keras.metrics.Mean(name=f"{part}_{level}")
            for part in ("mse", "cce")
            for level in LEVELS
        ]

    @property
    def metrics(self) -> list[Any]:
        """The figures of a batch."""
        return [*super().metrics, *self.means]

    def call(self, segments: Any, training: bool = False) -> tuple[Any, Any]:
        """Return what each level gives back: (n, SEGMENT_LEN, 1) both."""
        y_32, y_64 = self.encoder(segments, training=training)
        return self.decoder_32(y_32), self.decoder_64(y_64)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss; `y` holds scales and classes if there is a task."""
        w_error, w_task = self.weights_of_loss
        loss = 0.0
        for i, x_hat in enumerate(y_pred):
            error = ops.mean(ops.square(x - x_hat))
            self.means[i].update_state(error)
            loss = loss + w_error * error
            if self._answer is not None:
                scales, classes = y
                answer = self._answer(_windows_of(x_hat, scales))
                cce = ops.mean(cross_entropy(classes, answer))
                self.means[len(LEVELS) + i].update_state(cce)
                loss = loss + w_task * cce
        return loss


def _windows_of(x_hat: Any, scales: Any) -> Any:
    """Return windows of segments that lie one after the other, in ADC units."""
    segments = x_hat[:, :, 0] * scales[:, 1:] + scales[:, :1]
    n_joined = -(-WINDOW_LEN // SEGMENT_LEN) * SEGMENT_LEN
    return ops.reshape(segments, (-1, n_joined, 1))[:, :WINDOW_LEN]


def _frozen(network: keras.Model) -> Any:
    network.trainable = False
    return lambda windows: network(windows, training=False)


def freeze_norms(codec: PaperCodec) -> None:
    """Keep the normalisations as they are: small batches have no steady mean."""
    for layer in codec.encoder.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def start_locally(decoder: keras.Model) -> None:
    """Start the last dense layer as an interpolation of its two features in time.

    Sample by sample it is the first feature less the second where they lie in time.
    From an even start each of the 2000 samples learns alone where it lies.
    """
    dense = next(v for v in decoder.layers if isinstance(v, keras.layers.Dense))
    kernel, bias = dense.get_weights()
    n_steps = kernel.shape[0] // N_LAST
    at = (np.arange(kernel.shape[1]) + 0.5) * n_steps / kernel.shape[1] - 0.5
    near = np.maximum(0.0, 1.0 - np.abs(np.arange(n_steps)[:, None] - at[None, :]))
    signs = np.array([1.0, -1.0])[None, :, None]
    dense.set_weights([(near[:, None] * signs).reshape(kernel.shape), bias])


def even_out(network: keras.Model, x: Any) -> Any:
    """Give each filter of a new network mean 0 and deviation 1 before its swish.

    Some twenty swishes in a row, each halving what is small, otherwise leave nothing of
    the signal, and training stands still at the mean. As Salimans and Kingma (2016,
    arXiv 1602.07868) start, by a batch.

    Args:
        network: with convolutions.
        x: a batch of its input.

    Returns:
        Its outputs, a list.
    """
    for layer in network.layers:
        if not isinstance(layer, keras.layers.Conv1D):
            continue
        activation, layer.activation = layer.activation, keras.activations.linear
        reached = keras.Model(network.input, layer.output)(x, training=True)
        layer.activation = activation
        mean, spread = ops.mean(reached, axis=(0, 1)), ops.std(reached, axis=(0, 1))
        mean, spread = (ops.convert_to_numpy(v) for v in (mean, spread))
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel / spread, (bias - mean) / spread])
    return keras.tree.flatten(network(x, training=True))
