# SPDX-License-Identifier: Apache-2.0
"""The general-purpose coders that the codec is measured against.

Each codes one window of one lead, alone, into real bytes that are decoded again. What
is counted is the payload: a baseline pays for no frame, level or checksum, which
favours it. Nothing here knows of recordings or of the codec.
"""

from __future__ import annotations

import bz2
import importlib
import io
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dynamic_deep.bench.groups import LOSSLESS, LZ77
from dynamic_deep.bench.layouts import (
    pack_raw,
    pack_second_difference,
    unpack_raw,
    unpack_second_difference,
)
from dynamic_deep.errors import ConfigError, InvalidSignalError

IntArray = npt.NDArray[np.integer[Any]]

_LZMA_FILTERS: list[dict[str, Any]] = [
    {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << 20}
]


class Baseline(Protocol):
    """A coder of one window of one lead."""

    @property
    def name(self) -> str:
        """The name in the tables."""

    @property
    def group(self) -> str:
        """The block of the table that it belongs to."""

    @property
    def lossless(self) -> bool:
        """Whether decoding must give back every sample."""

    @property
    def note(self) -> str:
        """What a reader must know about its bytes; may be empty."""

    def encode(self, samples: IntArray, fs: float) -> bytes:
        """Code int16 or int32 samples, shape (n_samples,), ADC units."""

    def decode(self, payload: bytes, n_samples: int, dtype: npt.DTypeLike) -> IntArray:
        """Return what `encode` was given, shape (n_samples,), of `dtype`."""


@dataclass(frozen=True)
class ByteCoder:
    """A byte compressor behind a layout of the samples.

    Args:
        name: the name in the tables.
        group: the block of the table.
        compress: bytes to fewer bytes.
        decompress: the compressed bytes and the size of the result, to the result.
        pack: samples to bytes.
        unpack: bytes and dtype to samples.
        note: what a reader must know.
    """

    name: str
    group: str
    compress: Callable[[bytes], bytes]
    decompress: Callable[[bytes, int], bytes]
    pack: Callable[[IntArray], bytes]
    unpack: Callable[[bytes, np.dtype[Any]], IntArray]
    note: str = ""
    lossless: bool = True

    def encode(self, samples: IntArray, fs: float) -> bytes:
        """Code the samples; see `Baseline`."""
        return self.compress(self.pack(samples))

    def decode(self, payload: bytes, n_samples: int, dtype: npt.DTypeLike) -> IntArray:
        """Return the samples; see `Baseline`."""
        kind = np.dtype(dtype)
        return self.unpack(self.decompress(payload, n_samples * kind.itemsize), kind)


@dataclass(frozen=True)
class Flac:
    """FLAC at its highest level through libsndfile, as a file in memory."""

    name: str = "flac"
    group: str = LOSSLESS
    lossless: bool = True
    note: str = "a whole file each window; its header is about 86 bytes of it"

    def encode(self, samples: IntArray, fs: float) -> bytes:
        """Code the samples; see `Baseline`."""
        import soundfile

        shift, subtype = 0, "PCM_16"
        if samples.dtype.itemsize > 2:
            shift, subtype = 8, "PCM_24"  # libsndfile wants 24 bits at the top of 32
            if not -(1 << 23) <= samples.min() <= samples.max() < 1 << 23:
                raise InvalidSignalError(
                    "FLAC takes samples of at most 24 bits, got wider ones; leave "
                    "it out"
                )
        stream = io.BytesIO()
        soundfile.write(
            stream,
            samples << shift,
            max(1, round(fs)),
            format="FLAC",
            subtype=subtype,
            compression_level=1.0,
        )
        return stream.getvalue()

    def decode(self, payload: bytes, n_samples: int, dtype: npt.DTypeLike) -> IntArray:
        """Return the samples; see `Baseline`."""
        import soundfile

        kind = np.dtype(dtype)
        name = "int16" if kind.itemsize == 2 else "int32"
        samples, _ = soundfile.read(io.BytesIO(payload), dtype=name)
        return np.asarray(samples >> (0 if name == "int16" else 8), dtype=kind)


@dataclass(frozen=True)
class Pcodec:
    """pcodec at level 12, standalone form."""

    name: str = "pcodec -12"
    group: str = LOSSLESS
    lossless: bool = True
    note: str = ""

    def encode(self, samples: IntArray, fs: float) -> bytes:
        """Code the samples; see `Baseline`."""
        from pcodec import ChunkConfig, standalone

        config = ChunkConfig(compression_level=12)
        return bytes(standalone.simple_compress(samples, config))

    def decode(self, payload: bytes, n_samples: int, dtype: npt.DTypeLike) -> IntArray:
        """Return the samples; see `Baseline`."""
        from pcodec import standalone

        return np.asarray(standalone.simple_decompress(payload), dtype=dtype)


def _unzlib(payload: bytes, n_bytes: int) -> bytes:
    return zlib.decompress(payload, bufsize=max(1, n_bytes))


def _zstd(raw: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=19).compress(raw)


def _unzstd(payload: bytes, n_bytes: int) -> bytes:
    import zstandard

    return zstandard.ZstdDecompressor().decompress(payload, max_output_size=n_bytes)


def _xz(raw: bytes) -> bytes:
    return lzma.compress(raw, format=lzma.FORMAT_RAW, filters=_LZMA_FILTERS)


def _unxz(payload: bytes, _: int) -> bytes:
    return lzma.decompress(payload, format=lzma.FORMAT_RAW, filters=_LZMA_FILTERS)


_RAW = (pack_raw, unpack_raw)
_SECOND = (pack_second_difference, unpack_second_difference)
_SECOND_NOTE = "on second differences, zigzag, bytes shuffled"

_ALL: tuple[tuple[str | None, Baseline], ...] = (
    (None, ByteCoder("zlib -9", LZ77, lambda b: zlib.compress(b, 9), _unzlib, *_RAW)),
    ("zstandard", ByteCoder("zstd -19", LZ77, _zstd, _unzstd, *_RAW)),
    (None, ByteCoder("xz -9e", LZ77, _xz, _unxz, *_RAW, note="raw LZMA2")),
    (None, ByteCoder("bzip2 -9", LOSSLESS, bz2.compress,
                     lambda b, _: bz2.decompress(b), *_RAW)),
    (None, ByteCoder("zlib -9, d2", LOSSLESS, lambda b: zlib.compress(b, 9), _unzlib,
                     *_SECOND, note=_SECOND_NOTE)),
    ("zstandard", ByteCoder("zstd -19, d2", LOSSLESS, _zstd, _unzstd, *_SECOND,
                            note=_SECOND_NOTE)),
    (None, ByteCoder("xz -9e, d2", LOSSLESS, _xz, _unxz, *_SECOND, note=_SECOND_NOTE)),
    ("pcodec", Pcodec()),
    ("soundfile", Flac()),
)  # fmt: skip

BASELINE_NAMES = tuple(baseline.name for _, baseline in _ALL)


def load_baselines(
    names: tuple[str, ...] | None = None,
) -> tuple[list[Baseline], dict[str, str]]:
    """Return the baselines that can run here.

    Args:
        names: which of `BASELINE_NAMES`; None means all.

    Returns:
        The baselines in table order, and for each one left out the package it needs.

    Raises:
        ConfigError: If a name is unknown.
    """
    unknown = sorted(set(names or ()) - set(BASELINE_NAMES))
    if unknown:
        raise ConfigError(
            f"baselines must be among {', '.join(BASELINE_NAMES)}, got "
            f"{', '.join(unknown)}; choose from the list"
        )
    found: list[Baseline] = []
    missing: dict[str, str] = {}
    for module, baseline in _ALL:
        if names is not None and baseline.name not in names:
            continue
        if module is not None and not _is_importable(module):
            missing[baseline.name] = module
        else:
            found.append(baseline)
    return found, missing


def _is_importable(module: str) -> bool:
    try:
        importlib.import_module(module)
    except (ImportError, OSError):  # soundfile raises OSError without libsndfile
        return False
    return True
