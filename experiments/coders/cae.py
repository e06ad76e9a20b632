# SPDX-License-Identifier: Apache-2.0
"""The autoencoder of Yildirim et al. 2018 as a rival: what a latent costs in bytes.

A window is cut into segments of 2000 samples at its own rate. The last is filled up
with its edge sample and charged by the share that the window uses: in a stream the next
window would fill it. Each segment is its smallest and largest sample, int16 each, and
its latent, stored in one of two ways:

    float32   4 bytes an element, as a framework gives it and the publication counts it
    int8      1 byte an element, uniform from 0 to the largest value seen in training;
              more than was published, so that the rival is not blamed for its floats

`experiments.train.cae` makes the weights. There the last dense layer, 15.9 million
numbers, is replaced by less (see `FactoredDense`).
"""

from __future__ import annotations

import functools
import hashlib
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynamic_deep.engine import Network
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.trials import Subject
from experiments.coders.protocol import Coder, Sent
from experiments.networks.dense2018 import FactoredDense
from experiments.networks.segments2018 import (
    SEGMENT_LEN,
    restore_segment,
    scale_segment,
)
from experiments.weights_folder import WEIGHTS

FloatArray = npt.NDArray[np.float32]

LEVELS = (16, 32, 64)
PUBLISHED = 32  # of Yildirim et al.; the others are of the paper
DATA = ("mitdb", "cinc")
STORAGES = ("float32", "int8")
_SPAN = struct.Struct("<hh")  # smallest and largest sample
_TOP = 255  # the largest integer of an 8-bit element


class CaeWeights:
    """One trained autoencoder, run by LiteRT and numpy.

    Args:
        content: the `.npz` that the training wrote.
        name: for messages.

    Raises:
        ModelError: If it isn't such a file.
    """

    def __init__(self, content: bytes, name: str) -> None:
        """Load the networks."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                arrays = {key: stored[key] for key in stored.files}
            self._encoder = Network(arrays["encoder"].tobytes(), f"{name} encoder")
            self._decoder = Network(arrays["decoder"].tobytes(), f"{name} decoder")
            self.largest = float(arrays["largest"])
            self._dense = FactoredDense(arrays)
        except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(
                f"{name} must hold an autoencoder, got: {error}; train it again"
            ) from error
        self.digest = hashlib.sha256(content).hexdigest()[:16]

    def encode(self, segments: FloatArray) -> FloatArray:
        """Return latents: float32 (n, 2000) in [0, 1] -> (n, n_elements)."""
        (latents,) = self._encoder.run(segments[:, :, None])
        return latents.reshape(len(segments), -1)

    def features(self, latents: FloatArray) -> FloatArray:
        """Return what the dense layer reads: (n, n_elements) -> (n, n_features)."""
        (features,) = self._decoder.run(latents[:, :, None])
        return features.reshape(len(latents), -1)

    def decode(self, latents: FloatArray) -> FloatArray:
        """Return scaled segments: float32 (n, n_elements) -> (n, 2000)."""
        return self._dense(self.features(latents))


def store_latent(latent: FloatArray, storage: str, largest: float) -> bytes:
    """Return the bytes of one latent.

    Args:
        latent: float32, (n_elements,), at least 0.
        storage: float32 or int8.
        largest: what the largest integer of int8 stands for.

    Raises:
        ConfigError: If there is no such storage.
    """
    if storage == "float32":
        return latent.astype("<f4").tobytes()
    if storage == "int8":
        units = np.rint(latent * (_TOP / largest))
        return np.clip(units, 0, _TOP).astype(np.uint8).tobytes()
    raise ConfigError(f"a storage must be one of float32, int8, got {storage!r}")


def load_latent(stored: bytes, storage: str, largest: float) -> FloatArray:
    """Return the latent of `store_latent`'s bytes.

    Raises:
        ConfigError: If there is no such storage.
    """
    if storage == "float32":
        return np.frombuffer(stored, "<f4").astype(np.float32)
    if storage == "int8":
        units = np.frombuffer(stored, np.uint8).astype(np.float32)
        return units * np.float32(largest / _TOP)
    raise ConfigError(f"a storage must be one of float32, int8, got {storage!r}")


class ClassicCae:
    """One trained autoencoder with one way to store its latent; a `Coder`.

    Args:
        level: 16, 32 or 64.
        data: what it was trained on, mitdb or cinc.
        storage: float32 or int8.
        folder: of the weights.
    """

    family = "cae"

    def __init__(
        self, level: int, data: str, *, storage: str, folder: Path = WEIGHTS
    ) -> None:
        """Load the weights.

        Raises:
            ModelError: If there are none.
        """
        self.name = f"cae{level} {data} {storage}"
        self.weights = load_weights(folder / f"cae{level}_{data}.npz")
        self.storage = storage
        self.identity = f"cae/1/{self.weights.digest}/{storage}"
        n_elements = self.weights.encode(np.zeros((1, SEGMENT_LEN), np.float32)).size
        self.element_gain: float | None = SEGMENT_LEN / n_elements

    def encode(self, x: npt.NDArray[np.int32]) -> list[bytes]:
        """Return the payload of each segment of a window.

        Args:
            x: int32, (n_samples,), ADC units of at most 16 bits.
        """
        segments = np.pad(x, (0, -len(x) % SEGMENT_LEN), mode="edge")
        scaled, spans = zip(
            *map(scale_segment, segments.reshape(-1, SEGMENT_LEN)), strict=True
        )
        latents = self.weights.encode(np.stack(scaled))
        return [
            _SPAN.pack(*span) + store_latent(latent, self.storage, self.weights.largest)
            for span, latent in zip(spans, latents, strict=True)
        ]

    def decode(
        self, payloads: list[bytes], n_samples: int, *, adc_bits: int
    ) -> npt.NDArray[np.int32]:
        """Return the window of payloads: int32, (n_samples,), ADC units."""
        latents = [
            load_latent(payload[_SPAN.size :], self.storage, self.weights.largest)
            for payload in payloads
        ]
        scaled = self.weights.decode(np.stack(latents))
        spans = [_SPAN.unpack_from(payload) for payload in payloads]
        x_hat = np.concatenate(list(map(restore_segment, scaled, spans)))[:n_samples]
        limit = 1 << (adc_bits - 1)
        return np.clip(np.rint(x_hat), -limit, limit - 1).astype(np.int32)

    def send(self, subject: Subject) -> Sent:
        """Code one window and decode it.

        Raises:
            ConfigError: If its samples are wider than 16 bits.
        """
        place = subject.place
        if place.adc_bits > 16:
            raise ConfigError(
                f"{self.name} takes at most 16 bits, got {place.adc_bits}; use another"
            )
        payloads = self.encode(subject.x)
        used_share = place.n_samples / (len(payloads) * SEGMENT_LEN)
        return Sent(
            n_bytes=sum(map(len, payloads)) * used_share,
            x_hat=self.decode(payloads, place.n_samples, adc_bits=place.adc_bits),
        )


@functools.cache
def load_weights(path: Path) -> CaeWeights:
    """Return the autoencoder of a file; each is read once.

    Raises:
        ModelError: If it is missing or damaged.
    """
    if not path.is_file():
        level, _, data = path.stem.removeprefix("cae").partition("_")
        raise ModelError(
            f"the autoencoder's weights must be in {path.name}, there is no such file; "
            f"run `python -m experiments train cae --level {level} --data {data}`"
        )
    return CaeWeights(path.read_bytes(), path.name)


def load_cae_coders(folder: Path = WEIGHTS) -> list[Coder]:
    """Return the autoencoders that were trained, with every way to store the latent.

    Raises:
        ModelError: If those of the published level are not all there.
    """
    return [
        ClassicCae(level, data, storage=storage, folder=folder)
        for data in DATA
        for level in LEVELS
        if level == PUBLISHED or (folder / f"cae{level}_{data}.npz").is_file()
        for storage in STORAGES
    ]
