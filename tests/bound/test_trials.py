# SPDX-License-Identifier: Apache-2.0
"""`trials`: the table says what a file of each level would hold, and do."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from dynamic_deep.codec import Codec
from dynamic_deep.container import ContainerReader
from dynamic_deep.errors import ConfigError
from dynamic_deep.heads import Heads
from dynamic_deep.recording import Recording
from dynamic_deep.segments import to_model_rate
from dynamic_deep.subjects import subjects_of
from dynamic_deep.tasks import CLASSES, NetworkTask
from dynamic_deep.tasks.protocol import Answer, FloatArray, Task
from dynamic_deep.trials import UNKNOWN, LevelTrier, Subject, Trials, task_channels
from tests.bound.tables import draw_trials


class Loudness:
    """A task of a user's: how loud a window is."""

    name = "loudness"
    references: tuple[str, ...] = ("raw",)

    def answer(self, x: FloatArray) -> Answer:
        return np.abs(x).mean(keepdims=True)

    def error(self, reference: Answer, answer: Answer) -> float:
        return float(np.abs(reference - answer)[0] / reference[0])

    def label_error(self, label: object, answer: Answer) -> float:
        raise AssertionError("never asked")


@pytest.fixture(scope="module")
def subjects(recording: Recording) -> list[Subject]:
    return list(subjects_of(recording, record="ecg", label="N"))


def answers(tasks: Sequence[Task], x: np.ndarray, fs: float) -> list[Answer]:
    signal = to_model_rate(x.astype(np.float64), fs).astype(np.float32)
    return [task.answer(signal) for task in tasks]


def test_its_form(trials: Trials, subjects: list[Subject], trier: LevelTrier) -> None:
    n, n_levels = len(subjects), len(trier.levels)
    assert n == len(trials) == 8  # three windows of two leads and a short one
    assert trials.levels == tuple(trier.codec.bundle.config["heads"]["levels"])
    assert trials.channels == ("rhythm:raw", "rhythm:label", "rpeaks:raw")
    assert trials.errors.shape == (n, n_levels, 3)
    assert trials.raw_errors.shape == (n, 3)
    assert trials.center.shape == trials.spread.shape == (n, 1 + n_levels, 3)
    assert trials.changed.shape == trials.n_bytes.shape == (n, n_levels)
    assert trials.decided.shape == (n, 1 + n_levels)
    assert trials.records.tolist() == ["ecg"] * n
    assert trials.labels.tolist() == [CLASSES.index("N")] * n
    assert trials.raw_bytes.tolist() == [2 * len(s.x) for s in subjects]


@pytest.mark.parametrize("name", ["lossless", "wavelet_24", "gain_64"])
def test_bytes_are_those_of_the_frames_in_a_file(
    codec: Codec, recording: Recording, trials: Trials, name: str
) -> None:
    data = codec.encode(recording, level=name)
    frames = [len(f.payload) for f in ContainerReader(data).frames()]
    n_bytes = trials.lossless_bytes
    if name != "lossless":
        n_bytes = trials.n_bytes[:, trials.levels.index(name)]
    assert len(frames) == len(trials)
    assert (n_bytes > frames).all()
    assert (n_bytes <= np.array(frames) + 6).all()  # head and check
    assert n_bytes.sum() < len(data) < n_bytes.sum() + 200  # header and end


@pytest.mark.parametrize("name", ["wavelet_24", "gain_128"])
def test_errors_are_those_of_the_decoded_file(
    codec: Codec,
    recording: Recording,
    trials: Trials,
    tasks: tuple[Task, ...],
    subjects: list[Subject],
    name: str,
) -> None:
    decoded = codec.decode(codec.encode(recording, level=name))
    found = subjects_of(decoded, record="ecg")
    rhythm, rpeaks = tasks
    at = trials.levels.index(name)
    for i, (raw, sent) in enumerate(zip(subjects, found, strict=True)):
        p, beats = answers(tasks, raw.x, recording.fs)
        q, found_beats = answers(tasks, sent.x, recording.fs)
        expected = [
            rhythm.error(p, q),
            rhythm.label_error("N", q),
            rpeaks.error(beats, found_beats),
        ]
        assert trials.errors[i, at] == pytest.approx(np.array(expected))
        assert trials.raw_errors[i, 1] == pytest.approx(rhythm.label_error("N", p))
        assert trials.raw_errors[i, [0, 2]].tolist() == [0.0, 0.0]
        decided = [int(a.mean(axis=0).argmax()) for a in (p, q)]
        assert trials.decided[i, [0, 1 + at]].tolist() == decided
    assert trials.errors[:, at, 0].min() > 0.0


def test_changed_segments_go_with_the_errors_of_r_peaks(trials: Trials) -> None:
    errors = trials.errors[..., trials.channels.index("rpeaks:raw")]
    assert ((trials.changed > 0) == (errors > 0)).all()
    assert 0 < (trials.changed > 0).mean() < 1
    assert trials.changed.max() <= 1.0


def test_it_keeps_what_the_heads_foretell(
    trier: LevelTrier, trials: Trials, subjects: list[Subject]
) -> None:
    heads = Heads(trier.codec.bundle)
    for i in (0, len(subjects) - 1):
        window = trier.codec.analyze(subjects[i].x, subjects[i].place)
        forecast = heads.forecast(window)
        assert (trials.center[i] == forecast.center).all()
        assert (trials.spread[i] == forecast.spread).all()


def test_levels_and_tasks_may_be_fewer_or_other(
    codec: Codec, subjects: list[Subject], tasks: tuple[Task, ...], trials: Trials
) -> None:
    # R peaks first, a task that no head knows, and two levels the other way round.
    own = (tasks[1], Loudness())
    found = LevelTrier(codec.windows, own, ["gain_64", "wavelet_12"]).run(subjects[:2])
    assert found.channels == ("rpeaks:raw", "loudness:raw")
    columns = [trials.levels.index(name) for name in found.levels]
    assert (found.n_bytes == trials.n_bytes[:2, columns]).all()
    assert (found.errors[..., 0] == trials.errors[:2, columns, 2]).all()
    rows = [0, *(1 + column for column in columns)]
    assert (found.center[..., 0] == trials.center[:2, rows, 2]).all()
    assert np.isnan(found.center[..., 1]).all()
    assert np.isfinite(found.errors).all()
    assert (found.decided == UNKNOWN).all()
    assert (found.changed == trials.changed[:2, columns]).all()


def test_without_labels_or_heads_there_are_none(
    codec: Codec, subjects: list[Subject], tasks: tuple[Task, ...], trials: Trials
) -> None:
    nameless = [dataclasses.replace(subject, label=None) for subject in subjects[:1]]
    trier = LevelTrier(codec.windows, tasks[:1], trials.levels[:2], has_forecast=False)
    found = trier.run(nameless)
    assert found.channels == ("rhythm:raw", "rhythm:label")
    assert np.isnan(found.errors[..., 1]).all()
    assert np.isnan(found.raw_errors[..., 1]).all()
    assert (found.errors[..., 0] == trials.errors[:1, :2, 0]).all()
    assert found.labels.tolist() == [UNKNOWN]
    assert np.isnan(found.center).all()
    assert np.isnan(found.changed).all()


def test_what_can_be_measured(tasks: tuple[Task, ...], codec: Codec) -> None:
    assert task_channels(tasks) == ("rhythm:raw", "rhythm:label", "rpeaks:raw")
    own = NetworkTask(codec.bundle.networks["task_rpeaks"], name="mine")
    assert task_channels([own]) == ("mine:raw",)
    assert task_channels([]) == ()


def test_a_label_that_is_none_is_refused(
    trier: LevelTrier, subjects: list[Subject]
) -> None:
    with pytest.raises(ConfigError, match="A, N, O, ~; got 'VT'"):
        trier.run([dataclasses.replace(subjects[0], label="VT")])


def test_no_window_is_no_table(trier: LevelTrier) -> None:
    with pytest.raises(ConfigError, match="got none"):
        trier.run([])


def test_tables_are_joined_and_kept_as_arrays(rng: np.random.Generator) -> None:
    parts = [draw_trials(rng, n) for n in (3, 1, 5)]
    whole = Trials.joined(parts)
    assert len(whole) == 9
    assert (whole.levels, whole.channels) == (parts[0].levels, parts[0].channels)
    assert (whole.errors[3] == parts[1].errors[0]).all()
    assert (whole.n_bytes[4:] == parts[2].n_bytes).all()
    arrays = whole.arrays()
    assert all(array.dtype.kind != "O" for array in arrays.values())
    again = Trials.from_arrays(arrays)
    assert again.levels == whole.levels
    assert (again.center == whole.center).all()
