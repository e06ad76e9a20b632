# SPDX-License-Identifier: Apache-2.0
"""Flash and RAM of a device, and the largest packet that a level can make."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from device_sim.points import Memory
from dynamic_deep.bitstream import frame_len
from dynamic_deep.bundle import Bundle, Level
from dynamic_deep.config import MODEL_FS, SEGMENT_LEN, WINDOW_LEN
from dynamic_deep.entropy import TABLE_BITS
from dynamic_deep.errors import ConfigError
from dynamic_deep.wavelet import BLOCK
from dynamic_deep.window_codec import coded_steps

KIB = 1024
WAVELET_BYTES = 4 * WINDOW_LEN  # the wavelet transform works in place, in float
# Escapes of the format: sign and number of bits (quantizer.encode_escape), then bits.
_ESCAPE_HEAD_BITS = 7
# Numbers of the lossless payload: sign, number of bits, bits (residual.SymbolWriter).
_NUMBER_HEAD_BITS = 7
# An int8 latent of the encoder is at most 128 steps of its own quantiser, which are
# finer than the codec's: 8 bits hold what is escaped.
_LATENT_ESCAPE_BITS = 8
# A coefficient of a window in units of its scale: 16 bits are 65,536 quantiser steps.
_WAVELET_ESCAPE_BITS = 16
_HEAD_BITS = 3 * TABLE_BITS + 48  # scale and offset, escaped; the end of the message


class HasFootprint(Protocol):
    """What the encoder takes; `device_sim.footprint.Footprint` is one."""

    @property
    def weights_bytes(self) -> int:
        """Of the int8 weights."""

    @property
    def tables_bytes(self) -> int:
        """Of the integer tables."""

    @property
    def arena_bytes(self) -> int:
        """RAM of the interpreter."""

    @property
    def contexts_bytes(self) -> int:
        """RAM of the hidden map of context networks."""


@dataclass(frozen=True, kw_only=True)
class Buffers:
    """How a device is set up.

    Attributes:
        fs: sampling frequency, Hz.
        n_leads: leads.
        sample_bytes: bytes of a sample in the ring buffer.
        queue_bytes: RAM for messages that wait.
        segments_ahead: of signal that may come while a window is coded.
    """

    fs: float
    n_leads: int = 1
    sample_bytes: int = 2
    queue_bytes: int = 16 * KIB
    segments_ahead: int = 1

    def __post_init__(self) -> None:
        """Check the numbers."""
        numbers = (self.n_leads, self.sample_bytes, self.segments_ahead)
        if not self.fs > 0 or min(numbers) < 1 or self.queue_bytes < 0:
            raise ConfigError(
                "buffers must have a rate, leads, sample bytes and segments above 0, "
                f"got {self.fs:g} Hz, {', '.join(map(str, numbers))}"
            )


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Where flash and RAM go, bytes.

    Attributes:
        flash: parts of the flash, by name.
        ram: parts of the RAM, by name.
        flash_limit: what the device has.
        ram_limit: what the device has.
    """

    flash: Mapping[str, int]
    ram: Mapping[str, int]
    flash_limit: int
    ram_limit: int

    @property
    def flash_bytes(self) -> int:
        """All of the flash that is used."""
        return sum(self.flash.values())

    @property
    def ram_bytes(self) -> int:
        """All of the RAM that is used."""
        return sum(self.ram.values())

    @property
    def is_within(self) -> bool:
        """Whether it fits."""
        return self.flash_bytes <= self.flash_limit and self.ram_bytes <= self.ram_limit


def ring_bytes(buffers: Buffers) -> int:
    """Return the RAM of the ring buffer: a window, and what comes while it is coded."""
    window_s = WINDOW_LEN / MODEL_FS
    ahead_s = buffers.segments_ahead * SEGMENT_LEN / MODEL_FS
    n_samples = math.ceil((window_s + ahead_s) * buffers.fs)
    return n_samples * buffers.n_leads * buffers.sample_bytes


def budget(memory: Memory, footprint: HasFootprint, buffers: Buffers) -> Budget:
    """Return where a device's flash and RAM go.

    Args:
        memory: what the device has.
        footprint: of the encoder.
        buffers: how the device is set up.
    """
    segment = SEGMENT_LEN  # int8, at the model's rate: the encoder's input
    return Budget(
        flash={
            "firmware": int(memory.firmware_flash_kb * KIB),
            "weights": footprint.weights_bytes,
            "tables": footprint.tables_bytes,
        },
        ram={
            "firmware": int(memory.firmware_ram_kb * KIB),
            "arena": footprint.arena_bytes,
            "ring buffer": ring_bytes(buffers),
            "segment, int8": segment,
            "window, float": WAVELET_BYTES,
            "contexts": footprint.contexts_bytes,
            "queue": buffers.queue_bytes,
        },
        flash_limit=int(memory.flash_kb * KIB),
        ram_limit=int(memory.ram_kb * KIB),
    )


def worst_frame_bytes(bundle: Bundle, level: Level, n_samples: int, fs: float) -> int:
    """Return an upper bound of a level's frame for one whole window.

    Every symbol is taken to be the rarest of its table, and to be escaped where there
    are escapes. No signal comes near it; a device that reserves so much never fails.

    Args:
        bundle: whose level.
        level: the level.
        n_samples: of the window, at the lead's rate.
        fs: that rate, Hz.

    Raises:
        ConfigError: If the kind of the level is unknown.
    """
    model_samples = min(WINDOW_LEN, math.ceil(n_samples * MODEL_FS / fs))
    if level.kind in ("lossless", "near_lossless"):
        # 17 bits hold any difference of 16-bit samples.
        n_bits = n_samples * (TABLE_BITS + _NUMBER_HEAD_BITS + 17) + _HEAD_BITS
    elif level.kind == "wavelet":
        n_values = model_samples + -model_samples % BLOCK
        each = TABLE_BITS + _ESCAPE_HEAD_BITS + _WAVELET_ESCAPE_BITS
        n_bits = n_values * each + _HEAD_BITS
    elif level.kind == "neural":
        shape = bundle.latents[level.name]
        n_values = coded_steps(model_samples, shape.stride) * shape.n_channels
        each = TABLE_BITS + _ESCAPE_HEAD_BITS + _LATENT_ESCAPE_BITS
        n_bits = n_values * each + _HEAD_BITS
    else:
        raise ConfigError(f"the kind of level {level.name} is unknown: {level.kind}")
    return frame_len(level.id, math.ceil(n_bits / 8))
