# SPDX-License-Identifier: Apache-2.0
"""Fit the DCT coder's tables on the train splits; its block on CinC validation.

    python -m experiments train dct        two minutes; writes weights/dct.npz

Block length and dead zone are chosen on the validation split: most gain at equal PRDN,
mean over a grid of PRDNs. Long blocks win, since the beats of one are harmonics of its
heart rate; from 1,792 to 4,480 samples it is nearly the same.
"""

from __future__ import annotations

import argparse
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.entropy import TableSet, normalize_counts
from dynamic_deep.metrics import prdn
from dynamic_deep.quantizer import quantize, symbol_counts
from experiments.coders.dct import (
    GAINS,
    N_BANDS,
    TABLES,
    DctTables,
    bands_of,
    inverse,
    transform,
)

FloatArray = npt.NDArray[np.float32]
Coefficients = npt.NDArray[np.float64]

BLOCK_LENS = (256, 320, 448, 640, 896, 1120, 1792, 2240, 4480, 8960)
THRESHOLDS = (0.55, 0.62, 0.7)
PRDN_GRID = (4.0, 8.0, 12.0, 16.0, 24.0, 32.0)  # percent; within what the steps reach
FEW = 8  # every 8th window of train is enough to place a step or compare blocks
N_VALIDATION = 150
RAW_BITS, FRAME_BITS = 16.0, 56.0  # a sample as stored; a frame around its payload
MIN_LIMIT, MAX_LIMIT = 7, 255
PRIOR_WEIGHT = 20.0  # symbols' worth of a Laplace distribution in each table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the trainer's options."""
    parser.add_argument(
        "--run", type=Path, default=Path("runs/dct"), metavar="DIR", help="(runs/dct)"
    )
    parser.add_argument(
        "--out", type=Path, default=TABLES, metavar="FILE", help="the tables"
    )


def run(options: argparse.Namespace) -> None:
    """Choose, fit and write; print what was chosen.

    Raises:
        ConfigError: If the records are not there.
    """
    from training.classical import sample_windows
    from training.datasets import load_leads, normalize
    from training.tables import scale_tables

    windows = sample_windows(load_leads("cinc2017", "train"))
    windows += sample_windows(load_leads("mitdb", "train"))
    normalized = [normalize(x) for x in windows]
    unseen = sample_windows(load_leads("cinc2017", "validation"))[:N_VALIDATION]
    scores = choose(normalized[::FEW], [normalize(x) for x in unseen])
    best = max(scores, key=lambda row: row["log_gain"])
    arrays: dict[str, Any] = scale_tables(windows)
    arrays["block_len"] = np.asarray(best["block_len"], np.int32)
    arrays["threshold"] = np.asarray(best["threshold"])
    for tables, gain in zip(
        fit_all(normalized, int(best["block_len"]), best["threshold"]),
        GAINS,
        strict=True,
    ):
        arrays[f"dct_{gain}/step"] = np.asarray(tables.step)
        arrays[f"dct_{gain}/counts"] = tables.counts
        arrays[f"dct_{gain}/centroids"] = tables.centroids
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    _write(options.out, content.getvalue())
    lines = "".join(json.dumps(row) + "\n" for row in scores)
    _write(options.run / "metrics.jsonl", lines.encode())
    print(f"chosen of {len(scores)} by validation: {json.dumps(best)}")


def choose(train: list[FloatArray], unseen: list[FloatArray]) -> list[dict[str, float]]:
    """Score every block length, and at the best one every dead zone.

    Args:
        train: normalised windows that tables are fitted to.
        unseen: normalised windows that the choice is made on.

    Returns:
        A row for each: `log_gain` is the mean over the grid of PRDNs of the natural
        logarithm of the gain.
    """
    scores = [_score(train, unseen, block, THRESHOLDS[1]) for block in BLOCK_LENS]
    block_len = int(max(scores, key=lambda row: row["log_gain"])["block_len"])
    others = [t for t in THRESHOLDS if t != THRESHOLDS[1]]
    return scores + [_score(train, unseen, block_len, t) for t in others]


def _score(
    train: list[FloatArray], unseen: list[FloatArray], block_len: int, threshold: float
) -> dict[str, float]:
    points = []
    for tables in fit_all(train, block_len, threshold):
        rate = np.mean([bits_of(tables, x) for x in unseen]) + FRAME_BITS
        errors = [
            prdn(x, inverse(tables.dequantize(tables.quantize(x)), len(x)))
            for x in unseen
        ]
        points.append((np.mean(errors), RAW_BITS * WINDOW_LEN / rate))
    log_prdn, log_gain = np.log(points).T
    score = np.interp(np.log(PRDN_GRID), log_prdn, log_gain).mean()
    return {
        "block_len": block_len,
        "threshold": threshold,
        "log_gain": float(score),
        "gain": float(np.exp(score)),
    }


def bits_of(tables: DctTables, x: FloatArray) -> float:
    """Return the ideal code length of a normalised window; an escape as its symbol."""
    limit = (tables.counts.shape[1] - 2) // 2
    q = tables.quantize(x)
    q = np.where(np.abs(q) > limit, limit + 1, q)
    band = np.broadcast_to(bands_of(tables.block_len), q.shape)
    return TableSet(tables.counts, -limit).n_bits(q, band)


def fit_all(
    windows: list[FloatArray], block_len: int, threshold: float
) -> list[DctTables]:
    """Return the tables of every nominal gain, fitted to normalised windows."""
    blocks = np.stack([transform(x, block_len) for x in windows])
    few = blocks if len(blocks) <= 2 * FEW else blocks[::FEW]
    return [_fit(blocks, _step_for(few, gain, threshold), threshold) for gain in GAINS]


def _step_for(blocks: Coefficients, gain: float, threshold: float) -> float:
    """Return the step whose frames reach a gain: blocks are (n, n_blocks, block_len).

    The code length is the ideal one of a table a band.
    """
    wanted = RAW_BITS * WINDOW_LEN / gain - FRAME_BITS
    band = bands_of(blocks.shape[-1])
    parts = [blocks[..., band == i].ravel() for i in range(N_BANDS)]
    low, high = 1e-3, 30.0
    for _ in range(20):
        step = float(np.sqrt(low * high))
        bits = sum(_entropy(quantize(part / step, threshold)) for part in parts)
        low, high = (step, high) if bits > wanted * len(blocks) else (low, step)
    return high


def _entropy(q: npt.NDArray[np.int32]) -> float:
    """Return the bits of integers with their ideal table, either sign as likely."""
    share = np.bincount(np.abs(q)) / max(len(q), 1)
    known = share[share > 0]
    bits = -np.sum(known * np.log2(known)) + (1.0 - share[0]) if len(q) else 0.0
    return float(bits * len(q))


def _fit(blocks: Coefficients, step: float, threshold: float) -> DctTables:
    from training.tables import laplace_columns

    q = quantize(blocks / step, threshold)
    band = bands_of(blocks.shape[-1])
    groups = [np.abs(q[..., band == i]) for i in range(N_BANDS)]
    widest = max(np.percentile(group, 99.9) for group in groups if group.size)
    limit = int(np.clip(widest + 1, MIN_LIMIT, MAX_LIMIT))
    index = np.broadcast_to(band, q.shape).astype(np.int32)
    counts = symbol_counts(q, index, n_tables=N_BANDS, limit=limit)
    counts[:, :-1] = (
        counts[:, :-1] + counts[:, -2::-1]
    ) / 2  # either sign is as likely
    prior = np.stack(
        [laplace_columns(float(g.mean()) if g.size else 0.0, limit) for g in groups]
    )
    centroids = np.zeros(N_BANDS)
    for i in range(N_BANDS):
        y, whole = blocks[..., band == i] / step, groups[i]
        if (whole > 0).any():
            centroids[i] = (np.abs(y) - whole)[whole > 0].mean()
    return DctTables(
        block_len=blocks.shape[-1],
        threshold=threshold,
        step=step,
        counts=normalize_counts(counts + PRIOR_WEIGHT * prior),
        centroids=centroids,
    )


def _write(path: Path, content: bytes) -> None:
    """Write beside, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    os.replace(beside, path)
