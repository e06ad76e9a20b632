# SPDX-License-Identifier: Apache-2.0
"""`training.voted_peaks`: what is faint is a beat only where one is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from training.datasets import Lead
from training.task_windows import distance_map
from training.voted_peaks import RAW_WEIGHT, mean_map, picked_peaks, voted_peaks

N_SAMPLES = 2500
SURE = (250.0, 500.0, 750.0, 1000.0, 1500.0, 1750.0, 2000.0)


def map_of(heights: dict[float, float]) -> np.ndarray:
    """A map with tents of these heights at these samples."""
    distance = np.ones(N_SAMPLES)
    for at, height in heights.items():
        tent = 1.0 - height * (1.0 - distance_map(np.array([at]), N_SAMPLES))
        distance = np.minimum(distance, tent)
    return distance


@pytest.mark.parametrize(
    ("at", "height", "is_beat"),
    [
        (1250.0, 0.4, True),  # where the rhythm misses one
        (1250.0, 0.2, False),  # too faint even there
        (625.0, 0.7, False),  # between two that leave no room
        (1100.0, 0.7, False),  # in the gap, but too near to a beat
        (2250.0, 0.7, True),  # after the last sure one
        (2250.0, 0.5, False),  # there it must be less faint
    ],
)
def test_a_faint_beat_counts_where_one_is_missing(
    at: float, height: float, is_beat: bool
) -> None:
    picked = picked_peaks(map_of(dict.fromkeys(SURE, 0.95) | {at: height}))
    expected = sorted([*SURE, at]) if is_beat else list(SURE)
    assert picked == pytest.approx(expected, abs=1.0)


def test_of_two_faint_beats_the_clearer_counts() -> None:
    heights = dict.fromkeys(SURE, 0.95) | {1230.0: 0.45, 1310.0: 0.6}
    assert 1310.0 in np.rint(picked_peaks(map_of(heights)))
    assert len(picked_peaks(map_of(heights))) == len(SURE) + 1


def test_without_a_rhythm_the_usual_limit_holds() -> None:
    picked = picked_peaks(map_of({300.0: 0.9, 900.0: 0.6, 1500.0: 0.4}))
    assert picked == pytest.approx([300.0, 900.0], abs=1.0)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """A network whose map is what it is given."""
    x = keras.Input((None, 1))
    return keras.Model(x, keras.layers.Identity()(x))


def test_the_raw_map_has_more_votes(network: keras.Model) -> None:
    raw, decoded = np.zeros(N_SAMPLES), np.ones(N_SAMPLES)
    found = mean_map(network, [raw, decoded])
    assert found.shape == (N_SAMPLES,)
    assert found == pytest.approx(1.0 / (RAW_WEIGHT + 1.0))
    assert (mean_map(network, [raw]) == 0.0).all()


def test_beats_are_voted_once(network: keras.Model, tmp_path: Path) -> None:
    leads = [Lead(record="A1", lead=0, x=np.zeros(N_SAMPLES, np.float32))]
    versions = [[map_of(dict.fromkeys(SURE, 0.95)), np.ones(N_SAMPLES)]]
    path = tmp_path / "voted.npz"
    first = voted_peaks(network, leads, versions, path)
    assert first[0] == pytest.approx(SURE, abs=1.0)
    assert [file.name for file in tmp_path.iterdir()] == ["voted.npz"]
    again = voted_peaks(network, leads, [], path)  # nothing is asked any more
    assert (again[0] == first[0]).all()
