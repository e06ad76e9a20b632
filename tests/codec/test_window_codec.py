# SPDX-License-Identifier: Apache-2.0
"""`window_codec`: one window there and back at every level, and hostile payloads."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dynamic_deep.bundle import Level, load_bundle
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.entropy import RangeEncoder
from dynamic_deep.errors import CorruptError, ModelError
from dynamic_deep.quantizer import WindowScale, quantize
from dynamic_deep.window_codec import (
    MISSING_16,
    WindowCodec,
    WindowPlace,
    coded_steps,
    max_error_adc,
    only_lossless_fits,
    window_place,
)
from tests.signals import COSINE, ecg, prdn

BUNDLE = load_bundle(COSINE)
LEVELS = {level.name: level for level in BUNDLE.levels}
SOME = ["lossless", "near_lossless", "wavelet_8", "wavelet_128", "gain_32", "gain_64"]


@pytest.fixture(scope="module")
def windows() -> WindowCodec:
    return WindowCodec(BUNDLE)


def make_place(
    n_samples: int, *, fs: float = 300.0, baseline: int = 0, adc_bits: int = 16
) -> WindowPlace:
    return WindowPlace(n_samples=n_samples, fs=fs, baseline=baseline, adc_bits=adc_bits)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("n_samples", [2, 40, 1120, 2241, 8960, 10_079])
def test_every_level_gives_the_window_back(
    windows: WindowCodec, name: str, n_samples: int
) -> None:
    x = ecg(n_samples).samples[:, 0].astype(np.int32)
    place = make_place(n_samples)
    payload = windows.encode(windows.analyze(x, place), LEVELS[name], max_error=2)
    x_hat = windows.decode(payload, LEVELS[name], place)
    assert x_hat.dtype == np.int32
    assert x_hat.shape == (n_samples,)
    if LEVELS[name].kind.endswith("lossless"):
        assert np.abs(x_hat - x).max() <= 2
    if n_samples >= 1120:
        limits = {"wavelet_8": 8.0, "wavelet_128": 50.0, "gain_32": 25, "gain_64": 60}
        assert prdn(x, x_hat) < limits.get(name, 5.0)


@pytest.mark.parametrize("name", SOME)
def test_baseline_and_width_are_minded(windows: WindowCodec, name: str) -> None:
    x = ecg(8960).samples[:, 0].astype(np.int32) * 1500 + 5_000_000
    assert x.max() < 2**23
    place = make_place(8960, baseline=4_990_000, adc_bits=24)
    payload = windows.encode(windows.analyze(x, place), LEVELS[name], max_error=2)
    assert prdn(x, windows.decode(payload, LEVELS[name], place)) < 60.0
    narrow = dataclasses.replace(place, adc_bits=16)
    if not LEVELS[name].kind.endswith("lossless"):
        clipped = windows.decode(payload, LEVELS[name], narrow)
        assert (clipped == 2**15 - 1).all()


@pytest.mark.parametrize("name", SOME)
def test_random_payloads_give_a_window_or_the_documented_error(
    windows: WindowCodec, name: str, rng: np.random.Generator
) -> None:
    x = ecg(9000).samples[:, 0].astype(np.int32)
    window = windows.analyze(x, make_place(9000))
    whole = windows.encode(window, LEVELS[name], max_error=3)
    n_decoded = 0
    for i in range(60):
        longest = (300, 9000)[i % 2]
        place = make_place(int(rng.integers(1, longest)), fs=(300.0, 360.0)[i // 2 % 2])
        # A true beginning leads further in than bytes that are random from the first.
        kept = int(rng.integers(0, len(whole))) * (i % 3 > 0)
        payload = whole[:kept] + rng.bytes(int(rng.integers(0, 120)))
        try:
            x_hat = windows.decode(payload, LEVELS[name], place)
        except CorruptError:
            continue
        n_decoded += 1
        assert x_hat.shape == (place.n_samples,)
        assert x_hat.dtype == np.int32
        if not LEVELS[name].kind.endswith("lossless"):
            assert np.abs(x_hat).max() <= 2**15
    assert n_decoded > 0


@pytest.mark.parametrize("name", SOME)
def test_a_payload_with_a_flipped_bit_gives_no_other_error(
    windows: WindowCodec, name: str
) -> None:
    x = ecg(3000).samples[:, 0].astype(np.int32)
    place = make_place(3000)
    payload = windows.encode(windows.analyze(x, place), LEVELS[name], max_error=3)
    n_changed = 0
    for bit in range(0, 8 * len(payload), max(1, len(payload) // 6)):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            x_hat = windows.decode(bytes(damaged), LEVELS[name], place)
        except CorruptError:
            n_changed += 1
            continue
        assert x_hat.shape == (3000,)
        n_changed += not np.array_equal(x_hat, x)
    assert n_changed > 10


@pytest.mark.parametrize("adc_bits", [16, 32])
@pytest.mark.parametrize("name", ["gain_32", "wavelet_16"])
def test_the_largest_values_that_bytes_can_say_are_clipped(
    windows: WindowCodec, name: str, adc_bits: int
) -> None:
    coder = RangeEncoder()
    BUNDLE.scales.encode(coder, WindowScale(scale_idx=127, offset_idx=2**47))
    if name == "gain_32":
        latent = np.full((35, 12), 2**30, np.int32)
        latent[::3] *= -1
        BUNDLE.latent_coder(name).encode(coder, latent)
    else:
        symbols = BUNDLE.wavelet_coder(name).symbols
        for band, length in enumerate((35, 35, 70, 140, 280, 560, 1120)):
            symbols.encode(coder, np.full(length, -(2**30), np.int32), band)
    place = make_place(2240, adc_bits=adc_bits)
    x_hat = windows.decode(coder.finish(), LEVELS[name], place)
    lowest, highest = -(2 ** (adc_bits - 1)), 2 ** (adc_bits - 1) - 1
    assert lowest <= x_hat.min() <= x_hat.max() <= highest
    assert np.isin(x_hat, [lowest, highest]).mean() > 0.9


def test_a_level_without_its_network_is_refused(windows: WindowCodec) -> None:
    bare = dataclasses.replace(BUNDLE, networks={})
    x = ecg(2240).samples[:, 0].astype(np.int32)
    codec = WindowCodec(bare)
    with pytest.raises(ModelError, match=r"encoder\.tflite"):
        codec.encode(codec.analyze(x, make_place(2240)), LEVELS["gain_64"])
    payload = windows.encode(windows.analyze(x, make_place(2240)), LEVELS["gain_64"])
    with pytest.raises(ModelError, match=r"entry_gain_64\.tflite"):
        codec.decode(payload, LEVELS["gain_64"], make_place(2240))


@pytest.mark.parametrize("n_samples", [1, 500, 2240, 2300, 8960, 10_000])
def test_only_steps_with_signal_are_coded(windows: WindowCodec, n_samples: int) -> None:
    x = ecg(n_samples).samples[:, 0].astype(np.int32)
    window = windows.analyze(x, make_place(n_samples))
    for name in ("gain_32", "gain_64"):
        shape = BUNDLE.latents[name]
        y_hat = windows.quantized_latent(window, LEVELS[name])
        assert y_hat.shape == (coded_steps(n_samples, 64), shape.n_channels)
        assert y_hat.shape[0] * 64 >= n_samples
        expected = quantize(window.latents[shape.level_idx], shape.threshold)
        assert (y_hat == expected[: len(y_hat)]).all()
        n_segments = window.place.n_segments
        whole = windows.synthesize(y_hat, LEVELS[name], n_segments)
        assert whole.shape == (n_segments * SEGMENT_LEN,)


def test_steps_by_hand() -> None:
    # 2240 / 64 = 35 a segment; one step more than is filled, if there is one.
    pairs = {1: 2, 64: 2, 65: 3, 2239: 35, 2240: 35, 2241: 37, 8960: 140}
    assert {n: coded_steps(n, 64) for n in pairs} == pairs


def test_bounds_in_adc_units_by_hand() -> None:
    # 200 units a mV: 5 uV a unit.
    assert [max_error_adc(uv, 200.0) for uv in (0.0, 4.9, 5.0, 10.0, 12.0)] == [
        *(0, 0, 1, 2, 2)
    ]
    assert max_error_adc(0.3, 10_000.0) == 3  # 2.9999999999999996 in floats


def test_what_only_lossless_fits() -> None:
    x = np.arange(100, dtype=np.int32)
    assert not only_lossless_fits(x, 16)
    assert only_lossless_fits(np.full(100, 3, np.int32), 24)
    x[50] = MISSING_16
    assert only_lossless_fits(x, 16)
    assert not only_lossless_fits(x, 24)


def test_a_place_says_what_the_header_says() -> None:
    info = ecg(9000, fs=360.0, n_leads=2).info
    place = window_place(10_752, info, 1)
    assert (place.fs, place.adc_bits, place.baseline) == (360.0, 16, 0)
    assert (place.model_len, place.n_segments) == (8960, 4)


def test_networks_run_once_for_all_levels(
    windows: WindowCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    encoder = windows.encoder
    real = type(encoder).run

    def counted(network: object, *inputs: np.ndarray) -> list[np.ndarray]:
        calls.append(network is encoder)
        return list(real(encoder, *inputs))

    x = ecg(8960).samples[:, 0].astype(np.int32)
    window = windows.analyze(x, make_place(8960))
    monkeypatch.setattr(type(encoder), "run", counted)
    neural: list[Level] = [LEVELS["gain_32"], LEVELS["gain_64"]]
    for level in neural:
        windows.encode(window, level)
    assert calls == [True]
