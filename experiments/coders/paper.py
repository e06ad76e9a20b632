# SPDX-License-Identifier: Apache-2.0
"""The paper's own codec: two levels on one encoder, and what its heads foretell.

A window goes through in segments of 2000 samples at its own rate. Each is its mean
(int16) and deviation (float16), and a latent of 63 or 32 elements, stored as float32,
as published, or as 8 bits over a range fixed in training. A last segment that the
window does not fill is charged by the share that the window uses: in a stream the next
window would fill it. `experiments.train.paper` makes the weights.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Subject
from experiments.coders.protocol import Coder, Sent
from experiments.networks.paper import (
    LEVELS,
    N_ELEMENTS,
    PAPER_WEIGHTS,
    REFERENCES,
    PaperNetworks,
    load_networks,
)
from experiments.networks.paper_segments import (
    SEGMENT_LEN,
    FloatArray,
    join_segments,
    split_segments,
)

STORAGES = ("float32", "int8")
_SCALE = struct.Struct("<he")  # mean and deviation of a segment
_TOP = 255  # the largest integer of an 8-bit element


def store_latent(latent: FloatArray, storage: str, span: tuple[float, float]) -> bytes:
    """Return the bytes of one latent.

    Args:
        latent: float32 (n_elements,).
        storage: float32 or int8.
        span: what 0 and 255 stand for in int8; what lies outside is cut off.

    Raises:
        ConfigError: If there is no such storage.
    """
    if storage == "float32":
        return latent.astype("<f4").tobytes()
    if storage == "int8":
        units = np.rint((latent - span[0]) * (_TOP / (span[1] - span[0])))
        return np.clip(units, 0, _TOP).astype(np.uint8).tobytes()
    raise ConfigError(
        f"a storage must be one of {', '.join(STORAGES)}; got {storage!r}"
    )


def load_latent(stored: bytes, storage: str, span: tuple[float, float]) -> FloatArray:
    """Return the latent of `store_latent`'s bytes.

    Raises:
        ConfigError: If there is no such storage.
    """
    if storage == "float32":
        return np.frombuffer(stored, "<f4").astype(np.float32)
    if storage == "int8":
        units = np.frombuffer(stored, np.uint8).astype(np.float32)
        return units * np.float32((span[1] - span[0]) / _TOP) + np.float32(span[0])
    raise ConfigError(
        f"a storage must be one of {', '.join(STORAGES)}; got {storage!r}"
    )


class PaperLevel:
    """One level with one way to store its latent; a `Coder`.

    Args:
        level: 32 or 64.
        storage: float32 or int8.
        networks: trained.
    """

    family = "paper"

    def __init__(self, level: int, *, storage: str, networks: PaperNetworks) -> None:
        """Keep the parts."""
        self.level, self.storage, self.networks = level, storage, networks
        self.name = f"paper/{level} {storage}"
        self.identity = f"paper/1/{networks.digest}/{level}/{storage}"
        self.element_gain: float | None = SEGMENT_LEN / N_ELEMENTS[level]

    def encode(self, subject: Subject) -> list[bytes]:
        """Return the payload of each segment of a window."""
        segments, scales = split_segments(_offsets(subject))
        latents = self.networks.encode(segments)[self.level]
        span = self.networks.ranges[self.level]
        return [
            _SCALE.pack(int(scale[0]), float(scale[1]))
            + store_latent(latent, self.storage, span)
            for latent, scale in zip(latents, scales, strict=True)
        ]

    def decode(self, payloads: list[bytes], subject: Subject) -> npt.NDArray[np.int32]:
        """Return the window of payloads; of `subject` only its place is looked at."""
        span, place = self.networks.ranges[self.level], subject.place
        scales = np.array([_SCALE.unpack_from(v) for v in payloads], np.float32)
        latents = [load_latent(v[_SCALE.size :], self.storage, span) for v in payloads]
        segments = self.networks.decode(np.stack(latents), self.level)
        x_hat = join_segments(segments, scales, place.n_samples) + place.baseline
        limit = 1 << (place.adc_bits - 1)
        return np.clip(np.rint(x_hat), -limit, limit - 1).astype(np.int32)

    def send(self, subject: Subject) -> Sent:
        """Code one window and decode it.

        Raises:
            ConfigError: If its samples are wider than 16 bits.
        """
        payloads = self.encode(subject)
        used_share = subject.place.n_samples / (len(payloads) * SEGMENT_LEN)
        return Sent(
            n_bytes=sum(map(len, payloads)) * used_share,
            x_hat=self.decode(payloads, subject),
        )


def _offsets(subject: Subject) -> npt.NDArray[Any]:
    place = subject.place
    if place.adc_bits > 16:
        raise ConfigError(
            "the paper's codec must have samples of at most 16 bits, got "
            f"{place.adc_bits}; leave this recording out"
        )
    return subject.x - place.baseline


def paper_forecast(
    subject: Subject, networks: PaperNetworks | None = None
) -> dict[int, dict[str, float]]:
    """Return what the heads foretell of a window, nats, by level and reference.

    They were trained on windows of 8960 samples at 300 Hz, which are five segments.

    Raises:
        ConfigError: If its samples are wider than 16 bits.
        ModelError: If a file of the networks is missing or damaged.
    """
    networks = networks or load_networks()
    segments, _ = split_segments(_offsets(subject))
    found = networks.foretell(networks.encode(segments))
    return {
        level: dict(zip(REFERENCES, map(float, row), strict=True))
        for level, row in zip(LEVELS, found, strict=True)
    }


def load_paper_coders(folder: Path = PAPER_WEIGHTS) -> list[Coder]:
    """Return both levels with both ways to store a latent.

    Raises:
        ModelError: If weights are missing.
    """
    networks = load_networks(folder)
    return [
        PaperLevel(level, storage=storage, networks=networks)
        for storage in STORAGES
        for level in LEVELS
    ]
