# SPDX-License-Identifier: Apache-2.0
"""A trained codec as a folder, named by a hash of its content.

    config.json     levels, sizes, what it was trained on
    tables.npz      integer tables and context weights, wavelet steps
    encoder.tflite  a segment -> the latent of every level
    entry_*.tflite  a level's latent -> the decoder's common map
    body.tflite, body_*.tflite  the map, the level's number -> the reconstruction
    heads.tflite    the encoder's features, the levels' rates -> foretold task errors
    task_*.tflite   the tasks
    encoder_int8.tflite  the encoder in integers, for a device
    calibration_*.npz  what bounds can be promised by
    MODEL_CARD.md   for people

The last three are not part of the hash. `classical` is a bundle without networks.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle_tables import (
    AnyLatentCoder,
    Lookup,
    read_context_weights,
    read_linear_coder,
    read_net_coder,
    read_wavelet_coder,
    read_wavelet_net,
)
from dynamic_deep.errors import ConfigError, CorruptError, ModelError
from dynamic_deep.latent import ContextWeights
from dynamic_deep.quantizer import ScaleCoder
from dynamic_deep.wavelet import WaveletCoder

BUNDLE_VERSION = 2  # since 2 a level may have a context network
MODEL_ID_LEN = 16  # bytes of the SHA-256
SHIPPED = Path(__file__).parent / "bundles"
HASHED = (".json", ".npz", ".tflite")  # but for those that decide no decoding:
UNHASHED = ("calibration_", "encoder_int8")
KINDS = ("lossless", "near_lossless", "wavelet", "neural")
# What JSON, zip and NumPy raise for bytes that are not theirs.
UNREADABLE = (
    *(OSError, EOFError, MemoryError, RuntimeError, SyntaxError),
    *(AttributeError, KeyError, TypeError, ValueError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True, kw_only=True)
class Level:
    """A rung of the ladder.

    Attributes:
        id: what a frame carries, 0 to 31.
        name: what a user says.
        kind: one of `KINDS`.
        nominal_gain: about what it gives on the training records; 0 where the signal
            alone decides.
    """

    id: int
    name: str
    kind: str
    nominal_gain: float = 0.0


LOSSLESS = Level(id=0, name="lossless", kind="lossless", nominal_gain=4.0)
NEAR_LOSSLESS = Level(id=1, name="near_lossless", kind="near_lossless")


@dataclass(frozen=True, kw_only=True)
class LatentShape:
    """The latent of a neural level.

    Attributes:
        level_idx: the number that encoder and body know the level by.
        n_channels: channels.
        stride: samples at the model's rate a step.
        threshold: from where on a value is not rounded to 0, in steps.
        body: the network that decodes it, with the level's entry before it.
    """

    level_idx: int
    n_channels: int
    stride: int
    threshold: float
    body: str = "body"


@dataclass(frozen=True, kw_only=True, eq=False)
class Bundle:
    """A bundle in memory; networks are bytes until an engine loads them."""

    name: str
    model_id: bytes
    levels: tuple[Level, ...]
    latents: dict[str, LatentShape]
    tables: dict[str, npt.NDArray[Any]]
    networks: dict[str, bytes]
    config: dict[str, Any]
    folder: Path | None = None

    def level(self, name: str) -> Level:
        """Return a level by its name.

        Raises:
            ConfigError: If the bundle has none of that name.
        """
        for level in self.levels:
            if level.name == name:
                return level
        raise ConfigError(
            f"a level of bundle {self.name} must be one of "
            f"{', '.join(level.name for level in self.levels)}; got {name!r}"
        )

    def level_by_id(self, level_id: int) -> Level:
        """Return a level by the number that a frame carries.

        Raises:
            CorruptError: If the bundle has none of that number.
        """
        for level in self.levels:
            if level.id == level_id:
                return level
        raise CorruptError(
            f"a frame's level must be one of bundle {self.name}'s, got {level_id}; "
            "the frame is damaged"
        )

    def _table(self, key: str) -> npt.NDArray[Any]:
        if key not in self.tables:
            raise ModelError(
                f"the tables of bundle {self.name} must hold {key}, which is missing; "
                "fetch or train it again"
            )
        return self.tables[key]

    @functools.cached_property
    def scales(self) -> ScaleCoder:
        """The coder of each window's scale and offset."""
        return ScaleCoder(self._table("scale"), self._table("offset"))

    def _of_level(self, name: str) -> Lookup:
        """Return what looks up the tables of a level."""
        return lambda key: self._table(f"{name}/{key}")

    def wavelet_coder(self, name: str) -> WaveletCoder:
        """Return the coder of a wavelet level."""
        read = read_wavelet_net if self.has_context_net(name) else read_wavelet_coder
        return read(self._of_level(name))

    def has_context_net(self, name: str) -> bool:
        """Tell whether a network chooses the tables of a lossy level's symbols."""
        return f"{name}/near" in self.tables

    def latent_coder(self, name: str) -> AnyLatentCoder:
        """Return the coder of a neural level's latent."""
        read = read_net_coder if self.has_context_net(name) else read_linear_coder
        return read(self._of_level(name))

    def context_weights(self, name: str) -> ContextWeights:
        """Return the linear contexts of a latent, with which training goes on."""
        return read_context_weights(self._of_level(name))


def bundle_folder(name_or_path: str | Path) -> Path:
    """Return the folder of a shipped bundle, or the given one.

    Raises:
        ModelError: If there is no such bundle.
    """
    shipped = SHIPPED / str(name_or_path)
    folder = shipped if shipped.is_dir() else Path(name_or_path)
    if not (folder / "config.json").is_file():
        names = sorted(p.parent.name for p in SHIPPED.glob("*/config.json"))
        raise ModelError(
            f"a bundle must be one of {', '.join(names)} or a folder with config.json, "
            f"got {str(name_or_path)!r}"
        )
    return folder


def content_hash(folder: Path) -> bytes:
    """Return the model id of a bundle's folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in HASHED and not path.name.startswith(UNHASHED):
            content = path.read_bytes()
            digest.update(f"{path.name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.digest()[:MODEL_ID_LEN]


def load_bundle(name_or_path: str | Path) -> Bundle:
    """Read a bundle.

    Raises:
        ModelError: If it is missing, damaged or of a newer form.
    """
    folder = bundle_folder(name_or_path)
    try:
        config = json.loads((folder / "config.json").read_text())
        # From bytes: NumPy leaves a file open that it can't read.
        content = io.BytesIO((folder / "tables.npz").read_bytes())
        with np.load(content, allow_pickle=False) as stored:
            tables = {key: stored[key] for key in stored.files}
        levels = tuple(Level(**row) for row in config["levels"])
        latents = {key: LatentShape(**row) for key, row in config["latents"].items()}
        name, version = str(config["name"]), int(config["version"])
    except UNREADABLE as error:
        raise ModelError(
            f"bundle {folder.name} must hold a readable config.json and tables.npz, "
            f"got: {error}; fetch or train it again"
        ) from error
    if version > BUNDLE_VERSION:
        raise ModelError(
            f"a bundle's version must be at most {BUNDLE_VERSION}, got {version}; "
            "update dynamic-deep"
        )
    return Bundle(
        name=name,
        model_id=content_hash(folder),
        levels=levels,
        latents=latents,
        tables=tables,
        networks={p.stem: p.read_bytes() for p in sorted(folder.glob("*.tflite"))},
        config=config,
        folder=folder,
    )
