# SPDX-License-Identifier: Apache-2.0
"""`training.guess`, `training.error_heads`: heads learn what can be known.

They are exported as they are.

The windows of the forecast are made up: their errors hang on the rate of one level.
"""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras

from dynamic_deep.engine import Network
from dynamic_deep.networks import join_heads
from dynamic_deep.networks.error_heads import N_CLASSES, SUMMARY_WIDTH
from dynamic_deep.trials import Trials
from tests.bound.tables import make_trials
from training.beat_doubts import N_DOUBTS
from training.datasets import Lead, RandomWindows
from training.error_heads import fit_forecast
from training.guess import Guess, fit_guess, summaries, trunk_maps, worst_doubts
from training.head_presets import HeadPreset
from training.head_targets import Lessons, over_targets
from training.lite import export_encoder, export_heads
from training.model import CodecModel

N = 600
PRESET = HeadPreset(
    n_guess_steps=200,
    guess_batch=4,
    n_forecast_steps=700,
    forecast_batch=64,
    learning_rate=1e-2,
    weight_decay=0.0,
    ema_momentum=0.9,
)


def quiet(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def table() -> tuple[Trials, tuple[np.ndarray, np.ndarray]]:
    """Windows whose errors go with the rate of the second of three levels."""
    rng = np.random.default_rng(4)
    rates = rng.normal(0.0, 1.0, (N, 3)).astype(np.float32)
    median = -3.0 + np.array([0.0, 0.5, 1.0]) + 1.5 * rates[:, 1:2]
    errors = np.exp(median + rng.logistic(0.0, 0.2, (N, 3)))
    summary = rng.normal(0.0, 1.0, (N, SUMMARY_WIDTH + N_CLASSES))
    return make_trials(errors), (summary.astype(np.float32), rates)


def base_loss(trials: Trials, held_out: np.ndarray) -> float:
    """The held-out loss of who knows how often each bound is broken, and no more."""
    over, weight = over_targets(trials)
    share = np.clip(over[~held_out].mean(axis=0), 1e-3, 1.0 - 1e-3)
    over, weight = over[held_out], weight[held_out]
    cross = -over * np.log(share) - (1.0 - over) * np.log(1.0 - share)
    return float((cross * weight).sum() / weight.sum())


def test_the_forecast_learns_what_a_rate_tells(
    table: tuple[Trials, tuple[np.ndarray, np.ndarray]],
) -> None:
    trials, inputs = table
    held_out = np.arange(N) % 4 == 0
    lines: list[str] = []
    forecast = fit_forecast(trials, inputs, PRESET, log=lines.append, held_out=held_out)
    said = re.fullmatch(r"averaged, held out (\d\.\d{4})", lines[-1])
    assert said is not None
    base = base_loss(trials, held_out)
    assert 0.2 < base < 0.6
    assert float(said[1]) < 0.6 * base
    # It is the right rate: with another one the errors rise.
    summary, rates = (part[held_out] for part in inputs)
    before = keras.ops.convert_to_numpy(forecast.network([summary, rates])[0])
    after = forecast.network([summary, rates + np.float32([0.0, 1.0, 0.0])])[0]
    rise = keras.ops.convert_to_numpy(after)[:, 1:] - before[:, 1:]
    assert np.median(rise) == pytest.approx(1.5, abs=0.5)


def test_what_is_held_out_is_not_learned(
    table: tuple[Trials, tuple[np.ndarray, np.ndarray]],
) -> None:
    trials, inputs = table
    few = HeadPreset(n_forecast_steps=3, forecast_batch=16)
    held_out = np.arange(N) >= 20
    other = Trials.from_arrays(trials.arrays())
    other.errors[20:] = 5.0
    first, second = (
        fit_forecast(v, inputs, few, log=quiet, held_out=held_out)
        for v in (trials, other)
    )
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    assert all((a == b).all() for a, b in pairs)


def both_ways(leads: list[Lead]) -> RandomWindows:
    """Windows of which about as many point up as down."""
    turned = [dataclasses.replace(lead, x=-lead.x) for lead in leads]
    return RandomWindows(leads, turned, seed=3)


@pytest.fixture(scope="module")
def guess(tiny_model: CodecModel, leads: list[Lead]) -> Guess:
    """A guess that was trained to tell the polarity of windows."""
    return fit_guess(tiny_model, lessons_of, both_ways(leads), PRESET, log=quiet)


def lessons_of(x: np.ndarray) -> Lessons:
    """The polarity; and for doubts how far the segments reach up and down."""
    segments = x.reshape(len(x), 4, -1)
    reach = np.stack([segments.max(axis=-1), -segments.min(axis=-1)], axis=-1)
    doubts = np.tile(np.tanh(0.1 * reach), (1, 1, N_DOUBTS // 2))
    return polarity_of(x), doubts.astype(np.float32)


def polarity_of(x: np.ndarray) -> np.ndarray:
    """A task that tells whether a window's peaks point up."""
    is_up = (x**3).mean(axis=(1, 2)) > 0
    return np.eye(N_CLASSES, dtype=np.float32)[is_up.astype(int)]


def test_the_guess_learns_the_answer(
    guess: Guess, tiny_model: CodecModel, leads: list[Lead]
) -> None:
    x = both_ways(leads).batch(1000, 40)  # of a number that training never came to
    answer = polarity_of(x)
    share = answer.mean(axis=0)[:2]
    assert share.min() > 0.2
    found = summaries(guess, tiny_model, x)
    assert found.shape == (40, SUMMARY_WIDTH + N_CLASSES)
    loss = -(answer * found[:, -N_CLASSES:]).sum(axis=1).mean()
    assert loss < 0.6 * -(share * np.log(share)).sum()


def test_the_guess_learns_the_doubts(
    guess: Guess, tiny_model: CodecModel, leads: list[Lead]
) -> None:
    x = both_ways(leads).batch(1000, 40)
    maps, doubts = trunk_maps(tiny_model, x), lessons_of(x)[1]
    worst = keras.ops.convert_to_numpy(worst_doubts(doubts))

    def squares(guess: Guess) -> list[float]:
        _, *found = (keras.ops.convert_to_numpy(v) for v in guess(maps))
        assert found[0].shape == doubts.shape
        pairs = zip(found, (doubts, worst), strict=True)
        return [float(np.square(one - other).mean()) for one, other in pairs]

    before, after = squares(Guess(tiny_model)), squares(guess)
    assert all(late < 0.1 * early for early, late in zip(before, after, strict=True))


def test_the_worst_doubts_by_hand() -> None:
    doubts = np.zeros((1, 4, N_DOUBTS), np.float32)
    doubts[0, :, 0] = 0.9, 0.6, 1.0, 1.0
    doubts[0, :, 1] = 0.1, 0.0, 0.4, 0.2
    doubts[0, :, 2] = 0.8, 0.4, 0.4, 0.0
    worst = keras.ops.convert_to_numpy(worst_doubts(doubts))
    assert worst[0] == pytest.approx([0.6, 0.4, 0.4, 0.0, 0.0, 0.0])


def test_a_pool_of_batches_is_drawn_once(
    tiny_model: CodecModel, leads: list[Lead]
) -> None:
    seen: list[np.ndarray] = []

    def lessons(x: np.ndarray) -> Lessons:
        seen.append(x)
        return lessons_of(x)

    few = HeadPreset(n_guess_steps=5, guess_batch=2, guess_pool=2)
    windows = both_ways(leads)
    fit_guess(tiny_model, lessons, windows, few, log=quiet)
    expected = [windows.batch(i, 2) for i in range(2)]
    assert all((a == b).all() for a, b in zip(seen, expected, strict=True))


def test_a_guess_leaves_the_codec_as_it_is(
    tiny_model: CodecModel, leads: list[Lead]
) -> None:
    before = [v.copy() for v in tiny_model.get_weights()]
    few = HeadPreset(n_guess_steps=1, guess_batch=2)
    fit_guess(tiny_model, lessons_of, both_ways(leads), few, log=quiet)
    pairs = zip(before, tiny_model.get_weights(), strict=True)
    assert all((a == b).all() for a, b in pairs)


def test_exported_heads_are_kerass(
    guess: Guess,
    tiny_model: CodecModel,
    batch: np.ndarray,
    table: tuple[Trials, tuple[np.ndarray, np.ndarray]],
) -> None:
    trials, (_, rates) = table
    few = HeadPreset(n_forecast_steps=5, forecast_batch=32)
    inputs = table[1]
    forecast = fit_forecast(trials, inputs, few, log=quiet)
    n_features = guess.features.output_shape[-1]
    encoder = Network(export_encoder(tiny_model, guess.features), "encoder")
    joined = join_heads(guess.summary, forecast.network)
    heads = Network(export_heads(joined, n_features, 3), "heads")
    features = encoder.run(batch.reshape(-1, 2240, 1))[-1]
    maps = trunk_maps(tiny_model, batch)
    flat = maps.reshape(-1, *maps.shape[2:])
    expected = keras.ops.convert_to_numpy(guess.features(flat))
    assert features == pytest.approx(expected, abs=1e-4)
    summary = summaries(guess, tiny_model, batch)
    wanted = [
        keras.ops.convert_to_numpy(v) for v in forecast.network([summary, rates[:4]])
    ]
    for i in range(4):
        found = heads.run(features[None, 4 * i : 4 * i + 4], rates[i : i + 1])
        for part, of_all in zip(found, wanted, strict=True):
            assert part[0] == pytest.approx(of_all[i], abs=1e-3)
