# SPDX-License-Identifier: Apache-2.0
"""What the task term and both quantisations do to levels that are else the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic_deep.evaluation import rhythm_f1
from experiments.ablations.coders import SegmentCoder, UnroundedCoder, measured
from experiments.bootstrap import Bootstrap
from experiments.coders.levels import LevelCoder
from experiments.coders.protocol import Coder
from experiments.measured import Measured

OVER_NATS = 0.1  # KL to the answer on the raw window
SHARED_LEVELS = ("gain_64", "gain_96", "gain_128")
ENDS = ("gain_64", "gain_128")


def level_row(table: Measured) -> dict[str, Any]:
    """Return gain, PRDN and what became of the rhythm, each with its interval."""
    bootstrap = Bootstrap(table.records)
    return {
        "gain": bootstrap.ratio(table.raw_bytes, table.n_bytes),
        "prdn": bootstrap.mean(table.prdn),
        "kl": bootstrap.mean(table.kl),
        "over": bootstrap.mean((table.kl > OVER_NATS).astype(np.float64)),
        "weighted_f1": bootstrap.of(
            lambda rows: rhythm_f1(table.labels[rows], table.decided[rows])[0]
        ),
    }


def _rows(coders: Sequence[Coder], split: str, judge: str) -> list[dict[str, Any]]:
    return [
        {"coder": coder.name} | level_row(measured(coder, split, judge))
        for coder in coders
    ]


def task_term(split: str) -> list[dict[str, Any]]:
    """Compare levels trained without the tasks and with them, by the tasks' judge."""
    coders = [
        LevelCoder(bundle=bundle, level=level)
        for level in SHARED_LEVELS
        for bundle in ("standard", "monitor")
    ]
    return _rows(coders, split, "monitor")


def integer_encoder(split: str) -> list[dict[str, Any]]:
    """Compare the encoder of `edge` in float and in integers of 8 bits."""
    coders = [
        LevelCoder(bundle="edge", level=level, precision=precision)
        for level in SHARED_LEVELS
        for precision in ("float", "int8")
    ]
    return _rows(coders, split, "edge")


def rounding(split: str) -> list[dict[str, Any]]:
    """Compare latents as they are sent and as the encoder found them."""
    coders: list[Coder] = []
    for level in ENDS:
        coders.append(LevelCoder(bundle="monitor", level=level))
        coders.append(UnroundedCoder(bundle="monitor", level=level))
    return _rows(coders, split, "monitor")


def coded_by_segment(split: str) -> list[dict[str, Any]]:
    """Compare windows coded whole and in four frames."""
    coders: list[Coder] = []
    for level in ENDS:
        whole = LevelCoder(bundle="monitor", level=level)
        coders += [whole, SegmentCoder(coder=whole)]
    return _rows(coders, split, "monitor")
