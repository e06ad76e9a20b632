# SPDX-License-Identifier: Apache-2.0
"""What the paper's codec is trained on: segments and windows at their leads' own rates.

As in the paper, nothing is resampled: MIT-BIH comes at 360 Hz and CinC 2017 at 300 Hz.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import RHYTHM_CLASSES, WINDOW_LEN
from dynamic_deep.recording import read_recording
from experiments.networks.paper_segments import SEGMENT_LEN, FloatArray, split_segments
from training.datasets import CINC_SHARE, record_paths
from training.task_windows import rhythm_labels

Leads = list[npt.NDArray[np.int16]]
FLAT = 2.0  # ADC units; a deviation under it is a lead that is off


def native_leads(data_set: str, split: str, *, kept_in: Path) -> Leads:
    """Return every lead of a split: int16 (n_samples,), ADC units from the baseline.

    Args:
        data_set: mitdb or cinc2017.
        split: by record.
        kept_in: a folder where they are kept in one file once they were read.
    """
    path = kept_in / f"{data_set}_{split}.npz"
    if not path.exists():
        leads = _read_leads(data_set, split)
        kept_in.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part.npz")
        np.savez(beside, x=np.concatenate(leads), n=[len(x) for x in leads])
        os.replace(beside, path)
    with np.load(path, allow_pickle=False) as stored:
        return np.split(stored["x"], np.cumsum(stored["n"])[:-1])


def _read_leads(data_set: str, split: str) -> Leads:
    leads = []
    for path in record_paths(data_set, split):
        recording = read_recording(path)
        for lead in range(recording.n_leads):
            x = recording.samples[:, lead] - recording.adc_baseline[lead]
            leads.append(x.astype(np.int16))
    return leads


class RandomSegments:
    """Scaled segments at random places; batch i is always the same.

    Args:
        sets: leads of CinC 2017, then of MIT-BIH.
        seed: of all the chance in it.
    """

    def __init__(self, sets: Sequence[Leads], *, seed: int) -> None:
        """Keep the leads that hold a whole segment."""
        self.sets = [[x for x in leads if len(x) >= SEGMENT_LEN] for leads in sets]
        self.seed = seed

    def batch(self, index: int, size: int) -> FloatArray:
        """Return batch `index`: float32 (size, SEGMENT_LEN, 1)."""
        rng = np.random.default_rng((self.seed, index))
        rows = np.empty((size, SEGMENT_LEN), np.float32)
        for row in rows:
            row[:] = self._draw(rng)
        return split_segments(rows)[0].reshape(size, SEGMENT_LEN, 1)

    def _draw(self, rng: np.random.Generator) -> npt.NDArray[np.int16]:
        while True:
            leads = self.sets[0 if rng.random() < CINC_SHARE else 1]
            lead = leads[rng.integers(len(leads))]
            start = rng.integers(len(lead) - SEGMENT_LEN + 1)
            found = lead[start : start + SEGMENT_LEN]
            if found.std() >= FLAT:
                return found


class LabelledWindows:
    """Windows of CinC 2017 with their class, at 300 Hz; batch i is always the same.

    Args:
        leads: float32 (n_samples,) each.
        classes: of each lead, an index of `RHYTHM_CLASSES`.
        seed: of all the chance in it.
    """

    def __init__(self, leads: Leads, classes: Sequence[int], *, seed: int) -> None:
        """Keep the leads that hold a whole window."""
        kept = [i for i, x in enumerate(leads) if len(x) >= WINDOW_LEN]
        self.leads = [leads[i] for i in kept]
        self.classes = np.array([classes[i] for i in kept])
        self.seed = seed

    @classmethod
    def of_split(cls, split: str, *, seed: int, kept_in: Path) -> LabelledWindows:
        """Read a split of CinC 2017."""
        labels = rhythm_labels()
        classes = [labels[path.stem] for path in record_paths("cinc2017", split)]
        leads = native_leads("cinc2017", split, kept_in=kept_in)
        return cls(leads, classes, seed=seed)

    def batch(self, index: int, size: int) -> tuple[FloatArray, FloatArray]:
        """Return windows and classes.

        Returns:
            float32 (size, WINDOW_LEN), ADC units, and one-hot (size, 4).
        """
        rng = np.random.default_rng((self.seed, index))
        chosen = rng.integers(len(self.leads), size=size)
        windows = np.empty((size, WINDOW_LEN), np.float32)
        for row, at in zip(windows, chosen, strict=True):
            start = rng.integers(len(self.leads[at]) - WINDOW_LEN + 1)
            row[:] = self.leads[at][start : start + WINDOW_LEN]
        one_hot = np.eye(len(RHYTHM_CLASSES), dtype=np.float32)[self.classes[chosen]]
        return windows, one_hot

    def first_windows(self) -> tuple[FloatArray, npt.NDArray[Any]]:
        """Return the first window of every lead, and its class."""
        windows = np.stack([x[:WINDOW_LEN] for x in self.leads]).astype(np.float32)
        return windows, self.classes
