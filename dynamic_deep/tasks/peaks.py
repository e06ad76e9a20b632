# SPDX-License-Identifier: Apache-2.0
"""R peaks from a distance map, and how two lists of them agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import MODEL_FS

HIGHEST = 0.5  # of the map at a peak; above it no beat is near enough to be sure
MIN_GAP = 60  # samples at the model's rate, 0.2 s: no heart beats faster than 300 a min
MIN_PROMINENCE = 0.2
# The map is a tent of which the network gives a slightly ragged form.
SMOOTHING = np.hanning(9)[1:-1] / np.hanning(9).sum()

PeakTimes = npt.NDArray[np.floating]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tops:
    """Where a map is nearest to a peak, ascending; float64 (n,) each.

    Attributes:
        at: samples at the map's rate.
        height: 1 at an R peak, 0 far from any.
        prominence: of it above the saddles beside it.
    """

    at: PeakTimes
    height: npt.NDArray[np.float64]
    prominence: npt.NDArray[np.float64]


def find_peaks(
    distance: npt.NDArray[np.floating],
    *,
    highest: float = HIGHEST,
    min_prominence: float = MIN_PROMINENCE,
) -> npt.NDArray[np.float64]:
    """Return where a distance map has its minima: samples at its rate, ascending.

    Args:
        distance: (n_samples,), 0 at an R peak, 1 far from any.
        highest: of the map at a peak.
        min_prominence: of a peak above the saddles beside it.
    """
    found = find_tops(distance, highest=highest, min_prominence=min_prominence)
    return np.asarray(found.at, dtype=np.float64)


def find_tops(
    distance: npt.NDArray[np.floating], *, highest: float, min_prominence: float
) -> Tops:
    """Return the minima of a distance map, with how sure it is of each.

    A parabola through three samples places each between samples. The arguments are
    those of `find_peaks`.
    """
    from scipy import signal

    nearness = 1.0 - distance.astype(np.float64)
    held = np.pad(nearness, len(SMOOTHING) // 2, mode="edge")
    smooth = np.convolve(held, SMOOTHING, "valid")
    # With nothing beyond the ends a beat near one stands out as much as any other.
    found, tops = signal.find_peaks(
        np.pad(smooth, 1),
        height=1.0 - highest,
        distance=MIN_GAP,
        prominence=min_prominence,
        plateau_size=1,
    )
    has_ends = (tops["left_edges"] > 1) & (tops["right_edges"] < len(smooth))
    inner = found[has_ends] - 1
    before, here, after = smooth[inner - 1], smooth[inner], smooth[inner + 1]
    bend = before - 2.0 * here + after
    shift = np.where(bend < 0.0, 0.5 * (before - after) / np.minimum(bend, -1e-12), 0.0)
    return Tops(
        at=inner + np.clip(shift, -0.5, 0.5),
        height=tops["peak_heights"][has_ends],
        prominence=tops["prominences"][has_ends],
    )


def match_peaks(
    reference: PeakTimes, found: PeakTimes, tolerance_s: float
) -> list[tuple[int, int]]:
    """Pair each peak with its partner, in order, each used once.

    No other pairing within the tolerance has more pairs.

    Args:
        reference: samples at the model's rate, ascending.
        found: the same.
        tolerance_s: how far partners may lie apart.

    Returns:
        Pairs of an index of `reference` and one of `found`.
    """
    reach = tolerance_s * MODEL_FS
    pairs, i, j = [], 0, 0
    while i < len(reference) and j < len(found):
        gap = found[j] - reference[i]
        if abs(gap) <= reach:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif gap < 0:
            j += 1
        else:
            i += 1
    return pairs


def unmatched_peaks(
    reference: PeakTimes,
    found: PeakTimes,
    tolerance_s: float,
    *,
    n_samples: int | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the peaks without a partner: of `reference`, and of `found`.

    One that lies within the tolerance of the window's first or last sample is left
    out: its partner may lie in the window beside.

    Args:
        reference: samples at the model's rate, ascending.
        found: the same.
        tolerance_s: how far partners may lie apart.
        n_samples: length of the window; None if the two have no edges.
    """
    pairs = match_peaks(reference, found, tolerance_s)
    missed = np.delete(np.asarray(reference, np.float64), [i for i, _ in pairs])
    extra = np.delete(np.asarray(found, np.float64), [j for _, j in pairs])
    if n_samples is None:
        return missed, extra
    reach = tolerance_s * MODEL_FS
    inside_missed = (missed > reach) & (missed < n_samples - 1 - reach)
    inside_extra = (extra > reach) & (extra < n_samples - 1 - reach)
    return missed[inside_missed], extra[inside_extra]


def join_peaks(
    windows: Sequence[PeakTimes], starts: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Return the peaks of a lead from those of its windows.

    A beat on the border of two windows is found in both; it counts once.

    Args:
        windows: the peaks of each window in order, samples from its start.
        starts: the sample that each window begins with.
    """
    whole: list[npt.NDArray[np.float64]] = []
    last = -np.inf
    for peaks, start in zip(windows, starts, strict=True):
        at = np.asarray(peaks, dtype=np.float64) + start
        at = at[1:] if len(at) and at[0] - last < MIN_GAP else at
        last = at[-1] if len(at) else last
        whole.append(at)
    return np.concatenate([np.empty(0), *whole])
