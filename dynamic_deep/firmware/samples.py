# SPDX-License-Identifier: Apache-2.0
"""The windows that reference vectors are made of: simulated, and the extremes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.firmware.vectors import (
    Vector,
    lossless_vector,
    lossy_vector,
    segment_vectors,
)
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.window_codec import WindowCodec, WindowPlace

Integers = npt.NDArray[np.integer]
SECONDS = 31.0
SEED = 0x12345678  # of the frames' checks, in place of a file's header


def reference_vectors(codec: WindowCodec, encoder: IntegerEncoder) -> list[Vector]:
    """Return the vectors that are exported: every kind and every level.

    Args:
        codec: of a bundle, in int8.
        encoder: the same bundle's.
    """
    windows = [ecg_window(1), ecg_window(2)[:3000]]
    vectors = []
    for x in windows:
        place = WindowPlace(n_samples=len(x), fs=300.0, baseline=0, adc_bits=16)
        analysis = codec.analyze(x, place)
        vectors += segment_vectors(codec, encoder, x)
        vectors.append(lossless_vector(x, seq=len(vectors), seed=SEED))
        vectors.append(lossless_vector(x, max_error=3, seq=len(vectors), seed=SEED))
        vectors += [
            lossy_vector(codec, analysis, level, seq=1000 + level.id, seed=SEED)
            for level in codec.bundle.levels
            if level.kind in ("wavelet", "neural")
        ]
    vectors += [lossless_vector(x, seed=SEED) for x in extremes().values()]
    return vectors


def ecg_window(seed: int, *, baseline: int = 0) -> npt.NDArray[np.int32]:
    """Return a simulated window at 300 Hz, int32 (WINDOW_LEN,), ADC units."""
    recording = simulate_ecg(SECONDS, fs=300.0, seed=seed)
    x = recording.samples[:WINDOW_LEN, 0].astype(np.int32)
    return np.asarray(x - recording.adc_baseline[0] + baseline, np.int32)


def extremes() -> dict[str, npt.NDArray[np.int64]]:
    """Return signals that reach the limits of the lossless level, by name."""
    rng = np.random.default_rng(0)
    t = np.arange(1200)
    top, bottom = (1 << 31) - 1, -(1 << 31)
    return {
        "one sample": np.array([bottom]),
        "two samples": np.array([bottom, top]),
        "constant": np.full(700, top),
        "noise of 32 bits": rng.integers(bottom, top, 1200, endpoint=True),
        "noise of 24 bits": rng.integers(-(1 << 23), 1 << 23, 1200),
        "alternating ends": np.where(t % 2, top, bottom),
        "square of 24 bits": np.where((t // 50) % 2, (1 << 23) - 1, -(1 << 23)),
        "full sine": np.round(top * np.sin(0.01 * t)).astype(np.int64),
        "quiet, then noise": np.where(t > 600, rng.integers(bottom, top, 1200), t % 2),
        "noise, then quiet": np.where(t < 300, rng.integers(bottom, top, 1200), 5),
        "rare spikes": np.where(t % 97 == 0, top, 0),
    }
