# SPDX-License-Identifier: Apache-2.0
"""The encoder of a bundle in integers, as a microcontroller runs it.

    python -m training int8 BUNDLE

Post-training quantisation of the shipped float encoder: weights int8 with a scale for
each channel, activations with one for each tensor. Two things make the latter bearable.
The channels of each activation are brought to the same range first (Nagel et al. 2019,
arXiv 1906.04721: a ReLU lets a positive factor pass, which the next layer takes back);
and each channel of a latent keeps a unit of its own, which is part of the file. Ranges
are those of train windows as the codec scales them.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.engine import Network
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.recording import read_recording
from dynamic_deep.subjects import subjects_of
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import WindowCodec
from training.datasets import record_paths
from training.int8_bias import mean_errors, with_biases
from training.int8_equalize import equalized
from training.int8_graph import read_graph, rebuild
from training.targets import split_subjects

FloatArray = npt.NDArray[np.float32]

INPUT_LIMIT = 24.0  # standard deviations; a QRS complex beyond it is cut off
CINC_EVERY = 9  # records of CinC 2017; one window of each, for they are alike
MITDB_EVERY = 40  # windows of a lead
N_CALIBRATING = 800  # segments that the converter sees
ACTIVATIONS = (8, 16)


def representative_segments(bundle: Bundle) -> FloatArray:
    """Return segments of train windows in units of their scale, (n, SEGMENT_LEN)."""
    records = record_paths("cinc2017", "train")[::CINC_EVERY]
    subjects = itertools.chain(
        itertools.chain.from_iterable(map(_first_window, records)),
        split_subjects("mitdb", "train", every=MITDB_EVERY),
    )
    codec = WindowCodec(bundle)
    parts = []
    for subject in subjects:
        x = codec.analyze(subject.x, subject.place).normalized
        parts.append(x[: len(x) // SEGMENT_LEN * SEGMENT_LEN].reshape(-1, SEGMENT_LEN))
    return np.concatenate(parts)


def _first_window(path: Path) -> Iterator[Subject]:
    found = subjects_of(read_recording(path), record=path.stem, whole_only=True)
    return itertools.islice(found, 1)


def quantize_encoder(
    bundle: Bundle, segments: FloatArray, *, activation_bits: int = 8
) -> bytes:
    """Return `encoder_int8.tflite` of a bundle.

    Args:
        bundle: with a float encoder.
        segments: float32, (n, SEGMENT_LEN), of train windows in units of their scale.
        activation_bits: 8; or 16, which costs twice the memory and loses nothing.

    Raises:
        ModelError: If the bundle has no encoder that can be quantised.
        ConfigError: If there are no such activations.
    """
    if activation_bits not in ACTIVATIONS:
        raise ConfigError(f"activations have 8 or 16 bits, got {activation_bits}")
    if "encoder" not in bundle.networks:
        raise ModelError(
            f"a bundle to quantise must have an encoder, {bundle.name} has none; name "
            "one with neural levels"
        )
    clipped = np.clip(segments, -INPUT_LIMIT, INPUT_LIMIT)
    graph, gains = equalized(read_graph(bundle.networks["encoder"]), clipped)
    chosen, model_id = _chosen(clipped), bundle.model_id.hex()
    content = _convert(rebuild(graph, is_flat=True), chosen, activation_bits)
    first = IntegerEncoder(_with_meaning(content, model_id, gains), model_id)
    wanted = Network(bundle.networks["encoder"], "encoder").run(chosen[..., None])
    errors = mean_errors(first.run(chosen[..., None]), wanted)
    graph = with_biases(graph, errors, gains)
    content = _convert(rebuild(graph, is_flat=True), chosen, activation_bits)
    return _with_meaning(content, model_id, gains)


def _chosen(segments: FloatArray) -> FloatArray:
    """Return random segments, and one that reaches the input's limits both ways."""
    rng = np.random.default_rng(0)
    some = segments[rng.permutation(len(segments))[:N_CALIBRATING]]
    peak = segments[np.abs(segments).max(axis=1).argmax()]
    peak = peak * (INPUT_LIMIT / np.abs(peak).max())
    return np.concatenate([some, peak[None], -peak[None]])


def _convert(
    function: Callable[..., Any], segments: FloatArray, activation_bits: int
) -> bytes:
    """Quantise a function of (1, 1, SEGMENT_LEN, 1); every tensor is an integer."""
    import warnings

    import tensorflow as tf

    shape = (1, 1, SEGMENT_LEN, 1)
    spec = tf.TensorSpec(shape, "float32", name="segment")
    concrete = tf.function(function, autograph=False).get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    kinds, dtype = tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.int8
    if activation_bits == 16:
        dtype = tf.int16
        kinds = (
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        )
    converter.target_spec.supported_ops = [kinds]
    converter.inference_input_type = converter.inference_output_type = dtype

    def examples() -> Iterator[list[FloatArray]]:
        for segment in segments:
            yield [segment.reshape(shape).astype(np.float32)]

    converter.representative_dataset = examples
    with warnings.catch_warnings():
        # The converter warns that no statistics of the input were stated by hand.
        warnings.simplefilter("ignore", UserWarning)
        return bytes(converter.convert())


def _with_meaning(content: bytes, model_id: str, gains: list[FloatArray]) -> bytes:
    """Return a quantised encoder that says what a unit of each channel is worth."""
    import flatbuffers  # type: ignore[import-untyped]
    from ai_edge_litert import schema_py_generated as schema

    from dynamic_deep.engine import by_names

    model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    details = by_names(
        [
            {"name": graph.tensors[i].name.decode(), "tensor": graph.tensors[i]}
            for i in graph.outputs
        ]
    )
    units = [
        np.float32(detail["tensor"].quantization.scale[0]) / gain
        for detail, gain in zip(details, gains, strict=True)
    ]
    stated = {
        "model_id": model_id,
        "units": [[float(f"{unit:.8g}") for unit in row] for row in units],
    }
    model.description = json.dumps(stated, separators=(",", ":"))
    model.metadata = model.metadataBuffer = None
    model.signatureDefs = []
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def put_encoder(folder: Path, content: bytes) -> Path:
    """Write `encoder_int8.tflite` beside its place in a bundle, then rename."""
    path = folder / "encoder_int8.tflite"
    beside = folder / f".{path.name}.part"
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return path


def with_encoder(bundle: Bundle, content: bytes) -> Bundle:
    """Return a bundle in memory with another integer encoder."""
    networks = bundle.networks | {"encoder_int8": content}
    return dataclasses.replace(bundle, networks=networks)
