# SPDX-License-Identifier: Apache-2.0
"""The windows that everything is measured on: every one of the first lead of a split.

The first lead alone, as in the literature on MIT-BIH, where it is nearly always MLII;
`dynamic-deep bench` measures the levels on any leads.

Those that are flat or have missing samples are always sent lossless whatever was asked,
and are left out, as by `dynamic-deep evaluate`.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import MODEL_FS
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import read_recording
from dynamic_deep.segments import window_bounds
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import only_lossless_fits, window_place
from training.datasets import SPLITS, record_paths
from training.task_windows import beat_times

CINC_TEST, MITDB_TEST = "cinc2017:test", "mitdb:test"
CINC_VALIDATION = "cinc2017:validation"
LEAD = 0


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window and where it was cut.

    Attributes:
        subject: what is sent.
        start: at the model's rate, samples from the start of the record.
        beats: annotated beats in samples at the model's rate from the window's start;
            None where nobody annotated them.
    """

    subject: Subject
    start: float
    beats: npt.NDArray[np.float64] | None = None


@functools.cache
def load_windows(split: str) -> tuple[Window, ...]:
    """Return the windows of a split, record by record, in time.

    Args:
        split: a data set and a split of it, such as "cinc2017:test".

    Raises:
        ConfigError: If the records are not there, or there is no such split.
    """
    data_set, found, name = split.partition(":")
    if not found:
        raise ConfigError(
            f"a split must be named with its data set, got {split!r}; say {CINC_TEST}"
        )
    labels = _labels() if data_set == "cinc2017" else {}
    windows = []
    for path in record_paths(data_set, name):
        beats = beat_times(path.stem) if data_set == "mitdb" else None
        recording = read_recording(path)
        for start, stop in window_bounds(recording.n_samples, recording.fs):
            x = np.ascontiguousarray(recording.samples[start:stop, LEAD], np.int32)
            if only_lossless_fits(x, recording.adc_bits):
                continue
            place = window_place(len(x), recording.info, LEAD)
            label = labels.get(path.stem)
            subject = Subject(record=path.stem, x=x, place=place, label=label)
            at = start * MODEL_FS / recording.fs
            beats_of_window = _within(beats, at, place.model_len)
            windows.append(Window(subject=subject, start=at, beats=beats_of_window))
    return tuple(windows)


def iterate_subjects(split: str) -> Iterator[Subject]:
    """Yield what is sent of every window of a split."""
    return (window.subject for window in load_windows(split))


def _within(
    beats: npt.NDArray[np.float64] | None, start: float, length: int
) -> npt.NDArray[np.float64] | None:
    if beats is None:
        return None
    return beats[(beats >= start) & (beats < start + length)] - start


def _labels() -> dict[str, str]:
    with (SPLITS / "cinc2017.csv").open() as lines:
        return {row["record"]: row["label"] for row in csv.DictReader(lines)}
