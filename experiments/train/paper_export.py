# SPDX-License-Identifier: Apache-2.0
"""From the trained codec of the paper to the small networks that its coder runs.

The weights become 16-bit. A decoder's last dense layer, 2 million numbers, gives
signals that fill few of its 2000 dimensions: they are projected on the principal
components of its outputs, and it becomes two thin layers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from experiments.networks.paper import LEVELS, N_ELEMENTS
from experiments.networks.paper_segments import SEGMENT_LEN, FloatArray
from experiments.train.paper_model import PaperCodec

RANKS = (96, 128, 192, 256, 384, 512)
MAX_LOSS = 0.1  # points of PRDN that the projection may cost on validation
LATENT_SHARES = (0.0002, 0.9998)  # of the elements, between which 8 bits are spread
BATCH = 64


def convert_half(function: Callable[..., Any], *shapes: tuple[int, ...]) -> bytes:
    """Return a `.tflite` of a function of float32 arrays, with 16-bit weights.

    Args:
        function: of as many arrays as there are shapes.
        shapes: of the inputs, without their first axis, which is left open.
    """
    import tensorflow as tf

    specs = [
        tf.TensorSpec((None, *shape), "float32", name=f"input_{i}")
        for i, shape in enumerate(shapes)
    ]
    concrete = tf.function(function).get_concrete_function(*specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def run_batched(network: keras.Model, x: FloatArray) -> list[FloatArray]:
    """Return a network's outputs for any number of rows."""
    parts = [
        keras.tree.flatten(network(x[i : i + BATCH], training=False))
        for i in range(0, len(x), BATCH)
    ]
    columns = zip(*parts, strict=True)
    return [
        np.concatenate([keras.ops.convert_to_numpy(part) for part in column])
        for column in columns
    ]


def latent_range(latents: FloatArray) -> tuple[float, float]:
    """Return between which values 8 bits of a latent are spread."""
    low, high = np.quantile(latents, LATENT_SHARES)
    return round(float(low), 4), round(float(high), 4)


def mean_prdn(x: FloatArray, x_hat: FloatArray) -> float:
    """Return the mean PRDN of segments of mean 0, in percent."""
    error = np.square(x - x_hat).mean(axis=1)
    power = np.maximum(x.var(axis=1), 1e-6)
    return float(100.0 * np.sqrt(error / power).mean())


def thin_decoder(decoder: keras.Model, outputs: FloatArray, rank: int) -> keras.Model:
    """Return a decoder whose last dense layer has a lower rank.

    Args:
        decoder: of `build_paper_decoder`.
        outputs: float32 (n, 2000), of the decoder on training segments.
        rank: of the new layers.
    """
    dense = next(v for v in decoder.layers if isinstance(v, layers.Dense))
    kernel, bias = (np.asarray(v, np.float64) for v in dense.get_weights())
    mean = outputs.mean(axis=0, dtype=np.float64)
    centered = outputs - mean
    _, vectors = np.linalg.eigh((centered.T @ centered).astype(np.float64))
    kept = vectors[:, ::-1][:, :rank]
    narrow = layers.Dense(rank, use_bias=False)
    wide = layers.Dense(SEGMENT_LEN)
    x_hat = layers.Reshape((SEGMENT_LEN, 1))(wide(narrow(dense.input)))
    thin = keras.Model(decoder.input, x_hat)
    narrow.set_weights([kernel @ kept])
    wide.set_weights([kept.T, mean + ((bias - mean) @ kept) @ kept.T])
    return thin


def thinnest(
    decoder: keras.Model, train: FloatArray, check: tuple[FloatArray, FloatArray]
) -> tuple[keras.Model, dict[str, float]]:
    """Return the decoder of the lowest rank that costs little, and what it costs.

    Args:
        decoder: trained.
        train: latents of training segments.
        check: segments that no training saw, (n, 2000), and their latents.
    """
    x, latents = check
    (whole,) = run_batched(decoder, latents)
    (outputs,) = run_batched(decoder, train)
    before = mean_prdn(x, whole[:, :, 0])
    for rank in RANKS:
        thin = thin_decoder(decoder, outputs[:, :, 0], rank)
        (found,) = run_batched(thin, latents)
        after = mean_prdn(x, found[:, :, 0])
        if after - before < MAX_LOSS:
            break
    figures = {"rank": rank, "prdn_whole": round(before, 3), "prdn": round(after, 3)}
    return thin, figures


def export_codec(
    codec: PaperCodec, train: FloatArray, check: FloatArray
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the networks of the coder by file name, and what belongs to them.

    Args:
        codec: trained.
        train: segments on their own scale, float32 (n, 2000), of training records.
        check: the same of validation records.
    """
    encoder = codec.encoder
    files = {
        "encoder.tflite": convert_half(
            lambda x: tuple(encoder(x, training=False)), (SEGMENT_LEN, 1)
        )
    }
    ranges, figures = {}, {}
    trained = run_batched(encoder, train[:, :, None])
    checked = run_batched(encoder, check[:, :, None])
    decoders = codec.decoder_32, codec.decoder_64
    for level, decoder, mine, other in zip(
        LEVELS, decoders, trained, checked, strict=True
    ):
        thin, figures[str(level)] = thinnest(decoder, mine, (check, other))
        files[f"decoder_{level}.tflite"] = convert_half(thin, (N_ELEMENTS[level], 1))
        ranges[str(level)] = latent_range(mine)
    return files, {"latent_ranges": ranges, "thin_decoders": figures}


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write each file beside its place, then rename."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        beside = folder / f"{name}.part"
        beside.write_bytes(content)
        os.replace(beside, folder / name)


def as_json(about: dict[str, Any]) -> bytes:
    """Return plain values as the text of a JSON file."""
    return (json.dumps(about, indent=1) + "\n").encode()
