# SPDX-License-Identifier: Apache-2.0
"""The levels of shipped bundles as coders, frames included."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

import numpy as np

from dynamic_deep.bitstream import frame_len
from dynamic_deep.bundle import Level
from dynamic_deep.codec import Codec
from dynamic_deep.trials import Subject
from experiments.coders.protocol import Sent

# Those levels that every bundle has are taken from this one. Wavelets of bundles with
# context networks are other bytes of the same samples.
CLASSICAL = "classical"
NEURAL_BUNDLES = ("standard", "monitor", "edge")
CHOOSING_BUNDLES = ("monitor", "edge")  # they have error heads
NET_WAVELET = "wavelet net"  # family of wavelets with context networks
NEAR_ERRORS = (2,)  # ADC units, as in the tables of `bench`; it is slow to code


@functools.cache
def load_codec(bundle: str, precision: str = "float") -> Codec:
    """Return a codec; one of each is kept in a process."""
    return Codec.load(bundle, precision=precision)


@dataclass(frozen=True, kw_only=True)
class LevelCoder:
    """One level of one bundle.

    Attributes:
        bundle: its name or folder.
        level: its name.
        max_error: the bound of level near_lossless, ADC units.
        precision: of the encoder: float or int8.
    """

    bundle: str
    level: str
    max_error: int = 0
    precision: str = "float"

    @property
    def name(self) -> str:
        """Bundle and level; the level alone where all bundles share it."""
        if self.level == "near_lossless":
            return f"near_lossless +-{self.max_error}"
        if self.is_shared:
            return self.level
        name = f"{self.bundle}/{self.level}"
        return name if self.precision == "float" else f"{name} {self.precision}"

    @property
    def family(self) -> str:
        """The kind of level, or the bundle of a neural one."""
        if self.is_shared:
            return self._rung.kind
        return self.bundle if self._rung.kind == "neural" else NET_WAVELET

    @property
    def is_shared(self) -> bool:
        """Whether every bundle sends these bytes."""
        has_net = self._codec.bundle.has_context_net(self.level)
        return self._rung.kind != "neural" and not has_net

    @property
    def twin(self) -> LevelCoder | None:
        """The coder of other bytes and the same samples, where there is one."""
        if self.is_shared or self._rung.kind != "wavelet":
            return None
        own, other = self._codec.bundle.tables, load_codec(CLASSICAL).bundle.tables
        for key in ("step", "centroids"):
            name = f"{self.level}/{key}"
            if name not in other or not np.array_equal(own[name], other[name]):
                return None
        return LevelCoder(bundle=CLASSICAL, level=self.level)

    @property
    def identity(self) -> str:
        """Of the bundle and the level."""
        model_id = self._codec.model_id.hex()
        words = [model_id, self.level, str(self.max_error), self.precision]
        return hashlib.sha256(" ".join(words).encode()).hexdigest()

    @property
    def element_gain(self) -> float | None:
        """Samples of a segment over elements of its latent."""
        shape = self._codec.bundle.latents.get(self.level)
        if shape is None:
            return None
        return shape.stride / shape.n_channels

    def n_bytes(self, subject: Subject) -> int:
        """Code one window and return the length of its frame."""
        return frame_len(self._rung.id, len(self._payload(subject)))

    def send(self, subject: Subject) -> Sent:
        """Code one window, and decode what may differ from it."""
        windows, rung = self._codec.windows, self._rung
        payload = self._payload(subject)
        n_bytes = frame_len(rung.id, len(payload))
        if rung.kind == "lossless":  # exact by construction; decoding takes as long
            return Sent(n_bytes, subject.x)
        x_hat = windows.decode(payload, rung, subject.place)
        limit = 1 << (subject.place.adc_bits - 1)
        return Sent(n_bytes, np.clip(x_hat, -limit, limit - 1))

    def _payload(self, subject: Subject) -> bytes:
        windows = self._codec.windows
        analysis = windows.analyze(subject.x, subject.place)
        return windows.encode(analysis, self._rung, max_error=self.max_error)

    @property
    def _codec(self) -> Codec:
        return load_codec(self.bundle, self.precision)

    @property
    def _rung(self) -> Level:
        return self._codec.bundle.level(self.level)


def load_level_coders(kind: str) -> list[LevelCoder]:
    """Return the levels of one kind that all bundles share.

    Args:
        kind: lossless, near_lossless (with several bounds) or wavelet.
    """
    errors = NEAR_ERRORS if kind == "near_lossless" else (0,)
    return [
        LevelCoder(bundle=CLASSICAL, level=level.name, max_error=n)
        for level in load_codec(CLASSICAL).levels
        if level.kind == kind
        for n in errors
    ]


def load_neural_coders(bundle: str, precision: str = "float") -> list[LevelCoder]:
    """Return the neural levels of a bundle."""
    return [
        LevelCoder(bundle=bundle, level=level.name, precision=precision)
        for level in load_codec(bundle, precision).levels
        if level.kind == "neural"
    ]


def load_net_wavelets(bundle: str) -> list[LevelCoder]:
    """Return the wavelet levels of a bundle that have context networks.

    Of a bundle with error heads those that a bound chooses among.
    """
    codec = load_codec(bundle)
    heads = codec.bundle.config.get("heads", {})
    names = heads.get("levels", [level.name for level in codec.levels])
    coders = [LevelCoder(bundle=bundle, level=name) for name in names]
    return [coder for coder in coders if coder.family == NET_WAVELET]
