# SPDX-License-Identifier: Apache-2.0
"""The trained networks of the paper's codec, as `train_paper` ships them."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path

import numpy as np

from dynamic_deep.engine import Network
from dynamic_deep.errors import ModelError
from experiments.networks.paper_segments import FloatArray
from experiments.weights_folder import WEIGHTS

PAPER_WEIGHTS = WEIGHTS / "paper"
LEVELS = (32, 64)
N_ELEMENTS = {32: 63, 64: 32}  # of a segment's latent
REFERENCES = ("label", "raw")  # of a foretold error: cross entropy, divergence
FORECAST_SEGMENTS = 5  # that the heads look at: 8960 samples at 300 Hz
ABOUT = "paper.json"
FILES = ("encoder.tflite", "decoder_32.tflite", "decoder_64.tflite")  # of the codec
HEADS = "heads.tflite"


class PaperNetworks:
    """The trained networks, run by LiteRT.

    Args:
        folder: that the training wrote.

    Raises:
        ModelError: If a file is missing or damaged.
    """

    def __init__(self, folder: Path = PAPER_WEIGHTS) -> None:
        """Load them; the heads may be missing until a forecast is asked for."""
        self._content = {name: _read(folder, name) for name in FILES}
        about = json.loads(_read(folder, ABOUT))
        self.ranges: dict[int, tuple[float, float]] = {
            level: tuple(about["latent_ranges"][str(level)]) for level in LEVELS
        }
        self._folder = folder
        self._encoder = Network(self._content["encoder.tflite"], "the paper's encoder")
        self._decoders = {
            level: Network(self._content[f"decoder_{level}.tflite"], f"decoder {level}")
            for level in LEVELS
        }

    @functools.cached_property
    def _heads(self) -> Network:
        return Network(_read(self._folder, HEADS), "the paper's error heads")

    @property
    def digest(self) -> str:
        """Changes with the codec's networks."""
        joined = b"".join(self._content[name] for name in sorted(self._content))
        ranges = repr(sorted(self.ranges.items())).encode()
        return hashlib.sha256(joined + ranges).hexdigest()[:16]

    def encode(self, segments: FloatArray) -> dict[int, FloatArray]:
        """Return each level's latents: (n, 2000) -> (n, n_elements)."""
        found = self._encoder.run(segments[:, :, None])
        return {v: y[:, :, 0] for v, y in zip(LEVELS, found, strict=True)}

    def decode(self, latents: FloatArray, level: int) -> FloatArray:
        """Return segments on their own scale: (n, n_elements) -> (n, 2000)."""
        (segments,) = self._decoders[level].run(latents[:, :, None])
        return np.asarray(segments[:, :, 0])

    def foretell(self, latents: dict[int, FloatArray]) -> FloatArray:
        """Return foretold errors of a window, nats.

        Args:
            latents: of each level, float32 (n, n_elements), n segments; as many are
                looked at as `of_window` says.

        Returns:
            float32 (n_levels, n_references).
        """
        inputs = [of_window(latents[v])[None] for v in LEVELS]
        (errors,) = self._heads.run(*inputs)
        return np.asarray(errors.reshape(len(LEVELS), len(REFERENCES)))


def of_window(latents: FloatArray) -> FloatArray:
    """Return the latents that the heads look at: (FORECAST_SEGMENTS, n_elements).

    A longer window's later segments are not looked at; in a shorter one the last stands
    for those it lacks.
    """
    at = np.minimum(np.arange(FORECAST_SEGMENTS), len(latents) - 1)
    return latents[at]


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.is_file():
        raise ModelError(
            f"the paper's codec must have {name} in {folder.name}, there is no such "
            "file; run `python -m experiments train paper`"
        )
    return path.read_bytes()


@functools.cache
def load_networks(folder: Path = PAPER_WEIGHTS) -> PaperNetworks:
    """Return the networks of a folder; each is read once.

    Raises:
        ModelError: If a file is missing or damaged.
    """
    return PaperNetworks(folder)
