# SPDX-License-Identifier: Apache-2.0
"""The judges that took no part in training: another network, and xqrs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.config import MODEL_FS, RHYTHM_CLASSES
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.synthetic import simulate
from dynamic_deep.tasks.scores import beat_scores
from experiments.judges_second import (
    RHYTHM,
    ClassicalPeaks,
    load_second_rhythm,
    rhythm_identity,
)
from experiments.train.judge import score
from training.targets import split_subjects

MAX_BYTES = 1_500_000


def test_xqrs_finds_the_beats_of_a_simulated_heart() -> None:
    ecg = simulate(30.0, seed=4, rhythm_plan=[("sinus", 30.0)])
    x = ecg.recording.samples[:8960, 0].astype(np.float32)
    found = ClassicalPeaks().answer(x)
    beats = ecg.rpeaks[ecg.rpeaks < 8960].astype(np.float64)
    assert len(beats) > 20
    assert beat_scores(beats, found, 0.15, n_samples=8960).f1 > 0.98
    assert found.n_samples == 8960


def test_xqrs_knows_no_unit() -> None:
    x = simulate(20.0, seed=5).recording.samples[:, 0].astype(np.float32)
    judge = ClassicalPeaks()
    assert len(judge.answer(x)) > 5
    assert np.array_equal(judge.answer(x), judge.answer(0.01 * x + 7.0))


@pytest.mark.parametrize("n_samples", [1, 299, 5000])
def test_xqrs_finds_nothing_where_nothing_is(n_samples: int) -> None:
    found = ClassicalPeaks().answer(np.full(n_samples, 3.0, np.float32))
    assert len(found) == 0
    assert found.n_samples == n_samples


def test_xqrs_errs_by_the_beats_that_went() -> None:
    x = simulate(30.0, seed=6).recording.samples[:8960, 0].astype(np.float32)
    judge = ClassicalPeaks()
    raw = judge.answer(x)
    assert judge.error(raw, raw) == 0.0
    middle = len(raw) // 2
    without = raw[np.arange(len(raw)) != middle]
    expected = 1.0 - 2.0 * len(without) / (len(raw) + len(without))
    assert judge.error(raw, without) == pytest.approx(expected)
    moved = raw.copy()
    moved[middle] += 0.06 * MODEL_FS
    assert judge.error(raw, moved) > 0.0
    empty = raw[:0]
    assert judge.error(empty, empty) == 0.0


def test_the_network_answers_as_the_task_does() -> None:
    task = load_second_rhythm()
    x = simulate(29.9, seed=7).recording.samples[:8960, 0].astype(np.float32)
    answer = task.answer(x)
    assert answer.shape == (35, len(RHYTHM_CLASSES))
    assert np.allclose(answer.sum(axis=1), 1.0, atol=1e-5)
    assert task.decide(answer) in RHYTHM_CLASSES
    # It sees power alone.
    assert np.allclose(task.answer(-x), answer, atol=1e-4)
    assert task.answer(x[:2300]).shape == (8, len(RHYTHM_CLASSES))


def test_the_network_is_small_and_its_scores_are_those_beside_it() -> None:
    assert RHYTHM.stat().st_size < MAX_BYTES
    about = json.loads(RHYTHM.with_suffix(".json").read_text())
    assert about["n_bytes"] == RHYTHM.stat().st_size
    try:
        subjects = list(split_subjects("cinc2017", "validation"))
    except ConfigError as error:
        pytest.skip(str(error))
    scores = score(load_second_rhythm(), subjects)
    assert scores == pytest.approx(about["validation"], abs=5e-3)


def test_a_network_that_is_missing_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="train judge"):
        rhythm_identity(tmp_path / "none.tflite")
