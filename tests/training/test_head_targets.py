# SPDX-License-Identifier: Apache-2.0
"""`training.head_targets`: what is over which bound, and how tasks answer."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.bound import LEAST_ERROR
from dynamic_deep.engine import Network
from tests.bound.tables import make_trials
from training.beat_doubts import N_DOUBTS, beat_doubts
from training.head_targets import (
    BOUNDS,
    N_BOUNDS,
    bound_grid,
    lessons_of,
    over_targets,
)
from training.lite import export_task

NAN = float("nan")


def test_each_channel_has_its_row_of_bounds() -> None:
    grid = bound_grid(("rpeaks:raw", "rhythm:raw"))
    assert grid.dtype == np.float32
    assert np.exp(grid[1]) == pytest.approx(np.array(BOUNDS["rhythm:raw"]))
    assert np.exp(grid[0, 0]) == pytest.approx(LEAST_ERROR)
    assert grid.shape == (2, N_BOUNDS)
    for bounds in BOUNDS.values():
        assert len(bounds) == N_BOUNDS
        assert list(bounds) == sorted(set(bounds))


def test_what_is_over_by_hand() -> None:
    # Two windows, two levels; the second window has no label.
    errors = np.array(
        [
            [[0.05, 0.70, 0.0], [0.30, 3.00, 0.05]],
            [[0.00, NAN, 0.2], [2.00, NAN, 1.0]],
        ]
    )
    trials = make_trials(errors, raw_errors=[[0.0, 0.6, 0.0], [0.0, NAN, 0.0]])
    over, weight = over_targets(trials)
    assert over.shape == weight.shape == (2, 3, 3, N_BOUNDS)
    n_over = over.sum(axis=-1)
    assert n_over[0].tolist() == [[0, 3, 0], [2, 4, 0], [6, 8, 3]]
    assert n_over[1, :, 0].tolist() == [0, 0, 8]
    assert n_over[1, :, 2].tolist() == [0, 6, 8]
    # The bounds that are broken are the lowest ones.
    assert over[0, 1, 0].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    # Nothing is to be learned of a raw window against itself, or without a label.
    known = weight.min(axis=-1)
    assert (known == weight.max(axis=-1)).all()
    assert known[0].tolist() == [[0, 1, 0], [1, 1, 1], [1, 1, 1]]
    assert known[1].tolist() == [[0, 0, 0], [1, 0, 1], [1, 0, 1]]


def exported(tasks: dict[str, keras.Model]) -> dict[str, Network]:
    return {name: Network(export_task(task), name) for name, task in tasks.items()}


def test_a_rhythms_answer_is_the_mean_of_its_outputs(
    tiny_tasks: dict[str, keras.Model], batch: np.ndarray
) -> None:
    found, doubts = lessons_of(exported(tiny_tasks))(batch)
    outputs = keras.ops.convert_to_numpy(tiny_tasks["rhythm"](batch))
    assert found == pytest.approx(outputs.mean(axis=1), abs=1e-6)
    assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    maps = keras.ops.convert_to_numpy(tiny_tasks["rpeaks"](batch))[..., 0]
    expected = np.stack([beat_doubts(row) for row in maps])
    assert doubts == pytest.approx(expected, abs=1e-2)


def test_without_r_peaks_nothing_is_said_of_beats(
    tiny_tasks: dict[str, keras.Model], batch: np.ndarray
) -> None:
    networks = exported(tiny_tasks)
    found, doubts = lessons_of({"rhythm": networks["rhythm"]})(batch)
    assert (found == lessons_of(networks)(batch)[0]).all()
    assert doubts.shape == (len(batch), 4, N_DOUBTS)
    assert not doubts.any()


def test_without_rhythm_it_is_how_far_the_peaks_are() -> None:
    window = keras.Input((None, 1))
    rpeaks = keras.Model(window, keras.layers.Identity()(window))
    x = np.array([[0.0, 0.1, 0.3, 0.9], [1.0, 1.0, 0.5, 0.2]], np.float32)
    doubts = [beat_doubts(np.tile(row, 2240)) for row in x]
    x = np.tile(x, 2240)
    found, said = lessons_of(exported({"rpeaks": rpeaks}))(x[..., None])
    assert said == pytest.approx(np.stack(doubts), abs=1e-5)
    assert found.tolist() == [[0.5, 0.25, 0.0, 0.25], [0.25, 0.0, 0.25, 0.5]]
