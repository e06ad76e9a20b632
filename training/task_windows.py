# SPDX-License-Identifier: Apache-2.0
"""Labelled windows to train the tasks on; batch i is always the same."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import (
    MODEL_FS,
    RHYTHM_CLASSES,
    RHYTHM_STEP_LEN,
    RPEAKS_REACH,
    WINDOW_LEN,
)
from training.augment import crop, disturb
from training.datasets import FLIP_SHARE, SPLITS, FloatArray, data_folder
from training.task_presets import TaskPreset

MIN_RECORD_LEN = 2240  # shorter ones hold too few beats for a rhythm
RAW_SHARE = 0.5  # of the windows are raw, the others are as some level gives them back
BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")  # PhysioNet's codes of beats
Versions = Sequence[Sequence[npt.NDArray[np.floating]]]


def rhythm_class_names() -> dict[str, str]:
    """Return the class of each record of CinC 2017, one of `RHYTHM_CLASSES`."""
    with (SPLITS / "cinc2017.csv").open() as lines:
        return {row["record"]: row["label"] for row in csv.DictReader(lines)}


def rhythm_labels() -> dict[str, int]:
    """Return the class of each record of CinC 2017, an index of `RHYTHM_CLASSES`."""
    names = rhythm_class_names()
    return {record: RHYTHM_CLASSES.index(label) for record, label in names.items()}


def beat_times(record: str) -> npt.NDArray[np.float64]:
    """Return the annotated beats of a MIT-BIH record.

    Returns:
        float64 (n_beats,), samples at the model's rate, ascending.
    """
    import wfdb

    notes = wfdb.rdann(str(data_folder() / "mitdb" / record), "atr")
    fs = wfdb.rdheader(str(data_folder() / "mitdb" / record)).fs
    is_beat = np.array([symbol in BEATS for symbol in notes.symbol])
    return np.asarray(notes.sample[is_beat] * (MODEL_FS / fs), np.float64)


def distance_map(peaks: npt.NDArray[np.floating], length: int) -> FloatArray:
    """Return the distance of each sample to its nearest peak.

    Args:
        peaks: float (n_peaks,), samples, in any order; some may lie outside.
        length: samples of the map.

    Returns:
        float32 (length,), in units of `RPEAKS_REACH`, 1 from there on.
    """
    at = np.arange(length, dtype=np.float64)
    # A peak beyond each end makes the nearest one always the left or the right one.
    peaks = np.sort(np.concatenate([[-1e9, 1e9], peaks]))
    right = np.searchsorted(peaks, at)
    nearest = np.minimum(peaks[right] - at, at - peaks[right - 1])
    return np.minimum(nearest / RPEAKS_REACH, 1.0).astype(np.float32)


def _disturbed_crop(
    versions: Sequence[npt.NDArray[np.floating]],
    rng: np.random.Generator,
    length: int = WINDOW_LEN,
) -> tuple[FloatArray, float, float]:
    is_raw = rng.random() < RAW_SHARE or len(versions) == 1
    x = versions[0 if is_raw else int(rng.integers(1, len(versions)))]
    window, start, pace = crop(x, length, rng)
    sign = -1.0 if rng.random() < FLIP_SHARE else 1.0
    return np.float32(sign) * disturb(window, rng), start, pace


class RhythmWindows:
    """Windows of labelled records; every output of a window has the record's class.

    Args:
        versions: of each record, float (n_samples,) each, raw first.
        labels: the class of each record, an index of `RHYTHM_CLASSES`.
        preset: the training, whose second cycle sees more than whole windows.
    """

    def __init__(
        self, versions: Versions, labels: Sequence[int], preset: TaskPreset
    ) -> None:
        """Keep the versions of each record and its class."""
        self.versions = versions
        self.labels = np.asarray(labels)
        self.preset = preset
        lengths = np.array([len(record[0]) for record in versions])
        self._long = np.flatnonzero(lengths >= WINDOW_LEN)
        self._all = np.flatnonzero(lengths >= MIN_RECORD_LEN)

    def batch(self, index: int, size: int) -> tuple[FloatArray, FloatArray]:
        """Return windows and their classes.

        Where a record has ended the classes are all zero, which costs nothing.

        Returns:
            float32 (size, WINDOW_LEN, 1), and float32 (size, 35, 4).
        """
        rng = np.random.default_rng((self.preset.seed, index))
        is_first = index < self.preset.n_first_cycle
        records = self._long if is_first else self._all
        chosen = records[rng.integers(len(records), size=size)]
        x = np.zeros((size, WINDOW_LEN, 1), np.float32)
        classes = np.zeros(
            (size, WINDOW_LEN // RHYTHM_STEP_LEN, len(RHYTHM_CLASSES)), np.float32
        )
        for i, record in enumerate(chosen):
            length = min(WINDOW_LEN, len(self.versions[record][0]))
            at = int(rng.integers(WINDOW_LEN - length + 1))
            window, _, _ = _disturbed_crop(self.versions[record], rng, length)
            x[i, at : at + length, 0] = window
            first, last = -(-at // RHYTHM_STEP_LEN), (at + length) // RHYTHM_STEP_LEN
            classes[i, first:last, self.labels[record]] = 1.0
        if not is_first:
            _mask(x, rng, self.preset.mask_share)
            _mix(x, classes, rng, self.preset.mixup)
        return x, classes


def _mask(x: FloatArray, rng: np.random.Generator, share: float) -> None:
    """Flatten a stretch of a share of the windows, in place."""
    for row in x:
        if rng.random() < share:
            length = int(rng.uniform(0.02, 0.2) * WINDOW_LEN)
            at = int(rng.integers(WINDOW_LEN - length))
            row[at : at + length] = row[at]


def _mix(
    x: FloatArray, classes: FloatArray, rng: np.random.Generator, share: float
) -> None:
    """Add to some windows another of the batch, and to their classes, in place.

    Zhang et al. 2018, arXiv 1710.09412.
    """
    scale = np.maximum(x.std(axis=1, keepdims=True), 1e-3)
    other = rng.permutation(len(x))
    weight = rng.beta(0.4, 0.4, size=len(x)).astype(np.float32)[:, None, None]
    weight = np.maximum(weight, 1.0 - weight)
    weight[rng.random(len(x)) >= share] = 1.0
    unit = x / scale
    x[...] = weight * unit + (1.0 - weight) * unit[other]
    classes[...] = weight * classes + (1.0 - weight) * classes[other]


class PeakWindows:
    """Windows with the distance map to their beats.

    Args:
        sources: sets of leads, each the versions of its leads, as decoded, raw first,
            and their peaks, float64 in samples.
        shares: how often a window comes of each set.
        seed: of all the chance in it.
    """

    def __init__(
        self,
        sources: Sequence[tuple[Versions, Sequence[npt.NDArray[np.float64]]]],
        shares: Sequence[float],
        *,
        seed: int,
    ) -> None:
        """Keep the sets."""
        self.sources = sources
        self.shares = np.asarray(shares) / np.sum(shares)
        self.seed = seed

    def batch(self, index: int, size: int) -> tuple[FloatArray, FloatArray]:
        """Return windows and distance maps, both float32 (size, WINDOW_LEN, 1)."""
        rng = np.random.default_rng((self.seed, index))
        x = np.empty((size, WINDOW_LEN, 1), np.float32)
        maps = np.empty_like(x)
        for row, target in zip(x, maps, strict=True):
            versions, peaks = self.sources[rng.choice(len(self.shares), p=self.shares)]
            lead = int(rng.integers(len(versions)))
            row[:, 0], start, pace = _disturbed_crop(versions[lead], rng)
            target[:, 0] = distance_map((peaks[lead] - start) / pace, WINDOW_LEN)
        return x, maps
