# SPDX-License-Identifier: Apache-2.0
"""Two judges that no codec was trained with: another rhythm network, and xqrs.

The network is `experiments.networks.judge`, trained on raw windows alone; xqrs is the
detector of the package wfdb, which has nothing to be trained.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np

from dynamic_deep.config import MODEL_FS
from dynamic_deep.errors import ModelError
from dynamic_deep.tasks import Peaks, RhythmTask
from dynamic_deep.tasks.protocol import FloatArray, checked_window, standardized
from dynamic_deep.tasks.rpeaks import TOLERANCE_S
from dynamic_deep.tasks.scores import beat_scores
from experiments.weights_folder import WEIGHTS

RHYTHM = WEIGHTS / "judge_rhythm.tflite"
# xqrs falls back on thresholds in millivolts; a window of ECG deviates by about this.
DEVIATION_MV = 0.3
# Below the time that xqrs looks back and ahead there is nothing for it to find.
SHORTEST = int(MODEL_FS)  # samples


@functools.cache
def load_second_rhythm(path: Path = RHYTHM) -> RhythmTask:
    """Return the second rhythm network; one is kept in a process.

    Raises:
        ModelError: If it is not there.
    """
    return RhythmTask(_content(path))


def rhythm_identity(path: Path = RHYTHM) -> str:
    """Return what decides the second network's answers.

    Raises:
        ModelError: If it is not there.
    """
    return hashlib.sha256(_content(path)).hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"the second rhythm network must be in {path}, got {error.strerror}; run "
            "`python -m experiments train judge --run RUN`"
        ) from error


class ClassicalPeaks:
    """R peaks by xqrs: a band-pass, a moving wavelet, and adaptive thresholds."""

    name = "rpeaks"
    references: tuple[str, ...] = ("raw",)

    @property
    def identity(self) -> str:
        """What decides its answers."""
        import wfdb

        return f"wfdb {wfdb.__version__} xqrs {DEVIATION_MV}"

    def answer(self, x: FloatArray) -> Peaks:
        """Return the R peaks of a window: float64 (n_peaks,), samples, ascending.

        Args:
            x: float32 (n_samples,), any unit, at the model's rate; under a second of
                signal, or a flat one, has no peaks.
        """
        signal = standardized(checked_window(x))
        if len(signal) < SHORTEST or not signal.any():
            return Peaks([], len(x))
        from wfdb.processing import xqrs_detect

        scaled = DEVIATION_MV * signal.astype(np.float64)
        return Peaks(xqrs_detect(scaled, MODEL_FS, verbose=False), len(x))

    def error(self, reference: Peaks, answer: Peaks) -> float:
        """Return 1 - F1 at 50 ms; 0 if both have the same beats, or none."""
        f1 = beat_scores(
            reference, answer, TOLERANCE_S, n_samples=reference.n_samples
        ).f1
        return 0.0 if np.isnan(f1) else 1.0 - f1
