# SPDX-License-Identifier: Apache-2.0
"""Beats of leads that nobody annotated, by a vote over all that levels make of them.

If the raw lead alone decides, noise whose map lies near the limit is a beat or none by
chance, and a network that is taught so stays undecided there. So the maps of all
versions are averaged. What stands out is a beat, and what is faint is one only where
the rhythm misses one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from dynamic_deep.tasks.peaks import find_peaks
from training.datasets import Lead
from training.decoded import noted

PeakTimes = npt.NDArray[np.float64]

RAW_WEIGHT = 3.0  # of the raw lead's map, where that of a decoded one has 1
SURE = 0.8  # height of a beat that needs no other
FAINT = 0.35  # and of one that is believed where a beat is missing
FAINT_PROMINENCE = 0.15
EDGE = 0.6  # height of a beat that has a sure one on one side only
MIN_SURE = 4  # beats; with fewer of them there is no rhythm to go by
# Of the median interval of sure beats: the least distance of a faint one from another,
# and the gap in which it is looked for.
NEAREST, GAP = 0.6, 1.5
STRIDE = 16  # the network takes a multiple of it


def voted_peaks(
    model: keras.Model,
    leads: Sequence[Lead],
    versions: Sequence[Sequence[npt.NDArray[np.floating]]],
    path: Path,
) -> list[PeakTimes]:
    """Return the beats of each lead; they are kept in `path`, for a resumed run.

    Args:
        model: the network of R peaks.
        leads: of single-lead records.
        versions: of each lead, float (n_samples,) each, raw first.
        path: of the file that keeps them.
    """
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            return [stored[lead.record] for lead in leads]
    maps = (mean_map(model, all_of_one) for all_of_one in versions)
    peaks = [picked_peaks(one) for one in noted(maps, versions, "vote on beats")]
    found = {lead.record: at for lead, at in zip(leads, peaks, strict=True)}
    beside = path.with_suffix(".part")
    with beside.open("wb") as stream:
        np.savez_compressed(stream, **found)  # type: ignore[arg-type]
    beside.rename(path)
    return peaks


def mean_map(
    model: keras.Model, versions: Sequence[npt.NDArray[np.floating]]
) -> npt.NDArray[np.float64]:
    """Return the mean distance map of a lead's versions: float64 (n_samples,)."""
    x = np.stack(versions).astype(np.float32)
    padded = np.pad(x, ((0, 0), (0, -x.shape[1] % STRIDE)), mode="edge")
    # As a graph: a quarter of the time that layer by layer takes.
    maps = np.asarray(model.predict_on_batch(padded[..., None]))
    weights = np.array([RAW_WEIGHT] + [1.0] * (len(versions) - 1))
    return np.asarray(
        np.average(maps[:, : x.shape[1], 0], axis=0, weights=weights), np.float64
    )


def picked_peaks(distance: npt.NDArray[np.floating]) -> PeakTimes:
    """Return the beats of a map: sure ones, and faint ones where one is missing.

    Args:
        distance: (n_samples,), 0 at an R peak, 1 far from any.

    Returns:
        float64, samples, ascending; all of `find_peaks` if few are sure.
    """
    at = find_peaks(distance, highest=1.0 - FAINT, min_prominence=FAINT_PROMINENCE)
    height = 1.0 - distance[np.rint(at).astype(np.intp)]
    sure = at[height >= SURE]
    if len(sure) < MIN_SURE:
        return find_peaks(distance)
    interval = float(np.median(np.diff(sure)))
    picked = list(sure)
    # The most likely first, since a beat leaves no room for another beside it.
    for i in np.argsort(-height):
        if height[i] < SURE and _is_missing(at[i], height[i], sure, picked, interval):
            picked.append(at[i])
    return np.sort(np.asarray(picked))


def _is_missing(
    at: float,
    height: float,
    sure: PeakTimes,
    picked: Sequence[float],
    interval: float,
) -> bool:
    """Tell whether a faint beat stands where the rhythm misses one."""
    if np.abs(np.asarray(picked) - at).min() < NEAREST * interval:
        return False
    after = int(np.searchsorted(sure, at))
    if after in (0, len(sure)):
        return height >= EDGE
    return bool(sure[after] - sure[after - 1] >= GAP * interval)
