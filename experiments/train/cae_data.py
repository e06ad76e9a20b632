# SPDX-License-Identifier: Apache-2.0
"""Segments that the autoencoder of 2018 learns from: 2000 samples at the record's rate.

As published there is no resampling: the same network sees 5.6 s of MIT-BIH and 6.7 s of
CinC 2017. A segment is scaled to [0, 1] by its own smallest and largest sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.recording import read_recording
from experiments.networks.segments2018 import SEGMENT_LEN, scale_segment
from training.datasets import CINC_SHARE, record_paths

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

# MIT-BIH has no validation split: the last tenth of each train record is kept from the
# training instead. Same patients, as in all that is published about this network.
HELD_OUT_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class NativeLead:
    """One lead as stored: `x` is an int array, (n_samples,), ADC units."""

    record: str
    x: npt.NDArray[np.integer]


def load_native_leads(
    data_set: str, split: str, *, limit: int | None = None
) -> list[NativeLead]:
    """Read every lead of a split that holds a whole segment.

    Args:
        data_set: mitdb or cinc2017.
        split: of it; `held_out` is the end of MIT-BIH's train records, and its train
            is what lies before.
        limit: of the number of records.

    Raises:
        ConfigError: If there is no such data set or split, or no records.
    """
    is_mitdb = data_set == "mitdb"
    read_from = "train" if is_mitdb and split == "held_out" else split
    leads = []
    for path in record_paths(data_set, read_from)[:limit]:
        recording = read_recording(path)
        for x in recording.samples.T:
            if is_mitdb and read_from == "train":
                cut = round((1.0 - HELD_OUT_SHARE) * len(x))
                x = x[cut:] if split == "held_out" else x[:cut]
            if len(x) >= SEGMENT_LEN:
                leads.append(NativeLead(record=path.stem, x=np.ascontiguousarray(x)))
    return leads


class RandomSegments:
    """Scaled segments at random places of random leads; batch i is always the same.

    Args:
        sets: leads of MIT-BIH and, to fine-tune, leads of CinC 2017 after them.
        seed: of all the chance in it.
    """

    def __init__(self, sets: list[list[NativeLead]], *, seed: int) -> None:
        """Keep the leads."""
        self.sets = sets
        self.seed = seed

    def batch(self, index: int, size: int) -> FloatArray:
        """Return batch `index`: float32, (size, 2000, 1), in [0, 1]."""
        rng = np.random.default_rng((self.seed, index))
        rows = np.empty((size, SEGMENT_LEN, 1), np.float32)
        for row in rows:
            is_last = len(self.sets) > 1 and rng.random() < CINC_SHARE
            leads = self.sets[-1 if is_last else 0]
            x = leads[rng.integers(len(leads))].x
            start = rng.integers(len(x) - SEGMENT_LEN + 1)
            row[:, 0] = scale_segment(x[start : start + SEGMENT_LEN])[0]
        return rows


def spread_segments(leads: list[NativeLead], n_segments: int) -> IntArray:
    """Return segments spread evenly over all whole ones: int32, (n, 2000), ADC units.

    Args:
        leads: to cut into segments from their beginnings.
        n_segments: how many at most.
    """
    places = [
        (i, start)
        for i, lead in enumerate(leads)
        for start in range(0, len(lead.x) - SEGMENT_LEN + 1, SEGMENT_LEN)
    ]
    n_kept = min(n_segments, len(places))
    kept = [places[i * len(places) // n_kept] for i in range(n_kept)]
    return np.stack(
        [leads[i].x[start : start + SEGMENT_LEN].astype(np.int32) for i, start in kept]
    )
