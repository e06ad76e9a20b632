# SPDX-License-Identifier: Apache-2.0
"""`training.task_terms`: what a task's error is, and what it counts in the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.errors import ConfigError
from training.model import CodecModel, LossSettings
from training.task_terms import (
    KNEE,
    TaskTerms,
    TaskWeights,
    cross_entropy,
    kl_divergence,
    map_huber,
    softened,
)
from training.task_weight import (
    MAX_SHARE,
    UNIT_WEIGHT_GAIN,
    WEIGHT_POWER,
    share_of_weight,
)

if TYPE_CHECKING:
    from dynamic_deep.networks import NetworkConfig

Tasks = dict[str, keras.Model]
numpy = keras.ops.convert_to_numpy
CLASSES = np.eye(4, dtype=np.float32)[[1, 3, 0, 2]]


def test_the_divergence_by_hand() -> None:
    p = np.array([[[0.5, 0.5], [1.0, 0.0]], [[0.9, 0.1], [0.9, 0.1]]], np.float32)
    q = np.array([[[0.25, 0.75], [0.5, 0.5]], [[0.9, 0.1], [0.9, 0.1]]], np.float32)
    first = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    second = np.log(1.0 / 0.5)  # what p gives no chance counts 1e-6, next to nothing
    expected = [(first + second) / 2, 0.0]
    assert numpy(kl_divergence(p, q)) == pytest.approx(expected, abs=2e-5)
    # An answer that rules the truth out costs much, but not everything.
    sure = np.array([[[1.0, 0.0]]], np.float32)
    worst = float(numpy(kl_divergence(sure, sure[..., ::-1]))[0])
    assert worst == pytest.approx(np.log(1e6), rel=1e-3)


def test_the_cross_entropy_by_hand() -> None:
    q = np.array([[[0.1, 0.6, 0.2, 0.1], [0.1, 0.2, 0.6, 0.1]]] * 2, np.float32)
    classes = np.array([[0, 1, 0, 0], [0, 0, 0, 0]], np.float32)
    expected = [-(np.log(0.6) + np.log(0.2)) / 2, 0.0]
    assert numpy(cross_entropy(classes, q)) == pytest.approx(expected)


def test_the_hubers_by_hand() -> None:
    raw = np.zeros((2, 4, 1), np.float32)
    decoded = np.array([[0.5, -0.5, 0, 0], [0, 3.0, 0, 0]], np.float32)[..., None]
    expected = [2 * 0.5 * 0.25 / 4, 2.5 / 4]
    assert numpy(map_huber(raw, decoded)) == pytest.approx(expected)


def test_an_error_is_itself_while_small_and_its_logarithm_beyond() -> None:
    errors = np.array([0.0, 1e-4, KNEE, 9 * KNEE], np.float32)
    expected = [0.0, 1e-4, KNEE * np.log(2), KNEE * np.log(10)]
    assert numpy(softened(errors)) == pytest.approx(expected, rel=1e-3)


def test_a_task_counts_more_the_higher_the_level() -> None:
    assert share_of_weight(UNIT_WEIGHT_GAIN) == 1.0
    assert share_of_weight(UNIT_WEIGHT_GAIN / 2) == pytest.approx(2**-WEIGHT_POWER)
    assert share_of_weight(UNIT_WEIGHT_GAIN / 2, 1.0) == pytest.approx(0.5)
    assert share_of_weight(1e6) == MAX_SHARE


def test_other_words_are_refused(tiny_tasks: Tasks) -> None:
    with pytest.raises(ConfigError, match="raw, label; got 'truth'"):
        TaskWeights(tasks={"rhythm": 1.0}, reference="truth")
    with pytest.raises(ConfigError, match="rhythm, rpeaks; got sleep"):
        TaskWeights(tasks={"sleep": 1.0})
    rhythm = {"rhythm": tiny_tasks["rhythm"]}
    both = TaskWeights(tasks={"rhythm": 1.0, "rpeaks": 1.0})
    with pytest.raises(ConfigError, match="got none for rpeaks"):
        TaskTerms(rhythm, both)


def test_raw_is_the_tasks_own_answer(tiny_tasks: Tasks, batch: np.ndarray) -> None:
    terms = TaskTerms(tiny_tasks, TaskWeights(tasks={"rhythm": 1.0, "rpeaks": 1.0}))
    x_hat = 0.5 * batch + 0.1 * np.roll(batch, 7, axis=1)
    answers = {n: (m(batch), m(x_hat)) for n, m in tiny_tasks.items()}
    losses = {"rhythm": kl_divergence, "rpeaks": map_huber}
    for task, loss in losses.items():
        assert np.abs(numpy(terms.error(task, batch, batch))).max() < 1e-6
        error = numpy(terms.error(task, batch, x_hat))
        assert error.shape == (4,)
        assert (error > 0).all()
        assert np.allclose(error, numpy(loss(*answers[task])), rtol=1e-4)
    few = np.array([0.3], np.float32)
    assert numpy(terms.cost("rpeaks", few))[0] == few[0]
    assert numpy(terms.cost("rhythm", few))[0] < few[0]


def test_label_is_the_class(tiny_tasks: Tasks, batch: np.ndarray) -> None:
    weights = TaskWeights(tasks={"rhythm": 1.0, "rpeaks": 1.0}, reference="label")
    terms = TaskTerms(tiny_tasks, weights)
    error = numpy(terms.error("rhythm", batch, batch, CLASSES))
    q = numpy(tiny_tasks["rhythm"](batch))
    expected = [-np.log(q[i, :, c]).mean() for i, c in enumerate(CLASSES.argmax(1))]
    assert error == pytest.approx(expected, rel=1e-4)
    unknown = np.zeros_like(CLASSES)
    assert not numpy(terms.error("rhythm", batch, batch, unknown)).any()
    # R peaks have no labels there: they stay with the raw window.
    assert not numpy(terms.error("rpeaks", batch, batch, CLASSES)).any()


def test_tasks_are_frozen_and_no_weights_of_the_codec(
    tiny_tasks: Tasks, tiny_config: NetworkConfig, batch: np.ndarray
) -> None:
    terms = TaskTerms(tiny_tasks, TaskWeights(tasks={"rhythm": 1.0, "rpeaks": 1.0}))
    assert not any(task.trainable_variables for task in tiny_tasks.values())
    model = CodecModel(tiny_config, loss=LossSettings(terms=terms))
    model(batch)
    own = {id(v) for v in model.variables}
    assert not own & {id(v) for task in tiny_tasks.values() for v in task.variables}


def test_the_loss_is_the_sum_of_its_parts(
    tiny_tasks: Tasks, tiny_config: NetworkConfig, batch: np.ndarray
) -> None:
    def terms(reference: str = "raw", **tasks: float) -> TaskTerms:
        weights = TaskWeights(tasks=tasks, reference=reference)
        return TaskTerms(tiny_tasks, weights)

    both = LossSettings(terms=terms(rhythm=1.0, rpeaks=1.0))
    model = CodecModel(tiny_config, loss=both)
    answer = model(batch)

    def loss(**settings: Any) -> float:
        model.settings = LossSettings(**settings)
        return float(model.compute_loss(batch, CLASSES, answer, training=False))

    plain = loss()
    assert loss(terms=terms(rhythm=0.0, rpeaks=0.0)) == plain
    once = loss(terms=terms(rhythm=1.0)) - plain
    assert once > 1e-4
    assert loss(terms=terms(rhythm=3.0)) - plain == pytest.approx(3 * once, rel=1e-2)
    label = loss(terms=terms("label", rhythm=1.0)) - plain
    assert label > 0
    assert label != pytest.approx(once, rel=1e-3)
    rate = loss(w0=0.0)
    assert 0 < rate < plain
    assert loss(w0=2.0) - plain == pytest.approx(plain - rate, rel=1e-4)
    assert loss(distortion="mse") != pytest.approx(plain, rel=1e-3)
    # By hand: each level counts by its gain, and the mean is over levels.
    error = numpy(both.terms.error("rhythm", batch, answer[0]))
    costs = numpy(softened(error)).reshape(2, 2).mean(axis=1)
    expected = np.mean([share_of_weight(32), share_of_weight(128)] * costs)
    assert once == pytest.approx(expected, rel=1e-2)
    # The figures are the errors as they are.
    shown = [float(mean.result()) for mean in model.task_means["rpeaks"]]
    windows = [0, 2]  # one of three of each level
    asked = both.terms.error("rpeaks", batch[windows], answer[0][::2])
    assert shown == pytest.approx(numpy(asked), rel=1e-3)
