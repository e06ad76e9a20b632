# SPDX-License-Identifier: Apache-2.0
"""`heads`: what the kept bundle's foretell, against its formula."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from dynamic_deep.bundle import Bundle, load_bundle
from dynamic_deep.errors import ModelError
from dynamic_deep.heads import RAW_ROW, Heads, log_rates
from dynamic_deep.window_codec import Analysis, WindowCodec, WindowPlace
from tests import make_bundle as kept
from tests.signals import AWARE, COSINE, ecg


def analyze(bundle: Bundle, x: np.ndarray, **fields: Any) -> Analysis:
    place = {"n_samples": len(x), "fs": 300.0, "baseline": 0, "adc_bits": 16}
    place = WindowPlace(**(place | fields))  # type: ignore[assignment]
    return WindowCodec(bundle).analyze(x.astype(np.int32), place)  # type: ignore


def test_a_forecast_is_that_of_the_formula(bundle: Bundle) -> None:
    window = analyze(bundle, ecg(8960).samples[:, 0])
    forecast = Heads(bundle).forecast(window)
    assert forecast.levels == (RAW_ROW, *kept.HEAD_GAINS)
    assert forecast.channels == kept.CHANNELS
    assert forecast.center.shape == forecast.spread.shape == (6, 3)
    x = window.normalized.reshape(4, 2240)
    restless = np.abs(np.diff(x, axis=1)).mean()
    lengths = [len(window.payload(bundle.level(name))) for name in kept.AWARE_LEVELS]
    rate = np.mean([np.log(8.0 * n / 8960) for n in lengths])
    for row, gain in enumerate([1.0, *kept.HEAD_GAINS.values()]):
        for column, channel in enumerate(kept.CHANNELS):
            expected = kept.CENTER[channel] + kept.BY_LOG_GAIN[channel] * np.log(gain)
            expected += kept.BY_RESTLESSNESS * restless + kept.BY_LOG_RATE * rate
            assert forecast.center[row, column] == pytest.approx(expected, abs=1e-3)
    assert forecast.spread == pytest.approx(kept.SPREAD)


def test_rates_are_those_of_the_payloads(bundle: Bundle) -> None:
    window = analyze(bundle, ecg(8960).samples[:, 0])
    levels = [bundle.level(name) for name in ("gain_128", "wavelet_12", "gain_32")]
    codec = WindowCodec(bundle)
    lengths = [len(codec.encode(window, level)) for level in levels]
    rates = log_rates(window, levels)
    assert rates.dtype == np.float32
    assert np.exp(rates) == pytest.approx(np.array(lengths) * 8.0 / 8960)
    assert rates.argsort().tolist() == [0, 2, 1]


def test_the_order_of_the_rates_is_that_of_the_levels(bundle: Bundle) -> None:
    window = analyze(bundle, ecg(8960).samples[:, 0])
    heads = Heads(bundle)
    given: list[np.ndarray] = []
    run = heads._network.run

    def listen(*inputs: np.ndarray) -> list[np.ndarray]:
        given.append(inputs[1])
        return run(*inputs)

    heads._network.run = listen  # type: ignore[method-assign]
    heads.forecast(window)
    levels = [bundle.level(name) for name in bundle.config["heads"]["levels"]]
    assert given[0].tolist() == [log_rates(window, levels).tolist()]


def test_a_window_is_the_same_window_at_any_rate_and_gain(bundle: Bundle) -> None:
    x = ecg(8960).samples[:, 0]
    heads = Heads(bundle)
    first = heads.forecast(analyze(bundle, x))
    louder = heads.forecast(analyze(bundle, 3 * x.astype(np.int32)))
    assert louder.center == pytest.approx(first.center, abs=0.1)
    faster = heads.forecast(analyze(bundle, np.repeat(x, 2), fs=600.0))
    assert faster.center == pytest.approx(first.center, abs=0.3)


def test_the_restless_are_foretold_larger_errors(
    bundle: Bundle, rng: np.random.Generator
) -> None:
    x = ecg(8960).samples[:, 0]
    noise = rng.normal(0.0, 0.5 * x.std(), len(x))
    calm, noisy = (
        Heads(bundle).forecast(analyze(bundle, v)).center for v in (x, x + noise)
    )
    assert (noisy > calm + 1.0).all()


@pytest.mark.parametrize(
    ("n_samples", "n_heard"), [(1120, 1), (3000, 1), (4000, 2), (8961, 4), (10_079, 4)]
)
def test_a_last_segment_that_is_mostly_padding_is_not_heard(
    bundle: Bundle, n_samples: int, n_heard: int
) -> None:
    window = analyze(bundle, ecg(n_samples).samples[:, 0])
    heard: list[tuple[int, ...]] = []
    heads = Heads(bundle)
    run = heads._network.run

    def listen(*inputs: np.ndarray) -> list[np.ndarray]:
        heard.extend(array.shape for array in inputs)
        return run(*inputs)

    heads._network.run = listen  # type: ignore[method-assign]
    forecast = heads.forecast(window)
    assert heard == [(1, n_heard, 3), (1, len(kept.HEAD_GAINS))]
    assert np.isfinite(forecast.center).all()


def test_a_bundle_without_heads_is_refused(bundle: Bundle) -> None:
    with pytest.raises(ModelError, match=r"heads\.tflite, cosine has none"):
        Heads(load_bundle(COSINE))
    config = {key: v for key, v in bundle.config.items() if key != "heads"}
    with pytest.raises(ModelError, match="aware has none"):
        Heads(dataclasses.replace(bundle, config=config))


def test_heads_on_an_encoder_without_features_are_refused(bundle: Bundle) -> None:
    cosine = load_bundle(COSINE)
    networks = bundle.networks | {"encoder": cosine.networks["encoder"]}
    window = analyze(
        dataclasses.replace(bundle, networks=networks), ecg(8960).samples[:, 0]
    )
    with pytest.raises(ModelError, match="features to its error heads, it has none"):
        assert window.head_features.shape


def test_the_kept_files_are_small() -> None:
    assert {path.name for path in AWARE.glob("*.tflite")} >= {
        "heads.tflite",
        "task_rhythm.tflite",
        "task_rpeaks.tflite",
    }
    assert max(path.stat().st_size for path in AWARE.iterdir()) < 60_000
