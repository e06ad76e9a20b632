# SPDX-License-Identifier: Apache-2.0
"""The baselines give back every sample, and their layouts are what they say."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from dynamic_deep.bench.baselines import BASELINE_NAMES, load_baselines
from dynamic_deep.bench.layouts import pack_second_difference, unpack_second_difference
from dynamic_deep.errors import ConfigError, InvalidSignalError

CASES = {
    "one": [7],
    "two": [-3, 32767],
    "extremes": [-32768, 32767] * 50,
    "ramp": list(range(-600, 600)),
    "noise": np.random.default_rng(1).integers(-32768, 32768, 2000).tolist(),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", BASELINE_NAMES)
@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_every_sample_comes_back(name: str, case: str, dtype: type) -> None:
    found, missing = load_baselines((name,))
    if missing:
        pytest.skip(f"{missing[name]} is not installed")
    scale = 1 if dtype is np.int16 else 256  # 24 bits
    samples = (np.array(CASES[case], np.int64) * scale).astype(dtype)
    payload = found[0].encode(samples, 360.0)
    decoded = found[0].decode(payload, len(samples), dtype)
    assert decoded.dtype == samples.dtype
    np.testing.assert_array_equal(decoded, samples)


def test_second_difference_is_zigzag_and_low_bytes_first() -> None:
    # 300, 300, 44 -> d2 = 300, -300, -256 -> zigzag 600, 599, 511
    samples = np.array([300, 300, 44], np.int16)
    packed = pack_second_difference(samples)
    assert packed == bytes([0x58, 0x57, 0xFF, 0x02, 0x02, 0x01])
    np.testing.assert_array_equal(
        unpack_second_difference(packed, samples.dtype), samples
    )


def test_zlib_counts_the_bytes_of_zlib_on_raw_int16() -> None:
    samples = np.arange(5000, dtype=np.int16)
    [zlib9], _ = load_baselines(("zlib -9",))
    assert zlib9.encode(samples, 300.0) == zlib.compress(
        samples.astype("<i2").tobytes(), 9
    )


def test_flac_refuses_more_than_24_bits() -> None:
    pytest.importorskip("soundfile")
    [flac], _ = load_baselines(("flac",))
    with pytest.raises(InvalidSignalError, match="24 bits"):
        flac.encode(np.array([1 << 23], np.int32), 300.0)


def test_unknown_baseline_lists_the_known() -> None:
    with pytest.raises(ConfigError, match=r"zstd -19.*got gzip"):
        load_baselines(("gzip",))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dynamic_deep.bench.baselines._is_importable", lambda name: name != "pcodec"
    )
    found, missing = load_baselines()
    assert missing == {"pcodec -12": "pcodec"}
    assert "pcodec -12" not in [baseline.name for baseline in found]
