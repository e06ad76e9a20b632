# SPDX-License-Identifier: Apache-2.0
"""The integer tables that need no network: scales, offsets, wavelet levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Level
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.entropy import normalize_counts
from dynamic_deep.quantizer import (
    N_SCALES,
    OFFSET_LIMIT,
    WindowScale,
    quantize,
    symbol_counts,
)
from dynamic_deep.wavelet import N_SUBBANDS, THRESHOLD, transform
from training.datasets import Lead
from training.model import target_rate

FloatArray = npt.NDArray[np.float32]
Tables = dict[str, npt.NDArray[Any]]

WAVELET_GAINS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
FIRST_WAVELET_ID = 2
UNSEEN_SHARE = 0.25  # of a scale's or offset's probability, for other amplifiers
MAX_LIMIT = 127
STEP_SEARCH_STRIDE = 8  # every 8th window is enough to place a step
MIN_LIMIT = 7


def windows_of(leads: list[Lead]) -> list[FloatArray]:
    """Return every whole window of the leads in ADC units from the lead's baseline."""
    return [
        lead.x[start : start + WINDOW_LEN]
        for lead in leads
        for start in range(0, len(lead.x) - WINDOW_LEN + 1, WINDOW_LEN)
    ]


def scale_tables(windows: list[FloatArray]) -> Tables:
    """Fit the tables of scales and offsets."""
    measured = [WindowScale.of(x) for x in windows]
    counts = np.bincount([m.scale_idx for m in measured], minlength=N_SCALES)
    # Neighbouring scales are as likely as one another.
    scales = np.convolve(counts, np.ones(5) / 5, mode="same")
    offsets = np.clip([m.offset_idx for m in measured], -OFFSET_LIMIT, OFFSET_LIMIT + 1)
    offset_counts = np.bincount(offsets + OFFSET_LIMIT, minlength=2 * OFFSET_LIMIT + 2)
    return {
        "scale": normalize_counts(_with_unseen(scales)[None]),
        "offset": normalize_counts(_with_unseen(offset_counts)[None]),
    }


def _with_unseen(counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    share = counts / counts.sum()
    return np.asarray((1 - UNSEEN_SHARE) * share + UNSEEN_SHARE / len(counts))


def laplace_columns(scale: float, limit: int) -> npt.NDArray[np.float64]:
    """Return a discrete Laplace distribution over -limit to limit and the escape."""
    magnitude = np.abs(np.arange(-limit, limit + 1))
    weights = np.exp(-magnitude / max(scale, 0.05))
    weights = np.append(weights, weights[-1])
    return np.asarray(weights / weights.sum())


def wavelet_levels() -> list[Level]:
    """Return the wavelet rungs of the ladder."""
    return [
        Level(
            id=FIRST_WAVELET_ID + i,
            name=f"wavelet_{gain}",
            kind="wavelet",
            nominal_gain=float(gain),
        )
        for i, gain in enumerate(WAVELET_GAINS)
    ]


def wavelet_tables(windows: list[FloatArray]) -> Tables:
    """Fit step, tables and centroids of every wavelet level.

    Args:
        windows: normalised windows, each float32 (WINDOW_LEN,).
    """
    per_window = [transform(x) for x in windows]
    bands = [np.stack([w[i] for w in per_window]) for i in range(N_SUBBANDS)]
    tables: Tables = {}
    for level in wavelet_levels():
        few = [band[::STEP_SEARCH_STRIDE] for band in bands]
        step = _step_for(few, target_rate(level.nominal_gain) * WINDOW_LEN)
        counts, centroids = _fit(bands, step)
        tables[f"{level.name}/step"] = np.asarray(step)
        tables[f"{level.name}/counts"] = counts
        tables[f"{level.name}/centroids"] = centroids
    return tables


def _step_for(bands: list[npt.NDArray[np.float64]], n_bits: float) -> float:
    low, high = 1e-3, 10.0
    for _ in range(22):
        step = float(np.sqrt(low * high))
        if sum(_entropy(quantize(band / step, THRESHOLD)) for band in bands) > n_bits:
            low = step
        else:
            high = step
    return high


def _entropy(q: npt.NDArray[np.int32]) -> float:
    """Return the bits a window costs with the ideal static table of a subband."""
    count = np.bincount(np.abs(q).ravel()).astype(np.float64)
    share = count / count.sum()
    bits = -np.sum(share[share > 0] * np.log2(share[share > 0])) + (1 - share[0])
    return float(bits * q.shape[1])


def _fit(
    bands: list[npt.NDArray[np.float64]], step: float
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float64]]:
    quantized = [quantize(band / step, THRESHOLD) for band in bands]
    widest = max(float(np.percentile(np.abs(q), 99.8)) for q in quantized)
    limit = int(np.clip(widest + 1, MIN_LIMIT, MAX_LIMIT))
    rows, centroids = [], []
    for band, q in zip(bands, quantized, strict=True):
        counts = symbol_counts(q, np.zeros_like(q), n_tables=1, limit=limit)[0]
        counts[:-1] = (counts[:-1] + counts[-2::-1]) / 2  # either sign is as likely
        prior = laplace_columns(float(np.abs(q).mean()), limit)
        rows.append(normalize_counts(counts + 20.0 * prior))
        coded = q != 0
        inside = np.abs(band[coded]) / step - np.abs(q[coded])
        centroids.append(float(inside.mean()) if coded.any() else 0.0)
    return np.stack(rows), np.asarray(centroids)
