# SPDX-License-Identifier: Apache-2.0
"""Where the R peaks of a window are, by the network of the bundle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import SEGMENT_LEN, WINDOW_LEN
from dynamic_deep.engine import Network
from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks.peaks import PeakTimes, find_peaks, unmatched_peaks
from dynamic_deep.tasks.protocol import Answer, FloatArray, checked_window, standardized
from dynamic_deep.tasks.scores import beat_scores

TOLERANCE_S = 0.05  # what makes two beats the same one
STRIDE = 16  # the network takes a multiple of it


class Peaks(np.ndarray[tuple[int], np.dtype[np.float64]]):
    """R peaks of a window, in samples, and the window's length.

    A peak near the end of a window is judged otherwise, so the end must be known.

    Args:
        at: samples at the model's rate, ascending.
        n_samples: length of the window.
    """

    n_samples: int

    def __new__(cls, at: npt.ArrayLike, n_samples: int = WINDOW_LEN) -> Peaks:
        """View the peaks so."""
        peaks = np.asarray(at, dtype=np.float64).reshape(-1).view(cls)
        peaks.n_samples = n_samples
        return peaks

    def __array_finalize__(self, source: object) -> None:
        """Hand the length on to copies and slices."""
        self.n_samples = getattr(source, "n_samples", WINDOW_LEN)

    def __reduce__(self) -> tuple[type[Peaks], tuple[npt.NDArray[np.float64], int]]:
        """Keep the length when pickled."""
        return Peaks, (np.array(self, dtype=np.float64), self.n_samples)


class RPeaksTask:
    """R peaks.

    Args:
        content: the network, a `.tflite` file: a window -> its distance map.
    """

    name = "rpeaks"
    references: tuple[str, ...] = ("raw",)

    def __init__(self, content: bytes) -> None:
        """Load the network."""
        self._network = Network(content, "task_rpeaks")

    def answer(self, x: FloatArray) -> Peaks:
        """Return the R peaks of a window: float64 (n_peaks,), samples, ascending."""
        x = standardized(checked_window(x))
        padded = np.pad(x, (0, -len(x) % STRIDE), mode="edge")
        (distance,) = self._network.run(padded[None, :, None])
        peaks = find_peaks(distance.reshape(-1))
        return Peaks(peaks[peaks <= len(x) - 1], len(x))

    def error(self, reference: Answer, answer: Answer) -> float:
        """Return 1 - F1 at 50 ms; 0 if both have the same beats, or none.

        Args:
            reference: the peaks of the raw window, as `answer` gives them.
            answer: the peaks of the decoded one.
        """
        f1 = beat_scores(
            reference, answer, TOLERANCE_S, n_samples=_window_len(reference, answer)
        ).f1
        return 0.0 if np.isnan(f1) else 1.0 - f1

    def label_error(self, label: object, answer: Answer) -> float:
        """Refuse: windows with rhythm labels have no annotated beats."""
        raise ConfigError(
            f"rpeaks can be measured against {', '.join(self.references)} only, "
            "got reference label; choose raw"
        )


def _window_len(reference: Answer, answer: Answer) -> int:
    both = [peaks for peaks in (reference, answer) if isinstance(peaks, Peaks)]
    lengths = {peaks.n_samples for peaks in both}
    if len(lengths) > 1:
        raise ConfigError(
            "answers must be of the same window, got windows of "
            f"{' and '.join(str(n) for n in sorted(lengths))} samples; "
            "give both the same samples"
        )
    return lengths.pop() if lengths else WINDOW_LEN


def changed_segments(
    reference: PeakTimes, answer: PeakTimes, n_samples: int
) -> npt.NDArray[np.bool_]:
    """Tell which segments of a window have not the same beats any more.

    Args:
        reference: the peaks of the raw window, samples at the model's rate.
        answer: the peaks of the decoded one.
        n_samples: length of the window.

    Returns:
        bool array, shape (n_segments,): whether the segment holds a beat of either
        list without partner within 50 ms. At the window's edge, see `unmatched_peaks`.
    """
    changed = np.zeros(-(-n_samples // SEGMENT_LEN), dtype=np.bool_)
    lone = unmatched_peaks(reference, answer, TOLERANCE_S, n_samples=n_samples)
    changed[(np.concatenate(lone) // SEGMENT_LEN).astype(np.intp)] = True
    return changed
