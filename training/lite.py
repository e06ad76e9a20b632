# SPDX-License-Identifier: Apache-2.0
"""Networks to LiteRT. The one place that needs TensorFlow itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from dynamic_deep.config import SEGMENT_LEN
from training.model import CodecModel

BODY = "body"
TASK_BODY = "body_tasks"
Signature = Sequence[tuple[tuple[int | None, ...], str]]


def convert(function: Callable[..., Any], signature: Signature) -> bytes:
    """Convert a function of arrays to a `.tflite` file.

    Args:
        function: of as many arrays as the signature has entries.
        signature: shape (None where it varies) and dtype of each.
    """
    import tensorflow as tf

    specs = [
        tf.TensorSpec(shape, dtype, name=f"input_{i}")
        for i, (shape, dtype) in enumerate(signature)
    ]
    concrete = tf.function(function).get_concrete_function(*specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    return bytes(converter.convert())


def folded_tail(tail: keras.Model) -> keras.Model:
    """Return a tail whose learned step is folded into its convolution."""
    conv = next(v for v in tail.layers if isinstance(v, layers.Conv1D))
    step = tail.layers[-1]
    gain = np.exp(keras.ops.convert_to_numpy(step.log_gain))
    inputs = keras.Input(tail.input_shape[1:])
    folded = layers.Conv1D.from_config(conv.get_config())
    result = keras.Model(inputs, folded(inputs))
    kernel, bias = (keras.ops.convert_to_numpy(v) for v in conv.get_weights())
    folded.set_weights([kernel * gain, bias * gain])
    return result


def export_encoder(
    model: CodecModel,
    head_features: keras.Model | None = None,
    *,
    kept: CodecModel | None = None,
) -> bytes:
    """Return the device's `.tflite`: the latent of every level, then head features.

    Args:
        model: the codec.
        head_features: of the error heads.
        kept: a codec on the same trunk, whose levels come first.
    """
    codecs = [model] if kept is None else [kept, model]
    parts = [folded_tail(tail) for codec in codecs for tail in codec.tails]
    if head_features is not None:
        parts.append(head_features)

    def encode(segments: Any) -> tuple[Any, ...]:
        features = model.trunk(segments)
        return tuple(part(features, training=False) for part in parts)

    return convert(encode, [((None, SEGMENT_LEN, 1), "float32")])


def export_heads(heads: keras.Model, n_features: int, n_rates: int) -> bytes:
    """Return the `.tflite` of the error heads: features and log rates of a window."""
    return convert(
        lambda segments, rates: tuple(heads([segments, rates], training=False)),
        [((1, None, n_features), "float32"), ((1, n_rates), "float32")],
    )


def export_task(task: keras.Model) -> bytes:
    """Return the `.tflite` of a task network: a window of any length."""
    return convert(
        lambda window: task(window, training=False), [((1, None, 1), "float32")]
    )


def export_networks(
    model: CodecModel, *, kept: CodecModel | None = None
) -> dict[str, bytes]:
    """Return the `.tflite` files of a trained model, by name.

    Args:
        model: the codec.
        kept: a codec on the same trunk, whose levels come first; `model` then decodes
            by a body of its own, `TASK_BODY`.
    """
    networks = {"encoder": export_encoder(model, kept=kept)}
    codecs = [model] if kept is None else [kept, model]
    first = 0
    for codec, name in zip(codecs, (BODY, TASK_BODY), strict=False):
        for latent, entry in zip(codec.config.latents, codec.entries, strict=True):
            networks[f"entry_{latent.name}"] = convert(
                lambda y, entry=entry: entry(y),
                [((1, None, latent.n_channels), "float32")],
            )
        networks[name] = _export_body(codec, first)
        first += len(codec.entries)
    return networks


def _export_body(model: CodecModel, first: int) -> bytes:
    """Return the decoder's body, whose levels are counted from `first`."""
    width = model.config.decoder_width
    return convert(
        lambda features, level_idx: model.body([features, level_idx - first]),
        [((1, None, width), "float32"), ((1,), "int32")],
    )
