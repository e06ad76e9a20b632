# SPDX-License-Identifier: Apache-2.0
"""Who judges a decoded window: the two tasks of a bundle, and what they said of it raw.

Everything is judged by the tasks of `monitor`, the levels of `edge` too: its own are
the same networks, exported again, and answer alike but for rounding.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import load_bundle
from dynamic_deep.tasks import Peaks, RhythmTask, RPeaksTask, load_task
from dynamic_deep.window_codec import at_rate_of_model
from experiments.kept import keep
from experiments.windows import Window, load_windows

JUDGE = "monitor"
FloatArray = npt.NDArray[np.float32]


class Answers:
    """What a judge said of one window: probabilities over time, and R peaks."""

    def __init__(self, rhythm: FloatArray, peaks: Peaks) -> None:
        self.rhythm = rhythm
        self.peaks = peaks


class Judge:
    """The tasks of a bundle.

    Args:
        bundle: its name or folder.
    """

    def __init__(self, bundle: str) -> None:
        loaded = load_bundle(bundle)
        rhythm, rpeaks = load_task(loaded, "rhythm"), load_task(loaded, "rpeaks")
        assert isinstance(rhythm, RhythmTask)  # noqa: S101 - for the type checker
        assert isinstance(rpeaks, RPeaksTask)  # noqa: S101
        self.name = bundle
        self.rhythm: RhythmTask = rhythm
        self.rpeaks: RPeaksTask = rpeaks
        digest = hashlib.sha256()
        for task in ("task_rhythm", "task_rpeaks"):
            digest.update(loaded.networks[task])
        self.identity = digest.hexdigest()

    def ask(self, x: npt.NDArray[np.integer], window: Window) -> Answers:
        """Return what it says of samples in ADC units at the lead's own rate."""
        signal = at_rate_of_model(x, window.subject.place)
        rhythm = np.asarray(self.rhythm.answer(signal), np.float32)
        return Answers(rhythm, self.rpeaks.answer(signal))


@functools.cache
def load_judge(name: str) -> Judge:
    """Return a judge; one of each is kept in a process."""
    return Judge(name)


def raw_answers(split: str, judge: Judge) -> list[Answers]:
    """Return what a judge says of every window of a split, uncompressed."""
    windows = load_windows(split)

    def make() -> dict[str, npt.NDArray[np.generic]]:
        said = [judge.ask(window.subject.x, window) for window in windows]
        return {
            "rhythm": np.concatenate([one.rhythm for one in said]),
            "peaks": np.concatenate([np.asarray(one.peaks) for one in said]),
            "n_rhythm": np.array([len(one.rhythm) for one in said]),
            "n_peaks": np.array([len(one.peaks) for one in said]),
        }

    key = {"what": "raw answers", "split": split, "judge": judge.identity}
    found = keep(f"raw-{split}-{judge.name}", key, make)
    rhythm = np.split(found["rhythm"], np.cumsum(found["n_rhythm"])[:-1])
    peaks = np.split(found["peaks"], np.cumsum(found["n_peaks"])[:-1])
    lengths = [window.subject.place.model_len for window in windows]
    return [
        Answers(r, Peaks(p, n)) for r, p, n in zip(rhythm, peaks, lengths, strict=True)
    ]
