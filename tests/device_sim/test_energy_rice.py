# SPDX-License-Identifier: Apache-2.0
"""The light lossless coder gives every sample back, and is worth comparing with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from device_sim.rice import BLOCK, decode_rice, encode_rice
from dynamic_deep.errors import CorruptError, InvalidSignalError
from dynamic_deep.recording import read_recording


@given(
    arrays.arrays(
        np.int32,
        st.integers(1, 3 * BLOCK + 1),
        elements=st.integers(-(1 << 15), (1 << 15) - 1),
    )
)
def test_every_sample_comes_back(x: np.ndarray) -> None:
    assert (decode_rice(encode_rice(x), len(x)) == x).all()


@pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK, BLOCK + 1])
@pytest.mark.parametrize("value", [0, 1, -1, 1 << 26, -(1 << 26)])
def test_constants_and_block_edges(n: int, value: int) -> None:
    x = np.full(n, value)
    assert (decode_rice(encode_rice(x), n) == x).all()


def test_a_ramp_takes_a_bit_a_sample() -> None:
    # Second differences of a ramp are 0: one stop bit each, and 7 bits a block.
    n = 40 * BLOCK
    payload = encode_rice(5 * np.arange(n))
    assert len(payload) <= (n + 40 * 7 + 200) / 8


def test_a_real_ecg_shrinks_about_as_with_flac(data_dir: Path) -> None:
    """FLAC gets 3.87 on MIT-BIH and 3.81 on CinC 2017 (README); these four lie near."""
    records = ("mitdb/100", "mitdb/207", "cinc2017/A00001", "cinc2017/A00004")
    n_samples = n_bytes = 0
    for name in records:
        x = read_recording(data_dir / f"{name}.hea").samples[:18_000, 0]
        payload = encode_rice(x)
        assert (decode_rice(payload, len(x)) == x).all()
        n_samples, n_bytes = n_samples + len(x), n_bytes + len(payload)
    assert 3.3 < 2 * n_samples / n_bytes < 4.4


def test_what_is_no_signal_is_refused() -> None:
    for bad in (np.zeros((2, 2), int), np.zeros(0, int), np.zeros(4)):
        with pytest.raises(InvalidSignalError, match="1-D integer array"):
            encode_rice(bad)
    with pytest.raises(InvalidSignalError, match="must lie within"):
        encode_rice(np.array([1 << 27]))


def test_a_cut_payload_is_refused() -> None:
    payload = encode_rice(np.arange(1000) % 97)
    with pytest.raises(CorruptError, match="must hold 1000 samples"):
        decode_rice(payload[: len(payload) // 2], 1000)
