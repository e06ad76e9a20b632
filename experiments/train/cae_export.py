# SPDX-License-Identifier: Apache-2.0
"""From a trained autoencoder of 2018 to the small file that its coder runs.

The convolutions become LiteRT networks with 16-bit weights. The last dense layer of
15.9 million numbers is what makes the network large. Most of what it does is a
convolution (see `experiments.networks.dense2018`); what the rest of it adds fills few
of the 2000 dimensions of a segment. That rest is projected on the principal components
of what it adds to training segments, and becomes `(features @ a) @ b`, with `a = rest @
components` and `b` the components, 8 bits a number.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from experiments.coders.cae import CaeWeights
from experiments.networks.dense2018 import N_FEATURES, fold_kernel, unfold_filter
from experiments.results_file import commit
from experiments.train.cae_check import Segments, check_segments, measure
from experiments.train.cae_data import load_native_leads, spread_segments

FloatArray = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]

RANKS = (8, 16, 32, 64, 96, 128, 160)
MAX_LOSS = 0.1  # points of PRDN that the projection may cost
N_FIT_SEGMENTS = 500  # of each data set
N_FIT_RECORDS = 500  # of each at most
_LARGEST_INT = 127


def fit_segments() -> FloatArray:
    """Return scaled training segments of both data sets: float32, (n, 2000)."""
    return np.concatenate(
        [
            Segments.of(
                spread_segments(
                    load_native_leads(name, "train", limit=N_FIT_RECORDS),
                    N_FIT_SEGMENTS,
                )
            ).scaled
            for name in ("mitdb", "cinc2017")
        ]
    )


def convert_half(part: keras.Model) -> bytes:
    """Return a `.tflite` of a part of the network with weights of 16 bits."""
    import tensorflow as tf

    spec = tf.TensorSpec((None, *part.input_shape[1:]), "float32", name="input_0")
    function = tf.function(lambda x: part(x, training=False))
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(spec)]
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def components(outputs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean and the principal components of signals, the strongest first.

    Args:
        outputs: float32, (n, 2000).

    Returns:
        float32 (2000,), and float32 (2000, at most n), a component a column.
    """
    mean = outputs.mean(axis=0)
    _, _, rows = np.linalg.svd(outputs - mean, full_matrices=False)
    return mean, rows.T


def quantized(
    factor: npt.NDArray[np.floating],
) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Return a matrix in 8 bits and the step of each column."""
    step = np.maximum(np.abs(factor).max(axis=0), 1e-12) / _LARGEST_INT
    return np.rint(factor / step).astype(np.int8), step.astype(np.float32)


def factor_dense(
    kernel: FloatArray, bias: FloatArray, features: FloatArray
) -> Callable[[int], Arrays]:
    """Return what gives the coder's form of a dense layer, of any rank.

    Args:
        kernel: float32, (n_features, 2000).
        bias: float32, (2000,).
        features: float32, (n, n_features), what it reads on training segments.
    """
    filters = fold_kernel(kernel)
    rest = kernel - unfold_filter(filters, len(kernel) // N_FEATURES)
    mean, vectors = components(features @ rest)

    def of_rank(rank: int) -> Arrays:
        kept = vectors[:, :rank]
        a, a_step = quantized(rest @ kept)
        b, b_step = quantized(kept)
        left_out = mean - (mean @ kept) @ kept.T
        return {
            "filter": filters,
            "a": a,
            "a_step": a_step,
            "b": np.ascontiguousarray(b.T),
            "b_step": b_step,
            "bias": (bias + left_out).astype(np.float32),
        }

    return of_rank


def packed(arrays: Arrays) -> bytes:
    """Return the content of the coder's file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def export(model: keras.Model) -> tuple[bytes, dict[str, Any]]:
    """Return the coder's file of a trained network, and what was measured of it.

    The rank is the lowest of `RANKS` that costs less than `MAX_LOSS` points of PRDN on
    segments that no training saw, of either data set.

    Args:
        model: of `build_autoencoder`.
    """
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    body = keras.Model(decoder.input, decoder.get_layer("features").output)
    dense = decoder.get_layer("samples")
    kernel, bias = (keras.ops.convert_to_numpy(v) for v in dense.weights)
    latents = encoder.predict(fit_segments()[:, :, None], verbose=0)
    of_rank = factor_dense(kernel, bias, body.predict(latents, verbose=0))
    fixed: Arrays = {
        "encoder": np.frombuffer(convert_half(encoder), np.uint8),
        "decoder": np.frombuffer(convert_half(body), np.uint8),
        "largest": np.asarray(latents.max(), np.float32),
    }
    checks = check_segments()
    whole = {
        name: check.errors(model.predict(check.scaled[:, :, None], verbose=0)[:, :, 0])
        for name, check in checks.items()
    }
    for rank in RANKS:
        content = packed(fixed | of_rank(rank))
        shipped = measure(CaeWeights(content, "autoencoder"), checks)
        loss = max(shipped[n]["float32"]["prdn"] - whole[n]["prdn"] for n in checks)
        if loss < MAX_LOSS:
            break
    return content, {
        "rank": rank,
        "prdn_lost": round(loss, 3),
        "whole": whole,
        "shipped": shipped,
    }


def write_weights(
    model: keras.Model, folder: Path, stem: str, described: dict[str, Any]
) -> dict[str, Any]:
    """Write a coder's file and the JSON beside it.

    Args:
        model: trained.
        folder: to write to.
        stem: of both files' names.
        described: how it was trained.

    Returns:
        What the JSON holds.
    """
    content, measured = export(model)
    about = {
        **described,
        **measured,
        "n_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "commit": commit(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(about, indent=1) + "\n"
    for name, data in ((f"{stem}.npz", content), (f"{stem}.json", text.encode())):
        beside = folder / f"{name}.part"
        beside.write_bytes(data)
        os.replace(beside, folder / name)
    return about
