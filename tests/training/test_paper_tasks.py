# SPDX-License-Identifier: Apache-2.0
"""Task networks: the paper's, row by row of their layer tables, and the compact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.networks.rhythm import CLASSES, build_rhythm
from dynamic_deep.networks.rpeaks import build_rpeaks
from dynamic_deep.networks.rpnet import MIN_LEN, RPNET_LEN, PadToFit, build_rpnet
from dynamic_deep.networks.tasks import Standardize
from dynamic_deep.synthetic import simulate_ecg
from training.task_networks import build_task_network

RHYTHM_ROWS = {
    "stem": 544 + 128,
    "block_0": 32_960,
    **dict.fromkeys(("block_1", "block_2", "block_3"), 33_088),
    "block_4": 98_816,
    **dict.fromkeys(("block_5", "block_6", "block_7"), 131_712),
    "block_8": 394_240,
    **dict.fromkeys(("block_9", "block_10", "block_11"), 525_568),
    "block_12": 1_574_912,
    **dict.fromkeys(("block_13", "block_14", "block_15"), 2_099_712),
    "answer": 1_024 + 1_028,
}
RPNET_ROWS = {  # length of the map, trainable parameters
    "e1": (2500, 37_856),
    "e2": (1250, 182_208),
    "e2add": (1250, 49_536),
    "e3": (625, 776_448),
    "e4": (312, 3_166_720),
    "e4add": (312, 787_968),
    "e5": (156, 4_216_064),
    "e6": (78, 4_216_064),
    "e6add": (78, 787_968),
    "e7": (39, 4_216_064),
    "e8": (19, 2_100_224),
    "d1": (39, 4_478_208),
    "d2": (78, 5_264_640),
    "d3": (78, 3_952_384),
    "d4": (156, 5_264_640),
    "d5": (312, 5_264_640),
    "d6": (312, 3_952_384),
    "d7": (625, 1_907_328),
    "d8": (1250, 312_064),
    "d9": (1250, 98_688),
    "d10": (2500, 65_728),
    "out": (5000, 513),
}


@pytest.fixture(scope="module")
def rhythm_paper() -> keras.Model:
    keras.utils.set_random_seed(3)
    return build_task_network("rhythm", "paper")


@pytest.fixture(scope="module")
def rpnet() -> keras.Model:
    keras.utils.set_random_seed(3)
    return build_rpnet()


@pytest.fixture(scope="module")
def rpnet_of_any_length() -> keras.Model:
    keras.utils.set_random_seed(3)
    return build_task_network("rpeaks", "paper")


def _row(variable: keras.Variable) -> str:
    return str(variable.path).partition("/")[0]


def _size_per_row(variables: Iterable[keras.Variable]) -> dict[str, int]:
    sizes: Counter[str] = Counter()
    for variable in variables:
        sizes[_row(variable)] += int(np.prod(variable.shape))
    return dict(sizes)


def _ecg(n_samples: int, seed: int = 1) -> np.ndarray:
    """A simulated window in mV, (1, n_samples, 1)."""
    recording = simulate_ecg(n_samples / 300.0 + 1.0, seed=seed)
    window: np.ndarray = recording.to_mv()[None, :n_samples, :1].astype(np.float32)
    return window


def _answer(model: keras.Model, x: np.ndarray) -> np.ndarray:
    answer: np.ndarray = keras.ops.convert_to_numpy(
        model(x.astype(np.float32), training=False)
    )
    return answer


def test_the_papers_rhythm_network_has_the_papers_parameters(
    rhythm_paper: keras.Model,
) -> None:
    assert _size_per_row(rhythm_paper.weights) == RHYTHM_ROWS
    assert rhythm_paper.count_params() == sum(RHYTHM_ROWS.values()) == 10_473_892


def test_it_has_34_layers_of_weights_and_kernels_of_16(
    rhythm_paper: keras.Model,
) -> None:
    convs = [v for v in rhythm_paper.layers if isinstance(v, keras.layers.Conv1D)]
    dense = [v for v in rhythm_paper.layers if isinstance(v, keras.layers.Dense)]
    assert (len(convs), len(dense)) == (33, 1)
    assert {v.kernel_size for v in convs} == {(16,)}
    assert sum(v.strides == (2,) for v in convs) == 8


@pytest.mark.parametrize("n_samples", [256, 1280, WINDOW_LEN])
def test_it_answers_every_256_samples(
    rhythm_paper: keras.Model, n_samples: int
) -> None:
    p = _answer(rhythm_paper, _ecg(n_samples))
    assert p.shape == (1, n_samples // 256, len(CLASSES))
    assert np.allclose(p.sum(axis=-1), 1.0, atol=1e-5)


def test_rpnet_has_the_papers_parameters(rpnet: keras.Model) -> None:
    expected = {row: n_params for row, (_, n_params) in RPNET_ROWS.items()}
    assert _size_per_row(rpnet.trainable_variables) == expected
    assert sum(expected.values()) == 51_098_337


def test_rpnet_has_the_papers_lengths(rpnet: keras.Model) -> None:
    lengths = {}
    for layer in rpnet.layers:  # from the input on, so that the last of a row stays
        if layer.weights:
            lengths[_row(layer.weights[0])] = layer.output.shape[1]
    assert lengths == {row: length for row, (length, _) in RPNET_ROWS.items()}
    assert rpnet.input_shape == rpnet.output_shape == (None, RPNET_LEN, 1)


@pytest.mark.parametrize("n_samples", [1, MIN_LEN, 1500])
def test_rpnet_of_any_length_gives_a_map_of_the_windows(
    rpnet_of_any_length: keras.Model, n_samples: int
) -> None:
    distance = _answer(rpnet_of_any_length, _ecg(n_samples))
    assert distance.shape == (1, n_samples, 1)
    assert np.isfinite(distance).all()


@pytest.mark.parametrize(
    ("n_samples", "n_fitting"),
    [(1, 392), (136, 392), (393, 648), (RPNET_LEN, RPNET_LEN), (WINDOW_LEN, 9096)],
)
def test_windows_are_padded_behind_to_a_length_that_comes_out(
    n_samples: int, n_fitting: int
) -> None:
    window = np.ones((1, n_samples, 1), np.float32)
    padded = keras.ops.convert_to_numpy(PadToFit()(window))
    assert padded.shape == (1, n_fitting, 1)
    assert PadToFit().compute_output_shape(window.shape) == padded.shape
    assert (padded[:, :n_samples] == 1.0).all()
    assert not padded[:, n_samples:].any()


@pytest.mark.parametrize(
    ("name", "n_samples", "loss"),
    [
        ("rhythm_paper", 512, "categorical_crossentropy"),
        ("rpnet_of_any_length", MIN_LEN, "huber"),
    ],
)
def test_a_step_of_training_reaches_every_row(
    request: pytest.FixtureRequest, name: str, n_samples: int, loss: str
) -> None:
    model = request.getfixturevalue(name)
    x = np.concatenate([_ecg(n_samples, seed) for seed in (1, 2)])
    y = np.zeros((2, *_answer(model, x).shape[1:]), np.float32)
    y[..., 0] = 1.0
    kept = model.get_weights()
    model.compile(keras.optimizers.SGD(1e-2), loss=loss, run_eagerly=True)
    losses = [float(np.ravel(model.train_on_batch(x, y))[0]) for _ in range(2)]
    moved = {
        _row(variable)
        for variable, before in zip(model.weights, kept, strict=True)
        if variable.trainable
        and np.abs(keras.ops.convert_to_numpy(variable) - before).max() > 0.0
    }
    model.set_weights(kept)
    assert np.isfinite(losses).all()
    assert moved == set(_size_per_row(model.trainable_variables))


@pytest.mark.parametrize("n_samples", [256, 2304, WINDOW_LEN])
def test_the_compact_rhythm_network_answers_every_256_samples(n_samples: int) -> None:
    p = _answer(build_rhythm(), _ecg(n_samples))
    assert p.shape == (1, n_samples // 256, len(CLASSES))
    assert np.allclose(p.sum(axis=-1), 1.0, atol=1e-5)
    assert (p > 0.0).all()


@pytest.mark.parametrize("n_samples", [16, 2240, WINDOW_LEN])
def test_the_compact_peak_network_maps_every_sample(n_samples: int) -> None:
    distance = _answer(build_rpeaks(), _ecg(n_samples))
    assert distance.shape == (1, n_samples, 1)
    assert ((distance >= 0.0) & (distance <= 1.0)).all()


@pytest.mark.parametrize("build", [build_rhythm, build_rpeaks])
@pytest.mark.parametrize(
    ("gain", "offset"), [(200.0, 1024.0), (1000.0, 0.0), (1.0, -5.0)]
)
def test_unit_and_offset_do_not_change_the_answer(
    build: object, gain: float, offset: float
) -> None:
    assert callable(build)
    model = build()
    window = _ecg(2304)
    answer = _answer(model, window)
    assert np.abs(_answer(model, gain * window + offset) - answer).max() < 1e-3
    assert np.abs(_answer(model, _ecg(2304, seed=2)) - answer).max() > 1e-2


@pytest.mark.parametrize("name", ["rhythm_paper", "rpnet"])
def test_the_papers_networks_standardise_first(
    request: pytest.FixtureRequest, name: str
) -> None:
    _, first, *_ = request.getfixturevalue(name).layers
    assert isinstance(first, Standardize)
    assert not first.weights


def test_a_flat_window_is_standardised_to_zeros() -> None:
    flat = np.full((1, 512, 1), 2.5, np.float32)
    assert not _answer(Standardize(), flat).any()


def test_an_unknown_task_network_is_refused_with_a_list() -> None:
    with pytest.raises(ConfigError, match=r"rhythm paper.*; got rhythm huge"):
        build_task_network("rhythm", "huge")
