# SPDX-License-Identifier: Apache-2.0
"""Heads read other rates and foretell the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

from dynamic_deep.bundle import load_bundle
from dynamic_deep.engine import Network
from dynamic_deep.errors import ModelError
from dynamic_deep.firmware.heads_tables import device_heads
from dynamic_deep.heads import Heads
from dynamic_deep.networks.error_heads import N_CLASSES, SUMMARY_WIDTH
from dynamic_deep.subjects import subjects_of
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.window_codec import WindowCodec
from tests.made_heads import N_FEATURES, make_heads
from tests.signals import AWARE
from training.head_rates import (
    RateMap,
    Readings,
    fit_rate_map,
    rate_layer,
    read_windows,
    with_new_rates,
)

N_RATES, N_SUMMARY = 5, 7


@pytest.fixture(scope="module")
def heads() -> bytes:
    return make_heads(N_RATES)


def readings(rates: np.ndarray, summary: np.ndarray) -> Readings:
    return Readings(summary=summary, rates=rates)


def test_a_linear_change_of_rates_is_found() -> None:
    rng = np.random.default_rng(1)
    new = rng.normal(-2.0, 0.5, (2000, N_RATES))
    summary = rng.normal(0.0, 1.0, (2000, N_SUMMARY))
    by_rates = np.eye(N_RATES) + 0.1 * rng.normal(size=(N_RATES, N_RATES))
    by_summary = 0.1 * rng.normal(size=(N_RATES, N_SUMMARY))
    former = new @ by_rates.T + summary @ by_summary.T + 0.3
    former += rng.normal(0.0, 0.01, new.shape)
    found = fit_rate_map(readings(former, summary), readings(new, summary))
    assert found.by_rates == pytest.approx(by_rates, abs=0.005)
    assert found.by_summary == pytest.approx(by_summary, abs=0.005)
    assert found.offset == pytest.approx(np.full(N_RATES, 0.3), abs=0.02)
    assert found.residual == pytest.approx(0.01, rel=0.05)


def test_where_levels_rise_and_fall_as_one_no_single_one_is_blown_up() -> None:
    rng = np.random.default_rng(2)
    common = rng.normal(-2.0, 0.5, (400, 1))
    new = common + rng.normal(0.0, 1e-4, (400, N_RATES))
    former = common + rng.normal(0.0, 0.01, (400, N_RATES))
    summary = np.zeros((400, N_SUMMARY))  # of units that are silent
    found = fit_rate_map(readings(former, summary), readings(new, summary))
    assert np.abs(found.by_rates - np.eye(N_RATES)).max() < 0.1
    assert np.abs(found.by_summary).max() < 1e-9
    assert found.residual == pytest.approx(0.01, rel=0.1)


def test_heads_foretell_by_new_rates_as_by_the_former(heads: bytes) -> None:
    rng = np.random.default_rng(3)
    bundle = load_bundle(AWARE)
    known = device_heads(replace(bundle, networks={"heads": heads}))
    rates = RateMap(
        by_summary=0.2 * rng.normal(size=(N_RATES, SUMMARY_WIDTH + N_CLASSES)),
        by_rates=np.eye(N_RATES) + 0.2 * rng.normal(size=(N_RATES, N_RATES)),
        offset=rng.normal(size=N_RATES),
        residual=0.0,
    )
    changed = Network(with_new_rates(heads, rates), "heads")
    for _ in range(5):
        features = rng.normal(size=(4, N_FEATURES)).astype(np.float32)
        new = rng.normal(size=N_RATES).astype(np.float32)
        mixed = rates.by_summary @ known.summary(features) + rates.by_rates @ new
        former = (mixed + rates.offset).astype(np.float32)
        found = changed.run(features[None], new[None])
        wanted = known.forecast(features, former)
        for ours, theirs in zip(found, wanted, strict=True):
            assert ours[0] == pytest.approx(theirs, abs=1e-3)
        assert np.abs(known.forecast(features, new)[0] - wanted[0]).max() > 0.01


def test_heads_of_another_form_are_refused(heads: bytes) -> None:
    with pytest.raises(ModelError, match="must have one hidden layer that reads 5"):
        rate_layer(load_bundle(AWARE).networks["heads"], N_RATES)
    with pytest.raises(ModelError, match="reads 60 rates"):
        rate_layer(heads, 60)


def test_what_is_read_of_a_window_is_what_the_heads_read(heads: bytes) -> None:
    bundle = load_bundle(AWARE)
    bundle.networks["heads"] = heads
    recording = simulate_ecg(30.0, fs=300.0, n_leads=1, seed=3)
    (subject,) = subjects_of(recording, record="s")
    assert len(subject.x) == 9000  # 40 samples of a fifth segment
    read = read_windows(bundle, [subject])
    window = WindowCodec(bundle).analyze(subject.x, subject.place)
    known, features = device_heads(bundle), window.head_features
    assert len(features) == 5
    assert read.summary[0] == pytest.approx(known.summary(features[:4]), abs=1e-6)
    assert np.abs(known.summary(features) - read.summary[0]).max() > 1e-3
    rates = read.rates[0].astype(np.float32)
    wanted = Heads(bundle).forecast(window).center.ravel()
    assert known.forecast(features[:4], rates)[0] == pytest.approx(wanted, abs=1e-3)
