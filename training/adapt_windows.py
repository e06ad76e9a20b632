# SPDX-License-Identifier: Apache-2.0
"""What tasks are adapted on: raw windows beside what levels make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import WINDOW_LEN
from training.datasets import FLIP_SHARE, FloatArray, Lead, load_leads
from training.decoded import decoded_versions, long_enough
from training.task_windows import PeakWindows, Versions
from training.voted_peaks import voted_peaks


class PairWindows:
    """Raw windows and what levels make of them; batch i is always the same."""

    def __init__(self, versions: Versions, *, seed: int) -> None:
        """Keep leads in all their versions, the raw one first."""
        self.versions = versions
        self.seed = seed

    def batch(self, index: int, size: int) -> tuple[FloatArray, FloatArray]:
        """Return raw and decoded windows, both (size, WINDOW_LEN, 1)."""
        rng = np.random.default_rng((self.seed, index))
        raw = np.empty((size, WINDOW_LEN, 1), np.float32)
        decoded = np.empty_like(raw)
        for one, other in zip(raw, decoded, strict=True):
            lead = self.versions[int(rng.integers(len(self.versions)))]
            start = int(rng.integers(len(lead[0]) - WINDOW_LEN + 1))
            version = lead[int(rng.integers(1, len(lead)))]
            sign = -1.0 if rng.random() < FLIP_SHARE else 1.0
            one[:, 0] = sign * lead[0][start : start + WINDOW_LEN]
            other[:, 0] = sign * version[start : start + WINDOW_LEN]
        return raw, decoded


@dataclass(frozen=True, kw_only=True)
class Voters:
    """Leads that nobody annotated, in all versions.

    Attributes:
        leads: as they are.
        decoded: of each lead its versions, the raw one first.
    """

    leads: list[Lead]
    decoded: Versions


def voters(bundles: Sequence[Bundle], highest_gain: float) -> Voters:
    """Return the records of CinC's train split that hold a whole window."""
    leads = long_enough(load_leads("cinc2017", "train"))
    return Voters(leads=leads, decoded=_all_versions(leads, bundles, highest_gain))


def voted_windows(
    labelled: PeakWindows,
    voters: Voters,
    trained: keras.Model,
    run: Path,
    *,
    share: float,
) -> PeakWindows:
    """Return the labelled windows, and a share of others whose beats are voted.

    Args:
        labelled: windows with annotated beats.
        voters: leads without.
        trained: the network whose maps vote.
        run: the folder that keeps the voted beats.
        share: of the windows to come.
    """
    path = run / "voted_peaks.npz"
    peaks = voted_peaks(trained, voters.leads, voters.decoded, path)
    sources = [*labelled.sources, (voters.decoded, peaks)]
    return PeakWindows(sources, [1.0 - share, share], seed=labelled.seed)


def pair_windows(
    task: str, bundles: Sequence[Bundle], highest_gain: float, *, seed: int
) -> PairWindows:
    """Return the pairs of a training: leads, and what the codecs make of them."""
    leads = long_enough(load_leads("cinc2017", "train"))
    if task == "rpeaks":
        leads = leads[::2] + load_leads("mitdb", "train")
    return PairWindows(_all_versions(leads, bundles, highest_gain), seed=seed)


def _all_versions(
    leads: list[Lead], bundles: Sequence[Bundle], highest_gain: float
) -> list[list[FloatArray]]:
    versions = decoded_versions(leads, bundles[0], highest_gain=highest_gain)
    for bundle in bundles[1:]:
        more = decoded_versions(leads, bundle, highest_gain=highest_gain)
        for one, other in zip(versions, more, strict=True):
            one += other[1:]
    return versions
