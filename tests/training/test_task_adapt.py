# SPDX-License-Identifier: Apache-2.0
"""`training.task_adapt`: decoded windows get the answers that raw ones had."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.bundle import Bundle, load_bundle
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.errors import ConfigError
from tests.signals import COSINE
from training.adapt_presets import ADAPT_PRESETS, find_adapt_preset
from training.adapt_windows import PairWindows, pair_windows
from training.datasets import Lead
from training.task_adapt import (
    AdaptPreset,
    adapted_task,
    build_adapted,
    fit_adapted,
)
from training.task_presets import TaskPreset
from training.task_terms import LOSSES, kl_divergence, softened

numpy = keras.ops.convert_to_numpy
PRESETS = {
    task: AdaptPreset(
        task=TaskPreset(
            task=task,
            size="compact",
            n_steps=4,
            batch_size=2,
            learning_rate=1e-2,
            weight_decay=0.0,
            ema_momentum=0.5,
        ),
        n_steps=4,
        n_labelled=2,
        n_pairs=2,
        pair_weight=20.0,
        learning_rate=0.3,  # of which the warm-up leaves some hundredths
    )
    for task in ("rhythm", "rpeaks")
}


def noisy(
    leads: list[Lead], bundle: Bundle | None = None, *, highest_gain: float = np.inf
) -> list[list[np.ndarray]]:
    """Each lead as it is, and as a poor level might give it back."""
    rng = np.random.default_rng(2)
    raw = [(lead.x - lead.x.mean()) / lead.x.std() for lead in leads]
    return [[x, x + rng.normal(0.0, 0.7, len(x)).astype("f4")] for x in raw]


@pytest.fixture(autouse=True)
def small_data(
    monkeypatch: pytest.MonkeyPatch, leads: list[Lead], tiny_builders: None
) -> None:
    """No records are read or decoded, networks are tiny, checkpoints are frequent."""
    labels = {lead.record: i for i, lead in enumerate(leads)}
    beats = np.arange(100.0, 20_000.0, 250.0)
    for module in ("task_trainer", "adapt_windows"):
        where = f"training.{module}."
        monkeypatch.setattr(where + "load_leads", lambda data_set, split: leads)
        monkeypatch.setattr(where + "decoded_versions", noisy)
    monkeypatch.setattr("training.task_trainer.rhythm_labels", lambda: labels)
    monkeypatch.setattr("training.task_trainer.beat_times", lambda record: beats)
    monkeypatch.setattr("training.trainer.SAVE_EVERY", 2)
    monkeypatch.setattr("training.trainer.LOG_EVERY", 3)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(COSINE)


def quiet(row: dict[str, Any]) -> None:
    pass


def same(first: keras.Model, second: keras.Model) -> bool:
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return all((a == b).all() for a, b in pairs)


def test_the_loss_by_hand() -> None:
    preset = dataclasses.replace(
        PRESETS["rhythm"], n_labelled=1, n_pairs=1, pair_weight=3.0
    )
    rows = [[0.7, 0.1, 0.1, 0.1], [0.4, 0.4, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1]]
    answer = np.array(rows, np.float32)[:, None, :]
    classes = np.array([[[1.0, 0.0, 0.0, 0.0]]], np.float32)
    loss = build_adapted(preset).compute_loss(y=classes, y_pred=answer)
    apart = numpy(kl_divergence(answer[1:2], answer[2:]))
    expected = -np.log(0.7) + 3.0 * numpy(softened(apart))[0]
    assert float(loss) == pytest.approx(expected, rel=1e-4)
    # The answer on the raw window is what is aimed at; it is not drawn along.
    turned = answer[[0, 2, 1]]
    other = build_adapted(preset).compute_loss(y=classes, y_pred=turned)
    assert float(other) != pytest.approx(float(loss), rel=1e-3)


@pytest.mark.parametrize("is_mutual", [False, True])
def test_the_raw_answer_is_drawn_along_if_the_pair_is_mutual(is_mutual: bool) -> None:
    import tensorflow as tf

    preset = dataclasses.replace(
        PRESETS["rhythm"], n_labelled=1, n_pairs=1, is_mutual=is_mutual
    )
    rows = [[0.7, 0.1, 0.1, 0.1], [0.4, 0.4, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1]]
    answer = tf.Variable(np.array(rows, np.float32)[:, None, :])
    classes = np.array([[[1.0, 0.0, 0.0, 0.0]]], np.float32)
    model = build_adapted(preset)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(y=classes, y_pred=answer)
    _, raw, decoded = tape.gradient(loss, answer).numpy()
    assert raw.any() == is_mutual
    assert decoded.any()


def test_pairs_are_the_same_stretch_raw_and_decoded(leads: list[Lead]) -> None:
    versions = noisy(leads)
    windows = PairWindows(versions, seed=5)
    raw, decoded = windows.batch(3, 12)
    assert raw.shape == decoded.shape == (12, WINDOW_LEN, 1)
    assert raw.dtype == np.float32
    for one, other in zip(raw[..., 0], decoded[..., 0], strict=True):
        # A signal of deviation 1 and noise of 0.7: the correlation is 1 / sqrt(1.49).
        assert np.corrcoef(one, other)[0, 1] == pytest.approx(0.82, abs=0.05)
    again = PairWindows(versions, seed=5).batch(3, 12)
    assert (raw == again[0]).all()
    assert not (raw == windows.batch(4, 12)[0]).all()


@pytest.mark.parametrize("task", PRESETS)
def test_answers_on_pairs_come_closer(
    task: str, bundle: Bundle, leads: list[Lead], tmp_path: Path
) -> None:
    trained = build_adapted(PRESETS[task]).network
    raw, decoded = PairWindows(noisy(leads), seed=77).batch(0, 8)

    def apart(network: keras.Model) -> float:
        return float(np.mean(numpy(LOSSES[task](network(raw), network(decoded)))))

    before = apart(trained)
    preset = dataclasses.replace(
        PRESETS[task], n_steps=40, pair_weight=300.0, learning_rate=0.1
    )
    adapted = fit_adapted(preset, trained, [bundle], tmp_path, log=quiet)
    assert apart(trained) == before  # what phase 2 had stays as it is
    assert apart(adapted) < 0.5 * before


def test_labels_are_learned_along_the_way(
    bundle: Bundle, leads: list[Lead], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without the pairs' part, and all records of one class, that class is the answer.
    labels = {lead.record: 2 for lead in leads}
    monkeypatch.setattr("training.task_trainer.rhythm_labels", lambda: labels)
    preset = dataclasses.replace(PRESETS["rhythm"], n_steps=25, pair_weight=0.0)
    trained = build_adapted(preset).network
    x = np.stack([lead[0][:WINDOW_LEN, None] for lead in noisy(leads)])
    adapted = fit_adapted(preset, trained, [bundle], tmp_path, log=quiet)
    shares = [numpy(v(x))[..., 2].mean() for v in (trained, adapted)]
    assert shares[1] > shares[0] + 0.1


def test_a_share_of_the_weights_before_is_kept(bundle: Bundle, tmp_path: Path) -> None:
    preset = PRESETS["rhythm"]
    trained = build_adapted(preset).network
    after = fit_adapted(preset, trained, [bundle], tmp_path / "a", log=quiet)
    keeping = dataclasses.replace(preset, kept_share=0.25)
    mixed = fit_adapted(keeping, trained, [bundle], tmp_path / "b", log=quiet)
    networks = (trained, after, mixed)
    for a, b, m in zip(*(v.get_weights() for v in networks), strict=True):
        np.testing.assert_allclose(m, 0.25 * a + 0.75 * b, rtol=1e-4, atol=1e-6)
    assert not same(mixed, after)


@pytest.mark.parametrize("task", PRESETS)
def test_a_cut_run_resumes_to_the_same_weights(
    task: str, bundle: Bundle, tmp_path: Path
) -> None:
    preset = PRESETS[task]
    trained = build_adapted(preset).network
    unbroken = fit_adapted(preset, trained, [bundle], tmp_path / "a", log=quiet)
    assert not same(unbroken, trained)

    def cut(row: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    run = tmp_path / "b"
    with pytest.raises(KeyboardInterrupt):
        fit_adapted(preset, trained, [bundle], run, log=cut)  # at 3, past a checkpoint
    resumed = fit_adapted(preset, trained, [bundle], run, log=quiet)
    assert same(unbroken, resumed)
    # What is kept of it is the moving average, as `fit_adapted` gives it.
    assert same(adapted_task(preset, run), unbroken)


def test_pairs_are_of_every_codec_up_to_a_gain(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, leads: list[Lead]
) -> None:
    asked: list[float] = []

    def versions(leads: list[Lead], bundle: Bundle, *, highest_gain: float) -> Any:
        asked.append(highest_gain)
        return [[lead.x, lead.x + 1.0] for lead in leads]

    monkeypatch.setattr("training.adapt_windows.decoded_versions", versions)
    windows = pair_windows("rpeaks", [bundle, bundle], 96.0, seed=1)
    assert asked == [96.0, 96.0]
    assert {len(lead) for lead in windows.versions} == {3}  # raw, and one of each
    assert all((lead[1] == lead[2]).all() for lead in windows.versions)


def test_the_network_of_before_votes_on_leads_without_beats(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leads: list[Lead]
) -> None:
    preset = dataclasses.replace(
        PRESETS["rpeaks"], n_steps=1, n_pairs=0, cinc_share=0.5, label_delta=0.25
    )
    trained = build_adapted(preset).network
    voters: list[keras.Model] = []

    def vote(model: keras.Model, leads: list[Lead], *_: Any) -> Any:
        voters.append(model)
        return [np.arange(50.0, len(lead.x), 200.0) for lead in leads]

    monkeypatch.setattr("training.adapt_windows.voted_peaks", vote)
    before = [numpy(weight) for weight in trained.weights]
    adapted = fit_adapted(preset, trained, [bundle], tmp_path, log=quiet)
    assert voters == [trained]
    assert any(
        (a != numpy(b)).any() for a, b in zip(before, adapted.weights, strict=True)
    )


def test_the_absolute_part_of_a_loss_is_as_steep_as_ever() -> None:
    """A quarter of delta, and the same slope where the error is large."""
    losses = []
    for delta in (1.0, 0.25):
        model = build_adapted(
            dataclasses.replace(PRESETS["rpeaks"], n_pairs=0, label_delta=delta)
        )
        y = np.zeros((2, WINDOW_LEN, 1), np.float32)
        loss = [float(model.compute_loss(y=y, y_pred=y + v)) for v in (0.1, 0.6, 0.8)]
        losses.append(loss)
    assert losses[0] == pytest.approx([0.005, 0.18, 0.32], rel=1e-4)
    assert losses[1] == pytest.approx([0.02, 0.475, 0.675], rel=1e-4)


def test_a_finished_run_decodes_nothing(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = dataclasses.replace(PRESETS["rhythm"], n_steps=1)
    trained = build_adapted(preset).network
    first = fit_adapted(preset, trained, [bundle], tmp_path, log=quiet)

    def refuse(*_: Any) -> None:
        raise AssertionError("nothing is to be decoded")

    monkeypatch.setattr("training.adapt_windows.decoded_versions", refuse)
    monkeypatch.setattr("training.task_trainer.decoded_versions", refuse)
    assert same(fit_adapted(preset, trained, [bundle], tmp_path, log=quiet), first)


def test_presets_are_found_or_refused(tmp_path: Path) -> None:
    for name, preset in ADAPT_PRESETS.items():
        assert find_adapt_preset(name) is preset
        assert preset.task.task == name.partition("_")[0]
    with pytest.raises(ConfigError, match="rpeaks_again_pairs, got 'sleep'"):
        find_adapt_preset("sleep")
    with pytest.raises(ConfigError, match=r"must hold checkpoint\.npz"):
        adapted_task(PRESETS["rhythm"], tmp_path)
