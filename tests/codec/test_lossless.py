# SPDX-License-Identifier: Apache-2.0
"""`lossless`: exact round trips, the hard bound, fixed bytes, hostile bytes."""

from __future__ import annotations

import contextlib
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic_deep.errors import ConfigError, CorruptError, InvalidSignalError
from dynamic_deep.lossless import MAX_SAMPLES, decode_lossless, encode_lossless
from dynamic_deep.prediction import COEF_BITS, ORDER, solve
from dynamic_deep.residual import LOG_ONE, integer_log

INT32 = st.integers(-(2**31), 2**31 - 1)


def beats(n_samples: int = 9000, noise: float = 2.0) -> np.ndarray:
    """A train of QRS-like bumps at 300 Hz with noise, in ADC units."""
    rng = np.random.default_rng(7)
    phase = np.arange(n_samples) % 260 - 130
    bump = 400 * np.exp(-((phase / 5.0) ** 2)) + 60 * np.exp(
        -(((phase - 60) / 20.0) ** 2)
    )
    drift = 50 * np.sin(np.arange(n_samples) / 700)
    ecg: np.ndarray = np.rint(bump + drift + rng.normal(0, noise, n_samples))
    return ecg.astype(np.int16)


def check(samples: np.ndarray, max_error: int = 0) -> bytes:
    payload: bytes = encode_lossless(samples, max_error=max_error)
    decoded = decode_lossless(payload, len(samples))
    assert decoded.dtype == np.int32
    assert decoded.shape == samples.shape
    error = np.abs(decoded.astype(np.int64) - samples.astype(np.int64))
    assert error.max() <= max_error
    return payload


@settings(max_examples=60, deadline=None)
@given(
    st.lists(INT32, min_size=1, max_size=200), st.sampled_from([0, 0, 1, 7, 2**30 - 1])
)
def test_any_int32_comes_back(values: list[int], max_error: int) -> None:
    check(np.array(values, dtype=np.int32), max_error)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 31), st.integers(1, 900))
def test_noise_of_any_size_comes_back(seed: int, n_bits: int, n_samples: int) -> None:
    rng = np.random.default_rng(seed)
    check(rng.integers(-(2**n_bits), 2**n_bits, n_samples, dtype=np.int64))


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(10752, np.int16),
        np.full(3000, -(2**31), np.int32),
        np.arange(5000, dtype=np.int32) * 400_000,
        np.tile(np.array([-(2**31), 2**31 - 1], np.int32), 700),
        np.repeat(np.array([0, 8_388_607, -8_388_608, 5], np.int32), 600),
        np.clip(beats() * 9, -2048, 2047),
        np.cumsum(np.cumsum(np.arange(2500) % 5 - 2)).astype(np.int32),
        (8_000_000 * np.sin(np.arange(4000) / 9)).astype(np.int32),
    ],
    ids=["flat", "floor", "ramp", "swing", "steps", "saturated", "smooth", "24-bit"],
)
def test_extreme_signals_come_back(samples: np.ndarray) -> None:
    check(samples)
    check(samples, 3)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 24, 32, 33, 512, 513, 640, 641, 11000])
def test_every_length_comes_back(n_samples: int) -> None:
    check(beats(n_samples))


def test_flat_window_costs_next_to_nothing() -> None:
    assert len(check(np.full(10752, 37, np.int16))) < 30


@pytest.mark.parametrize("max_error", [1, 2, 5, 40, 1000])
def test_bound_holds_at_every_sample_and_saves_bytes(max_error: int) -> None:
    samples = beats()
    assert len(check(samples, max_error)) < len(check(samples))


def test_bound_holds_at_the_ends_of_int32() -> None:
    check(np.tile(np.array([2**31 - 1, -(2**31)], np.int32), 100), 1000)


def test_larger_error_never_costs_more_on_an_ecg() -> None:
    sizes = [len(encode_lossless(beats(), max_error=m)) for m in (0, 1, 2, 4, 8, 16)]
    assert sizes == sorted(sizes, reverse=True)


def test_noise_is_coded_close_to_its_entropy() -> None:
    # White Gaussian noise of 3 units: log2(3 * sqrt(2 pi e)) = 3.63 bits a sample; no
    # coder is below, and prediction, tables and start may cost 7 %.
    rng = np.random.default_rng(3)
    samples = np.rint(rng.normal(0, 3, 10752)).astype(np.int16)
    bits_per_sample = 8 * len(check(samples)) / len(samples)
    assert 3.6 < bits_per_sample < 3.63 * 1.07


def test_scale_of_the_signal_costs_no_more_than_its_bits() -> None:
    # 2**10 times the amplitude is 10 bits a sample more, whatever the ADC's width.
    small, large = beats(noise=6), beats(noise=6).astype(np.int32) << 10
    more = 8 * (len(check(large)) - len(check(small))) / len(small)
    assert more < 10.3


def test_step_in_a_quiet_signal_costs_little() -> None:
    samples = beats().astype(np.int32)
    stepped = samples.copy()
    stepped[4000:] += 4_000_000
    assert len(check(stepped)) < len(check(samples)) + 150


def test_gain_on_a_simulated_ecg() -> None:
    samples = beats(noise=1.5)
    assert 2 * len(samples) / len(check(samples)) > 4.3


GOLDEN_SAMPLES = np.array(
    [-3, 0, 4, 11, 300, 290, -70_000, 12, 12, 13, 12, 12], np.int32
)


@pytest.mark.parametrize(
    ("max_error", "payload"),
    [
        (0, "a585f472024ee855ba9f27befb40dae33d352e28e995de95bb"),
        (2, "c2a585e51dc07adbee86d8352fe985d103cd54063e98de55"),
    ],
)
def test_bytes_never_change(max_error: int, payload: str) -> None:
    # A change here is a change of the format, which old files must outlive.
    assert encode_lossless(GOLDEN_SAMPLES, max_error=max_error).hex() == payload


def test_long_window_keeps_its_checksum() -> None:
    # Guards the adaptive part, which a dozen samples don't reach.
    ramp = np.arange(3000)
    samples = (ramp * ramp // 977 % 911 + (ramp * 7919) % 13).astype(np.int32)
    payload = encode_lossless(samples)
    assert (len(payload), zlib.crc32(payload)) == (991, 3427153243)


@pytest.mark.parametrize(
    ("samples", "rule"),
    [
        (np.zeros((3, 2), np.int16), "1-D"),
        (np.zeros(3, np.float32), "integer"),
        (np.zeros(0, np.int16), "1 to"),
        (np.zeros(MAX_SAMPLES + 1, np.int8), "1 to"),
        (np.array([2**31], np.int64), "int32"),
        (np.array([2**64 - 1], np.uint64), "int32"),
    ],
)
def test_bad_samples_are_named(samples: np.ndarray, rule: str) -> None:
    with pytest.raises(InvalidSignalError, match=rule):
        encode_lossless(samples)


@pytest.mark.parametrize("max_error", [-1, 2**30])
def test_bad_max_error_is_named(max_error: int) -> None:
    with pytest.raises(ConfigError, match="max_error"):
        encode_lossless(beats(10), max_error=max_error)


@pytest.mark.parametrize("n_samples", [0, -1, MAX_SAMPLES + 1])
def test_lengths_that_lie_are_refused(n_samples: int) -> None:
    with pytest.raises(CorruptError, match="1 to"):
        decode_lossless(b"abc", n_samples)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 400))
def test_any_bytes_end_in_an_array_or_corrupt_error(
    data: bytes, n_samples: int
) -> None:
    try:
        decoded = decode_lossless(data, n_samples)
    except CorruptError:
        return
    assert decoded.shape == (n_samples,)


def test_damaged_payloads_end_in_an_array_or_corrupt_error() -> None:
    payload = encode_lossless(beats(700))
    rng = np.random.default_rng(1)
    for _ in range(150):
        broken = bytearray(payload[: rng.integers(1, len(payload) + 1)])
        broken[rng.integers(len(broken))] ^= 1 << rng.integers(8)
        try:
            assert decode_lossless(bytes(broken), 700).shape == (700,)
        except CorruptError:
            continue


def test_short_payload_of_a_long_window_takes_bounded_time() -> None:
    start = time.process_time()
    with contextlib.suppress(CorruptError):
        decode_lossless(b"\xa5" * 40, 1 << 16)
    # 5 us a sample is usual; the margin is for a busy machine.
    assert time.process_time() - start < 10


def test_solver_agrees_with_floating_point() -> None:
    rng = np.random.default_rng(5)
    rows = rng.integers(-2000, 2000, (500, ORDER + 1))
    rows[:, ORDER] += rows[:, ORDER - 1] // 2 - rows[:, 3]
    moments = rows.T @ rows
    want = np.linalg.solve(moments[:ORDER, :ORDER], moments[:ORDER, ORDER])
    got = np.array(solve(moments.tolist())) / (1 << COEF_BITS)
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_integer_log_is_exact_at_powers_of_two() -> None:
    assert [integer_log(1 << k) for k in range(12)] == [k * LOG_ONE for k in range(12)]
    assert integer_log(3) == int(LOG_ONE * np.log2(3))
