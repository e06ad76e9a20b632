# SPDX-License-Identifier: Apache-2.0
"""Memory budgets add up, and no frame is larger than the bound that is promised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from device_sim.memory import KIB, Buffers, budget, ring_bytes, worst_frame_bytes
from device_sim.points import Memory
from device_sim.profiles import load_device, names_of
from dynamic_deep import Codec
from dynamic_deep.bundle import Level
from dynamic_deep.errors import ConfigError
from dynamic_deep.window_candidate import WindowCandidate
from dynamic_deep.window_codec import WindowPlace


@dataclass(frozen=True, kw_only=True)
class Encoder:
    weights_bytes: int = 40_000
    tables_bytes: int = 60_000
    arena_bytes: int = 30_000
    contexts_bytes: int = 16_000


def test_the_ring_by_hand() -> None:
    # 29.867 s and 7.467 s at 300 Hz are 8960 + 2240 samples of 2 bytes
    assert ring_bytes(Buffers(fs=300.0)) == 22_400
    assert ring_bytes(Buffers(fs=300.0, n_leads=3)) == 3 * 22_400
    assert ring_bytes(Buffers(fs=360.0)) == 2 * 13_440
    assert ring_bytes(Buffers(fs=300.0, segments_ahead=2)) == 22_400 + 4_480


def test_a_budget_adds_up() -> None:
    memory = load_device("nrf52840").at("memory", Memory, "nominal")
    found = budget(memory, Encoder(), Buffers(fs=300.0, queue_bytes=8 * KIB))
    assert found.flash_bytes == 220 * KIB + 100_000
    window = 8960 * 4
    rest = 30_000 + 22_400 + 2240 + 16_000
    assert found.ram_bytes == 40 * KIB + rest + window + 8 * KIB
    assert found.flash_limit == 1024 * KIB
    assert found.is_within


@pytest.mark.parametrize("name", names_of("devices"))
def test_the_encoder_fits_every_device(name: str) -> None:
    memory = load_device(name).at("memory", Memory, "high")
    assert budget(memory, Encoder(), Buffers(fs=360.0, n_leads=2)).is_within


def test_what_is_too_large_does_not_fit() -> None:
    memory = load_device("nrf52840").at("memory", Memory, "nominal")
    assert not budget(memory, Encoder(arena_bytes=300 * KIB), Buffers(fs=300)).is_within
    huge = Encoder(weights_bytes=1024 * KIB)
    assert not budget(memory, huge, Buffers(fs=300.0)).is_within


def test_buffers_are_checked() -> None:
    with pytest.raises(ConfigError, match="above 0"):
        Buffers(fs=0.0)
    with pytest.raises(ConfigError, match="above 0"):
        Buffers(fs=300.0, n_leads=0)


def hard_signals() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    noise = rng.integers(-(1 << 15) + 1, 1 << 15, 8960)
    square = np.where(np.arange(8960) // 7 % 2, 32767, -32767)
    spike = np.zeros(8960, np.int64)
    spike[4000:4003] = 32767
    return {"noise": noise, "square": square, "spike": spike}


@pytest.mark.parametrize("name", hard_signals())
def test_no_frame_is_larger_than_the_bound(codec: Codec, name: str) -> None:
    samples = hard_signals()[name].astype(np.int32)
    place = WindowPlace(n_samples=len(samples), fs=300.0, baseline=0, adc_bits=16)
    candidate = WindowCandidate(codec.windows, samples, place)
    for level in codec.levels:
        limit = worst_frame_bytes(codec.bundle, level, len(samples), 300.0)
        assert candidate.n_bytes(level) <= limit, level.name


def test_an_unknown_kind_is_refused(codec: Codec) -> None:
    level = Level(id=30, name="magic", kind="magic")
    with pytest.raises(ConfigError, match="kind of level magic"):
        worst_frame_bytes(codec.bundle, level, 8960, 300.0)
