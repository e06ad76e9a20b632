# SPDX-License-Identifier: Apache-2.0
"""Coders as points of curves: which one, how it looks, its gain at another's error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.bench.aggregate import interpolate_gain, resample_weights
from dynamic_deep.evaluation import INTERVAL
from experiments.bootstrap import N_RESAMPLES, Triple
from experiments.coders.levels import NET_WAVELET
from experiments.coders.protocol import Coder
from experiments.coders.roster import CURVE_SOURCES, load_all
from experiments.figure_style import FAMILY_COLOURS, FAMILY_MARKS
from experiments.measured import Measured

FloatArray = npt.NDArray[np.float64]

# Of these the words after the first say which of several curves a coder is on.
_WITH_VARIANTS = ("cae", "paper", "standard", "monitor", "edge")
# Coders that lose nothing are points, not curves.
EXACT_FAMILIES = ("lz77", "lossless")
# In a figure; the tables hold all.
DRAWN = {
    "near_lossless": "near_lossless",
    "sz3": "SZ3",
    "wavelet": "wavelet",
    NET_WAVELET: "wavelet, context network",
    "dct": "DCT",
    "cae mitdb int8": "CAE 2018",
    "cae cinc int8": "CAE 2018, fine-tuned",
    "paper int8": "paper's network, 8 bit",
    "standard": "standard",
    "monitor": "monitor",
    "edge": "edge",
    "edge task": "edge, levels for tasks",
}
_DASHED = (NET_WAVELET, "cae cinc int8", "edge task", "edge int8", "edge task int8")


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a curve is drawn.

    Attributes:
        label: written beside it.
        colour: of line, marks and label.
        mark: of its points.
        style: of the line.
    """

    label: str
    colour: str
    mark: str
    style: str


def curve_of(name: str, family: str) -> str:
    """Return the curve that a coder is a point of.

    Example:
        >>> curve_of("cae32 mitdb int8", "cae"), curve_of("wavelet_32", "wavelet")
        ('cae mitdb int8', 'wavelet')
        >>> curve_of("edge/task_112 int8", "edge")
        'edge task int8'
    """
    if family not in _WITH_VARIANTS:
        return family
    first, *variant = name.split()
    if "/task_" in first:  # trained for tasks alone, not for the signal
        variant.insert(0, "task")
    return " ".join([family, *variant])


def look_of(curve: str) -> Look:
    """Return how a curve is drawn."""
    family = curve.split()[0]
    return Look(
        label=DRAWN.get(curve, curve),
        colour=FAMILY_COLOURS[family],
        mark=FAMILY_MARKS[family],
        style="--" if curve in _DASHED else "-",
    )


def load_known(
    sources: Sequence[str] = CURVE_SOURCES,
) -> tuple[dict[str, Coder], dict[str, str]]:
    """Return the coders that can run here by name, and why others can't, by source."""
    coders, missing = load_all(sources)
    return {coder.name: coder for coder in coders}, missing


class RecordSums:
    """Sums by record of one coder, which any draw of records is made of.

    Args:
        table: its windows; NaN errors are left out of means.
    """

    def __init__(self, table: Measured) -> None:
        _, group = np.unique(table.records, return_inverse=True)
        is_known = np.isfinite(table.prdn)

        def total(values: npt.NDArray[np.floating]) -> FloatArray:
            return np.bincount(group, values).astype(np.float64)

        self.raw, self.sent = total(table.raw_bytes), total(table.n_bytes)
        self.prdn = total(np.where(is_known, table.prdn, 0.0))
        self.n_known = total(is_known.astype(np.float64))

    def gain(self, weights: FloatArray) -> FloatArray:
        """Return raw bytes over bytes sent of draws, (n_draws,) of (n_draws, R)."""
        return np.asarray((weights @ self.raw) / (weights @ self.sent))

    def mean_prdn(self, weights: FloatArray) -> FloatArray:
        """Return the mean PRDN of draws, percent."""
        return np.asarray((weights @ self.prdn) / (weights @ self.n_known))


def ratio_at_equal_prdn(
    table: Measured, curve: Sequence[Measured], *, seed: int = 0
) -> tuple[float, Triple]:
    """Set a coder beside a curve of the same windows at the same mean PRDN.

    The curve is linear in the logarithm of the gain between its points. In each draw of
    records both are made of the same ones.

    Returns:
        The curve's gain at that PRDN; the coder's over it, with its interval. NaN where
        the curve does not reach that PRDN.
    """
    level, rungs = RecordSums(table), [RecordSums(one) for one in curve]
    n_records = len(level.raw)
    weights = np.concatenate(
        [np.ones((1, n_records)), resample_weights(n_records, N_RESAMPLES, seed)]
    )
    prdn = np.stack([rung.mean_prdn(weights) for rung in rungs], axis=1)
    gains = np.stack([rung.gain(weights) for rung in rungs], axis=1)
    at = level.mean_prdn(weights)
    curve_gain = np.array(
        [interpolate_gain(*one) for one in zip(at, prdn, gains, strict=True)]
    )
    ratio = level.gain(weights) / curve_gain
    if not np.isfinite(ratio[0]):
        return float("nan"), (float("nan"),) * 3
    low, high = np.nanpercentile(ratio[1:], INTERVAL)
    return float(curve_gain[0]), (float(ratio[0]), float(low), float(high))


def rounded(values: Sequence[float], n_digits: int = 5) -> list[float]:
    """Return figures for a file."""
    return [round(float(value), n_digits) for value in values]
