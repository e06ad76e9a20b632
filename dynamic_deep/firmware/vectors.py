# SPDX-License-Identifier: Apache-2.0
"""Reference vectors: what goes in and what must come out, for any port.

A file of records, little-endian, which `dd_check.c` reads:

    u32 magic "DDV1", u32 n_records, then each record:
    u8 kind, u8 level_id, u16 0, u32 seq, u32 seed, u32 max_error, i32 baseline,
    i32 scale_idx, i64 offset_idx, u32 n_samples, u32 n_values, u32 n_frame,
    i32 samples[n_samples], i32 values[n_values], u8 frame[n_frame]

kind 0: lossless or near_lossless, samples to frame. 1: neural, the quantised latent in
`values` to frame. 2: wavelet, the quantised subbands in `values` to frame. 3: a window
of int16 samples; `values` are its segments as the int8 encoder takes them. 4: `samples`
are the encoder's int8 output for one segment, `values` the quantised latent.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dynamic_deep.bitstream import pack_frame
from dynamic_deep.bundle import Level
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.lossless import encode_lossless
from dynamic_deep.quantizer import WindowScale, quantize
from dynamic_deep.window_codec import Analysis, WindowCodec, WindowPlace

MAGIC = b"DDV1"
LOSSLESS, NEURAL, WAVELET, SEGMENTS, OUTPUT = range(5)
_FIXED = struct.Struct("<BBHIIIiiqIII")
Integers = npt.NDArray[np.integer]


def _none() -> Integers:
    return np.zeros(0, np.int32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Vector:
    """One record; see the module."""

    kind: int
    level_id: int = 0
    seq: int = 0
    seed: int = 0
    max_error: int = 0
    baseline: int = 0
    scale: WindowScale = field(
        default_factory=lambda: WindowScale(scale_idx=0, offset_idx=0)
    )
    samples: Integers = field(default_factory=_none)
    values: Integers = field(default_factory=_none)
    frame: bytes = b""

    def packed(self) -> bytes:
        """Return the record."""
        fixed = _FIXED.pack(
            self.kind,
            self.level_id,
            0,
            self.seq,
            self.seed,
            self.max_error,
            self.baseline,
            self.scale.scale_idx,
            self.scale.offset_idx,
            self.samples.size,
            self.values.size,
            len(self.frame),
        )
        arrays = (self.samples, self.values)
        return fixed + b"".join(a.astype("<i4").tobytes() for a in arrays) + self.frame


def pack_vectors(vectors: Sequence[Vector]) -> bytes:
    """Return the file of some vectors."""
    head = MAGIC + struct.pack("<I", len(vectors))
    return head + b"".join(vector.packed() for vector in vectors)


def lossless_vector(
    samples: Integers, *, max_error: int = 0, seq: int = 0, seed: int = 0
) -> Vector:
    """Return a window at level 0 or 1 and its frame."""
    payload = encode_lossless(samples, max_error=max_error)
    level_id = int(max_error > 0)
    return Vector(
        kind=LOSSLESS,
        level_id=level_id,
        seq=seq,
        seed=seed,
        max_error=max_error,
        samples=samples,
        frame=pack_frame(level_id, payload, seq=seq, seed=seed),
    )


def lossy_vector(
    codec: WindowCodec, window: Analysis, level: Level, *, seq: int, seed: int
) -> Vector:
    """Return what a lossy level quantises a window to, and its frame."""
    if level.kind == "neural":
        kind, values = NEURAL, codec.quantized_latent(window, level).ravel()
    else:
        coder = codec.bundle.wavelet_coder(level.name)
        kind = WAVELET
        values = np.concatenate(coder.level.quantize(window.normalized))
    payload = codec.encode(window, level)
    return Vector(
        kind=kind,
        level_id=level.id,
        seq=seq,
        seed=seed,
        scale=window.scale,
        samples=np.zeros(0, np.int32),
        values=values,
        frame=pack_frame(level.id, payload, seq=seq, seed=seed),
    )


def segment_vectors(
    codec: WindowCodec, encoder: IntegerEncoder, x: Integers, *, baseline: int = 0
) -> list[Vector]:
    """Return a window's scale and segments, and what the encoder makes of the first."""
    place = WindowPlace(n_samples=len(x), fs=300.0, baseline=baseline, adc_bits=16)
    window = codec.analyze(x.astype(np.int32), place)
    short = -len(window.normalized) % SEGMENT_LEN
    padded = np.pad(window.normalized, (0, short), mode="edge")
    integers = encoder.to_integers(padded.reshape(-1, SEGMENT_LEN))
    vectors = [
        Vector(
            kind=SEGMENTS,
            baseline=baseline,
            scale=window.scale,
            samples=x,
            values=integers.ravel(),
        )
    ]
    outputs = encoder.run_integers(integers)
    for level in codec.bundle.levels:
        if level.kind == "neural":
            shape = codec.bundle.latents[level.name]
            output = outputs[shape.level_idx][0]
            units = encoder.meaning.units[shape.level_idx]
            latent = quantize(output.astype(np.float32) * units, shape.threshold)
            raw = output + encoder.zero_of(shape.level_idx)
            vectors.append(
                Vector(
                    kind=OUTPUT,
                    level_id=level.id,
                    samples=raw.ravel(),
                    values=latent.ravel(),
                )
            )
    return vectors
